// The last five minutes as lines. Each plot has its numbers in words beside it: who does not see the lines reads them, and who points at a second reads that second.
import uPlot from 'uplot';
import type { Sample } from '../minutes.ts';
import { formatMs, formatNumber } from '../words.ts';
import { make, setText } from './dom.ts';

interface Line {
  readonly label: string;
  readonly of: (sample: Sample) => number | null;
  /** A CSS variable. */
  readonly colour: string;
  /** So that lines differ without colour. */
  readonly dash: readonly number[];
  readonly filled?: true;
}

interface Plan {
  readonly title: string;
  readonly unit: string;
  readonly format: (value: number) => string;
  /** The scale reaches so far at least: a quiet second is not drawn as a peak. */
  readonly least: number;
  readonly lines: readonly Line[];
}

const SOLID: readonly number[] = [];
const DASHED: readonly number[] = [6, 4];
const DOTTED: readonly number[] = [2, 3];

const PLANS: readonly Plan[] = [
  {
    title: 'Traffic',
    unit: 'requests a second',
    format: formatNumber,
    least: 1,
    lines: [
      { label: 'requests', of: (s) => s.requests, colour: '--line-1', dash: SOLID, filled: true },
      { label: 'errors', of: (s) => s.errors, colour: '--line-bad', dash: DASHED, filled: true },
    ],
  },
  {
    title: 'Time to answer',
    unit: 'until the answer is sent',
    format: formatMs,
    least: 10,
    lines: [
      { label: 'half within', of: (s) => s.p50, colour: '--line-1', dash: SOLID },
      { label: '95 of 100', of: (s) => s.p95, colour: '--line-2', dash: DASHED },
      { label: '99 of 100', of: (s) => s.p99, colour: '--line-3', dash: DOTTED },
    ],
  },
  {
    title: 'Waiting',
    unit: 'how long 95 of 100 waited at most',
    format: formatMs,
    least: 10,
    lines: [
      { label: 'for a free process', of: (s) => s.workerWait, colour: '--line-2', dash: SOLID },
      { label: 'in the proxy', of: (s) => s.proxyWait, colour: '--line-3', dash: DASHED },
    ],
  },
  {
    title: 'Being served',
    unit: 'requests in application processes',
    format: formatNumber,
    least: 1,
    lines: [
      { label: 'being served', of: (s) => s.busy, colour: '--line-1', dash: SOLID, filled: true },
      { label: 'could be', of: (s) => s.busy + s.free, colour: '--line-4', dash: DOTTED },
      { label: 'waiting', of: (s) => s.waiting, colour: '--line-bad', dash: DASHED },
    ],
  },
];

const SPAN_S = 300;
const HEIGHT = 150;
/** Beyond this distance two samples are not joined: nobody looked in between. */
const GAP_MS = 3_000;

export class Plots {
  readonly #plots: readonly Plot[];
  #samples: readonly Sample[] = [];

  constructor(parent: HTMLElement) {
    this.#plots = PLANS.map((plan) => new Plot(parent, plan));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
    new ResizeObserver(() => {
      for (const plot of this.#plots) plot.fit();
    }).observe(parent);
  }

  /** @param samples the oldest first */
  draw(samples: readonly Sample[]): void {
    this.#samples = withGaps(samples);
    for (const plot of this.#plots) plot.draw(this.#samples);
  }

  /** Colours are read when a plot is made. */
  #redraw(): void {
    for (const plot of this.#plots) plot.remake(this.#samples);
  }
}

const NOTHING = { requests: null, errors: null, p50: null, p95: null, p99: null, proxyWait: null, workerWait: null };

function withGaps(samples: readonly Sample[]): Sample[] {
  return samples.flatMap((sample, index) => {
    const before = samples[index - 1];
    if (before === undefined || sample.at - before.at < GAP_MS) return sample;
    const gap = { ...sample, ...NOTHING, busy: null, free: null, waiting: null, at: before.at + 1 };
    return [gap as unknown as Sample, sample];
  });
}

class Plot {
  readonly #plan: Plan;
  readonly #figure = make('figure', 'card plot');
  readonly #canvas = make('div', 'canvas');
  readonly #values: readonly HTMLElement[];
  #plot: uPlot | undefined;
  #samples: readonly Sample[] = [];

  constructor(parent: HTMLElement, plan: Plan) {
    this.#plan = plan;
    const caption = make('figcaption');
    const legend = make('ul', 'legend');
    this.#values = plan.lines.map(({ label, colour, dash }) => {
      const item = make('li');
      const value = make('strong');
      const swatch = make('span', 'stroke');
      swatch.dataset['dash'] = dash === SOLID ? 'solid' : dash === DASHED ? 'dashed' : 'dotted';
      swatch.style.borderTopColor = `var(${colour})`;
      item.append(swatch, make('span', '', label), value);
      legend.append(item);
      return value;
    });
    caption.append(make('h3', '', plan.title), make('span', 'unit', plan.unit));
    this.#canvas.setAttribute('role', 'img');
    this.#figure.append(caption, legend, this.#canvas);
    parent.append(this.#figure);
  }

  draw(samples: readonly Sample[]): void {
    this.#samples = samples;
    this.#plot ??= this.#make();
    this.#plot.setData(this.#data());
    this.#say(undefined);
    this.#canvas.setAttribute('aria-label', this.#inWords());
  }

  remake(samples: readonly Sample[]): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (samples.length > 0) this.draw(samples);
  }

  fit(): void {
    this.#plot?.setSize({ width: this.#width(), height: HEIGHT });
  }

  #width(): number {
    return Math.max(200, this.#canvas.clientWidth);
  }

  #data(): uPlot.AlignedData {
    const columns = this.#plan.lines.map(({ of }) => this.#samples.map(of));
    return [this.#samples.map(({ at }) => at / 1_000), ...columns];
  }

  #make(): uPlot {
    const { lines, least, format } = this.#plan;
    const [text, grid] = [colourOf('--quiet'), colourOf('--grid')];
    const axis = {
      stroke: text,
      font: '11px system-ui, sans-serif',
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
    };
    return new uPlot(
      {
        width: this.#width(),
        height: HEIGHT,
        legend: { show: false },
        padding: [8, 22, 0, 0],
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        hooks: { setCursor: [({ cursor }) => this.#say(cursor.idx ?? undefined)] },
        scales: {
          x: { time: false, range: (_plot, _least, most) => [most - SPAN_S, most] },
          y: { range: (_plot, _least, most) => [0, Math.max(least, (most ?? 0) * 1.1)] },
        },
        axes: [
          {
            ...axis,
            size: 30,
            gap: 8,
            splits: (_plot, _axis, from, to) => minutesBetween(from, to),
            values: minuteWords,
          },
          { ...axis, size: 58, space: 36, values: (_plot, splits) => splits.map((value) => format(value)) },
        ],
        series: [{}, ...lines.map(seriesOf)],
      },
      this.#data(),
      this.#canvas,
    );
  }

  /** @param index of the sample pointed at; undefined: the latest */
  #say(index: number | undefined): void {
    const sample = this.#samples[index ?? this.#samples.length - 1];
    for (const [line, element] of this.#values.entries()) {
      const value = sample && this.#plan.lines[line]?.of(sample);
      setText(element, value === undefined || value === null ? '–' : this.#plan.format(value));
    }
  }

  #inWords(): string {
    const { title, lines, format } = this.#plan;
    const parts = lines.map(({ label, of }) => {
      const values = this.#samples.map(of).filter((value) => value !== null);
      const last = values.at(-1);
      return last === undefined
        ? `${label}: nothing`
        : `${label}: ${format(last)}, at most ${format(Math.max(...values))}`;
    });
    return `${title} over the last five minutes. ${parts.join('; ')}.`;
  }
}

function seriesOf({ label, colour, dash, filled }: Line): uPlot.Series {
  const stroke = colourOf(colour);
  return {
    label,
    stroke,
    width: 1.75,
    dash: [...dash],
    points: { show: false },
    ...(filled && { fill: `color-mix(in srgb, ${stroke} 14%, transparent)` }),
  };
}

/** A variable holds both schemes' colours; only as an element's colour is it the one in force. */
function colourOf(variable: string): string {
  const probe = make('span');
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** From the newest back. */
function minutesBetween(from: number, to: number): number[] {
  const splits: number[] = [];
  for (let at = to; at >= from; at -= 60) splits.unshift(at);
  return splits;
}

function minuteWords(_plot: uPlot, splits: readonly number[]): string[] {
  const newest = splits.at(-1) ?? 0;
  return splits.map((at) => (at === newest ? 'now' : `−${Math.round((newest - at) / 60)} min`));
}
