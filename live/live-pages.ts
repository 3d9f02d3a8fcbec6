// Everything behind the pages' routes: which WebApps are looked at, by how many, within bounds. Where documents are to be had without asking (`Source.recall`) samples
// are taken all the time, so that a page that is opened shows the minutes before; elsewhere only what somebody looks at is asked for.
import type { Clock } from '../core/clock.ts';
import type { List, Listed, Source, WebAppName } from './source.ts';
import { type Listener, type View, Watch } from './watch.ts';

export interface LivePagesOptions {
  readonly source: Source;
  readonly clock: Clock;
  /** Pages open at a time. */
  readonly maxListeners?: number;
}

const MAX_LISTENERS = 32;
/** Minutes that are kept of WebApps nobody looks at now. */
const MAX_WATCHES = 64;
/** Of the list. */
const MAX_LISTED = 500;
const RECALL_MS = 1_000;
const LIST_MS = 900;
const TONES = { bad: 0, warning: 1, unknown: 2, good: 3 } as const;

export class LivePages {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #maxListeners: number;
  /** The one that was looked at last is the last. */
  readonly #watches = new Map<string, Watch>();
  readonly #timer: NodeJS.Timeout | undefined;
  #listeners = 0;
  #list: List | undefined;
  #listedAt = 0;
  #closed = false;

  constructor({ source, clock, maxListeners = MAX_LISTENERS }: LivePagesOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#maxListeners = maxListeners;
    if (source.recall) this.#timer = setInterval(() => this.#recallAll(), RECALL_MS).unref();
  }

  /** The worst first. Made once a second, for however many pages. */
  list(): List {
    const now = this.#clock.now();
    if (this.#list === undefined || now - this.#listedAt >= LIST_MS) {
      this.#list = makeList(this.#source.list());
      this.#listedAt = now;
    }
    return this.#list;
  }

  /** One look. @returns undefined: there is no such WebApp */
  async once(name: WebAppName, signal: AbortSignal): Promise<View | undefined> {
    return this.#closed ? undefined : this.#watch(name).look(signal);
  }

  /** @returns stop; undefined: as many listen as may */
  listen(name: WebAppName, listener: Listener): (() => void) | undefined {
    if (this.#closed || this.#listeners >= this.#maxListeners) return undefined;
    this.#listeners++;
    const stop = this.#watch(name).listen(listener);
    let stopped = false;
    return () => {
      if (stopped) return;
      stopped = true;
      this.#listeners--;
      stop();
    };
  }

  /** Twice is safe. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  #watch(name: WebAppName): Watch {
    const key = keyOf(name);
    const watch = this.#watches.get(key) ?? new Watch(name, this.#source, this.#clock);
    this.#watches.delete(key);
    this.#watches.set(key, watch);
    for (const [old, { isHeard }] of this.#watches) {
      if (this.#watches.size <= MAX_WATCHES) break;
      if (!isHeard && old !== key) this.#watches.delete(old);
    }
    return watch;
  }

  /** Those that somebody looks at are asked anyway. */
  #recallAll(): void {
    for (const name of this.#source.list().slice(0, MAX_WATCHES)) {
      const documents = this.#source.recall?.(name);
      const watch = this.#watch(name);
      if (documents !== undefined && !watch.isHeard) watch.take(documents);
    }
  }
}

function makeList(all: readonly Listed[]): List {
  const keyed = all.map((listed) => ({ listed, tone: TONES[listed.tone], key: keyOf(listed) }));
  const sorted = keyed.toSorted((a, b) => a.tone - b.tone || (a.key < b.key ? -1 : 1));
  return {
    webApps: sorted.slice(0, MAX_LISTED).map(({ listed }) => listed),
    left: Math.max(0, all.length - MAX_LISTED),
  };
}

const keyOf = ({ namespace, name }: WebAppName): string => `${namespace}/${name}`;
