// The page of one WebApp: listens while somebody can see it, and hands what it hears to the parts.
import type { Sample } from '../minutes.ts';
import type { Picture } from '../picture.ts';
import { byId, setText } from './dom.ts';
import { drawEndpoints } from './endpoints.ts';
import { drawDeaths, drawErrors } from './errors.ts';
import { Link } from './link.ts';
import { drawNumbers } from './numbers.ts';
import { Plots } from './plots.ts';
import { drawProcesses } from './processes.ts';
import { drawTime } from './time.ts';
import { drawVerdict } from './verdict.ts';

const MINUTES_MS = 5 * 60_000;

export function showWebApp(): void {
  const [namespace = '', name = ''] = location.pathname.split('/').slice(2).map(decodeURIComponent);
  setText(byId('name'), name);
  setText(byId('namespace'), namespace);
  document.title = name;
  const page = new Page(`/live.events/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`);
  page.listen();
  // What nobody sees is not asked for: behind it may be many pods.
  document.addEventListener('visibilitychange', () => (document.hidden ? page.pause() : page.listen()));
}

class Page {
  readonly #address: string;
  readonly #link = new Link();
  readonly #plots = new Plots(byId('plots'));
  #samples: Sample[] = [];
  #events: EventSource | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  listen(): void {
    if (this.#events) return;
    const events = new EventSource(this.#address);
    this.#events = events;
    const on = <T>(type: string, take: (data: T) => void): void =>
      events.addEventListener(type, (event) => {
        take(JSON.parse((event as MessageEvent<string>).data) as T);
        this.#link.heard();
      });
    on<Picture>('picture', drawPicture);
    on<Sample[]>('samples', (samples) => this.#takeSamples(samples));
    on<string>('configuration', (text) => setText(byId('configuration'), text));
    events.addEventListener('gone', () => this.#link.lost('there is no such WebApp'));
    events.addEventListener('open', () => {
      this.#samples = []; // the first samples of a stream are all there are
    });
    events.addEventListener('error', () => {
      this.#link.lost(events.readyState === EventSource.CLOSED ? 'the page was refused' : 'connecting again');
      if (events.readyState === EventSource.CLOSED) this.#again();
    });
  }

  pause(): void {
    this.#events?.close();
    this.#events = undefined;
  }

  /** A browser does not, when the answer was a refusal. */
  #again(): void {
    this.pause();
    setTimeout(() => {
      if (!document.hidden) this.listen();
    }, 5_000);
  }

  #takeSamples(samples: readonly Sample[]): void {
    this.#samples.push(...samples);
    const from = (samples.at(-1)?.at ?? 0) - MINUTES_MS;
    this.#samples = this.#samples.filter(({ at }) => at > from);
    this.#plots.draw(this.#samples);
  }
}

function drawPicture(picture: Picture): void {
  drawVerdict(picture);
  drawNumbers(picture);
  drawTime(picture.time);
  drawProcesses(picture);
  drawErrors(picture.errors);
  drawDeaths(picture.deaths);
  drawEndpoints(picture);
}
