// One page that listens, over server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). A reader that is slow gets less often what it gets; one
// that does not read at all is let go.
import type { ServerResponse } from 'node:http';
import type { View } from './watch.ts';

/** So long a proxy in between must see something. */
const HEARTBEAT_MS = 10_000;
/** Until one that does not read is given up. */
const STALLED_MS = 20_000;
const RETRY_MS = 1_000;

export class EventStream {
  readonly #response: ServerResponse;
  readonly #heartbeat: NodeJS.Timeout;
  #stalled: NodeJS.Timeout | undefined;
  #picture = '';
  #configuration: string | undefined;
  /** Number of the newest sample that was sent. */
  #sampled = -1;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
    this.#write(`retry: ${RETRY_MS}\n\n`);
    this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), HEARTBEAT_MS);
    response.once('close', () => this.close());
  }

  /** What differs from what was sent; nothing while the reader lags: the next time has it all. */
  tell(view: View | null): void {
    if (this.#response.writableNeedDrain || this.#response.writableEnded) return;
    if (view === null) {
      this.#write(eventOf('gone', '{}'));
      return;
    }
    let events = '';
    if (view.configuration !== this.#configuration) {
      this.#configuration = view.configuration;
      events += eventOf('configuration', JSON.stringify(view.configuration));
    }
    const samples = view.samples.filter(({ number }) => number > this.#sampled);
    if (samples.length > 0) {
      this.#sampled = samples.at(-1)?.number ?? this.#sampled;
      events += eventOf('samples', JSON.stringify(samples));
    }
    const picture = JSON.stringify(view.picture);
    if (picture !== this.#picture) {
      this.#picture = picture;
      events += eventOf('picture', picture);
    }
    if (events !== '') this.#write(events);
  }

  /** Twice is safe. */
  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#stalled);
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.writableNeedDrain || this.#response.write(text)) return;
    this.#stalled = setTimeout(() => this.#response.destroy(), STALLED_MS).unref();
    this.#response.once('drain', () => clearTimeout(this.#stalled));
  }
}

/** JSON has no line break outside its strings, and none in them. */
function eventOf(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}
