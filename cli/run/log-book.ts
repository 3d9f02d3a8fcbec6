// The last lines that one WebApp's programs and its application wrote, for `webapp logs`: what has scrolled by in the terminal of `webapp up`, or was never shown
// there. Bounded in lines and in characters; the oldest go first.

/** `app`: the worker and the application processes below it. */
export type LogOrigin = 'app' | 'proxy';

export interface LogEntry {
  /** When it was read. Milliseconds since the epoch. */
  readonly at: number;
  readonly from: LogOrigin;
  /** As it was written, without its newline; what is longer than MAX_LINE is cut. */
  readonly text: string;
}

export const MAX_LINES = 5_000;
const MAX_CHARACTERS = 2 * 1024 * 1024;
export const MAX_LINE = 16 * 1024;

export class LogBook {
  readonly #wall: () => number;
  readonly #listeners = new Set<(entry: LogEntry) => void>();
  #entries: LogEntry[] = [];
  #characters = 0;

  /** @param wall milliseconds since the epoch */
  constructor(wall: () => number) {
    this.#wall = wall;
  }

  take(from: LogOrigin, line: string): void {
    const text = line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE)}… (${line.length} long)`;
    const entry = { at: this.#wall(), from, text };
    this.#entries.push(entry);
    this.#characters += text.length;
    if (this.#entries.length > 2 * MAX_LINES || this.#characters > 2 * MAX_CHARACTERS) this.#shorten();
    for (const listener of this.#listeners) listener(entry);
  }

  /** To half of the most, so that not every line moves all others. */
  #shorten(): void {
    let first = this.#entries.length;
    let kept = 0;
    for (; first > 0 && this.#entries.length - first < MAX_LINES; first--) {
      kept += this.#entries[first - 1]?.text.length ?? 0;
      if (kept > MAX_CHARACTERS) break;
    }
    this.#entries = this.#entries.slice(first);
    this.#characters = this.#entries.reduce((sum, { text }) => sum + text.length, 0);
  }

  /** @returns the latest that are wanted, the oldest of them first */
  last(wanted: LogWanted): LogEntry[] {
    const entries = this.#entries.filter((entry) => isWanted(entry, wanted));
    return wanted.tail === 0 ? [] : entries.slice(-Math.min(wanted.tail, MAX_LINES));
  }

  /** @returns stop */
  follow(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

export interface LogWanted {
  readonly tail: number;
  /** Not older. Milliseconds since the epoch. */
  readonly sinceAt?: number;
  readonly from?: LogOrigin;
}

export function isWanted(entry: LogEntry, { sinceAt, from }: Omit<LogWanted, 'tail'>): boolean {
  return (sinceAt === undefined || entry.at >= sinceAt) && (from === undefined || entry.from === from);
}
