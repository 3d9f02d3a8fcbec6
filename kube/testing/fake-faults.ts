// What goes wrong at the fake API server, and for which requests: faults are asked in the order they were set, the first that matches and has
// something left takes the request.

export type FaultEffect =
  /** Answered with this status and not carried out. `retryAfter` in seconds. */
  | { readonly status: number; readonly reason?: string; readonly message?: string; readonly retryAfter?: number }
  /** The connection is reset, before the request is carried out or after. */
  | { readonly reset: 'before' | 'after' }
  /** Never answered; the socket stays. */
  | { readonly silence: true }
  /** Carried out after so long. */
  | { readonly delayMs: number }
  /** Answered 200 with this text instead. `cut`: promises more than is sent, and ends the connection. */
  | { readonly answer: string; readonly cut?: boolean }
  /** A watch: after so many events (default 0) or so long, this happens. `end`: in order; `cut`: reset; `silence`: half open; `gone`: ERROR 410. */
  | { readonly watch: WatchEnd; readonly afterEvents?: number; readonly afterMs?: number };

export type WatchEnd = 'end' | 'cut' | 'silence' | 'garbage' | 'gone';

export interface FaultMatch {
  readonly method?: string;
  /** Tested against path and query as they were sent. */
  readonly path?: RegExp;
  /** Only watches, or only what is none. An effect on watches matches watches alone anyway. */
  readonly watch?: boolean;
  /** Only requests that are first on their connection, or only those that are not. */
  readonly socket?: 'fresh' | 'reused';
  /** Default 1. */
  readonly times?: number;
}

export interface Fault {
  /** Requests taken so far. */
  readonly hits: number;
  remove(): void;
}

export interface FaultSubject {
  readonly method: string;
  readonly url: string;
  readonly watch: boolean;
  readonly reused: boolean;
}

export class Faults {
  readonly #set = new Set<{ match: FaultMatch; effect: FaultEffect; hits: number }>();

  add(match: FaultMatch, effect: FaultEffect): Fault {
    const entry = { match, effect, hits: 0 };
    this.#set.add(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => void this.#set.delete(entry),
    };
  }

  take(subject: FaultSubject): FaultEffect | undefined {
    for (const entry of this.#set) {
      if (!isMatch(entry.match, entry.effect, subject)) continue;
      entry.hits++;
      if (entry.hits >= (entry.match.times ?? 1)) this.#set.delete(entry);
      return entry.effect;
    }
    return undefined;
  }

  clear(): void {
    this.#set.clear();
  }
}

function isMatch(match: FaultMatch, effect: FaultEffect, subject: FaultSubject): boolean {
  return (
    (match.method === undefined || match.method === subject.method) &&
    (match.path === undefined || match.path.test(subject.url)) &&
    (match.watch === undefined || match.watch === subject.watch) &&
    (match.socket === undefined || (match.socket === 'reused') === subject.reused) &&
    (!('watch' in effect) || subject.watch)
  );
}
