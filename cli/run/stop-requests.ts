/** A second request so soon is the first, delivered twice: `npm start` passes on the Ctrl-C that the terminal sent us too. */
const SAME_MS = 300;

/** Requests to stop, from the keyboard or from whoever started us: the first asks for an orderly end, the second for any. */
export class StopRequests {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  /** Aborts with the first. */
  readonly signal: AbortSignal;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #resolve: { first: () => void; second: () => void };
  #firstAt = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    this.#now = now;
    this.first = first.promise;
    this.second = second.promise;
    this.signal = this.#abort.signal;
    this.#resolve = { first: first.resolve, second: second.resolve };
  }

  get requested(): boolean {
    return this.signal.aborted;
  }

  take(): void {
    if (!this.requested) this.takeFirst();
    else if (this.#now() - this.#firstAt >= SAME_MS) this.#resolve.second();
  }

  /** For what comes along with another: a terminal that closes sends a signal and fails our writes. Never counts as a second. */
  takeFirst(): void {
    if (this.requested) return;
    this.#firstAt = this.#now();
    this.#abort.abort();
    this.#resolve.first();
  }
}
