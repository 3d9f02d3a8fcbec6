// Everything that `webapp up` says, in one voice: its own words, the programs', the applications', and the rows that stay.

import type { ProgressView } from '../environment/installer.ts';
import type { Failure } from '../failure.ts';
import type { Paint, Style } from './paint.ts';
import { accessText, formatMs, type ProgramRecord, recordLines, visibleLine } from './program-line.ts';
import type { Screen } from './screen.ts';
import { count, type StackView, statusRows } from './status-row.ts';
import { pad } from './width.ts';

/** Who a line is of. */
export interface Speaker {
  readonly name: string;
  readonly style: Style;
}

const SPIN = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPIN_MS = 100;

export class Reporter {
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #verbose: boolean;
  readonly #now: () => number;
  #nameWidth = 0;
  #progressing = 0;
  /** Last record of each speaker, and how often it was said: a crash loop says the same again and again. */
  readonly #repeats = new Map<string, { text: string; times: number }>();
  /** What the rows last said, for where there are no rows. */
  readonly #plainRows = new Map<string, string>();

  constructor(screen: Screen, paint: Paint, verbose: boolean, now: () => number) {
    this.#screen = screen;
    this.#paint = paint;
    this.#verbose = verbose;
    this.#now = now;
  }

  /** Names that will speak: their lines are aligned. */
  expect(names: readonly string[]): void {
    this.#nameWidth = Math.max(0, ...names.map((name) => name.length));
  }

  /** Our own words. */
  note(text: string): void {
    this.#screen.line(text);
  }

  dim(text: string): void {
    this.#screen.line(this.#paint('dim', text));
  }

  warn(text: string): void {
    this.#screen.line(this.#paint('warning', text));
  }

  /** Our own words about one WebApp. */
  about(speaker: Speaker, text: string, style: Style = 'plain'): void {
    this.#say(speaker, this.#paint(style, text));
  }

  /** A WebApp answers, or with --reload shows why it cannot. */
  ready({ name, style, address, worker, trouble }: StackView): void {
    const processes = count(worker?.processes.desired ?? 0, 'process');
    const after = trouble === '' ? processes : this.#paint('bad', `${trouble}; it is tried again when you save`);
    const mark = trouble === '' ? this.#paint('good', '✓') : this.#paint('bad', '✗');
    this.#screen.line(
      `${mark} ${this.#paint(style, pad(name, this.#nameWidth))}  ${this.#paint('address', address)}  ${after}`,
    );
  }

  /** A line of the application. */
  application(speaker: Speaker, line: string): void {
    this.#say(speaker, visibleLine(line));
  }

  access(speaker: Speaker, line: string): void {
    this.#say(speaker, accessText(line, this.#paint) ?? visibleLine(line));
  }

  /** A record of a program: warnings and errors always, the rest when asked for. What repeats is said once. */
  record(speaker: Speaker, record: ProgramRecord): void {
    const isQuiet = record.level === 'debug' || record.level === 'info';
    if ((isQuiet || isSaidBetter(record)) && !this.#verbose) return;
    const text = recordLines(record, this.#paint).join('\n');
    const last = this.#repeats.get(speaker.name);
    if (last?.text === text && !isQuiet) {
      last.times++;
      return;
    }
    this.#endRepeats(speaker);
    this.#repeats.set(speaker.name, { text, times: 1 });
    this.#say(speaker, text);
  }

  #endRepeats(speaker: Speaker): void {
    const last = this.#repeats.get(speaker.name);
    if (last && last.times > 1) this.#say(speaker, this.#paint('dim', `  (the same ${last.times - 1} more times)`));
    this.#repeats.delete(speaker.name);
  }

  /** A new try may fail in the same way: that is to be said anew. */
  forgetRepeats(speaker: Speaker): void {
    this.#endRepeats(speaker);
  }

  failure(failure: Failure): void {
    this.#screen.line(failureText(failure, this.#paint));
  }

  #say({ name, style }: Speaker, text: string): void {
    const prefix = `${this.#paint(style, pad(name, this.#nameWidth))} ${this.#paint('dim', '│')} `;
    for (const line of text.split('\n')) this.#screen.line(`${prefix}${line}`);
  }

  /** The rows that stay; where there are none, a line when processes come or go. */
  rows(views: readonly StackView[]): void {
    if (this.#progressing > 0) return;
    this.#screen.stay(statusRows(views, this.#paint));
    if (this.#screen.isTerminal) return;
    for (const view of views) this.#plainRow(view);
  }

  #plainRow(view: StackView): void {
    const { worker, name } = view;
    if (view.phase !== 'running' || !worker) return;
    const text = `${worker.processes.ready}/${worker.processes.desired} ready${view.trouble && `, ${view.trouble}`}`;
    const before = this.#plainRows.get(name);
    this.#plainRows.set(name, text);
    if (before !== undefined && before !== text) this.about(view, text);
  }

  /** Progress of what takes long: a row that moves; where there are none, a line at each end. */
  get progress(): ProgressView {
    return {
      begin: (title) => {
        const began = this.#now();
        let detail = '';
        let turn = 0;
        const draw = (): void => {
          const seconds = Math.floor((this.#now() - began) / 1000);
          const mark = this.#paint('good', SPIN[turn++ % SPIN.length] ?? '');
          this.#screen.stay([`${mark} ${title} ${seconds} s  ${this.#paint('dim', detail)}`]);
        };
        this.#progressing++;
        if (!this.#screen.isTerminal) this.note(`${title} …`);
        const timer = this.#screen.isTerminal ? setInterval(draw, SPIN_MS) : undefined;
        return {
          detail: (line) => {
            detail = visibleLine(line).trim();
          },
          done: (succeeded) => {
            clearInterval(timer);
            this.#progressing--;
            this.#screen.stay([]);
            const time = this.#paint('dim', formatMs(this.#now() - began));
            if (succeeded) this.note(`${this.#paint('good', '✓')} ${title} ${time}`);
          },
        };
      },
    };
  }
}

/** A process that died while it started: the reason follows with its traceback, once. */
function isSaidBetter({ fields }: ProgramRecord): boolean {
  return fields['cause'] === 'boot';
}

/** @returns what is wrong, how to mend it, and above them what the program concerned said itself */
export function failureText({ message, mend, detail }: Failure, paint: Paint): string {
  const lines = [paint('bad', `✗ ${message}`), ...(mend === '' ? [] : [`  → ${mend}`])];
  return detail === '' ? lines.join('\n') : [paint('dim', detail.trimEnd()), '', ...lines].join('\n');
}
