/** Requests to stop, from the keyboard or from whoever started us: the first asks for an orderly end, the second for any. */
export class StopRequests {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  /** Aborts with the first. */
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #resolve: (() => void)[];

  constructor() {
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    this.first = first.promise;
    this.second = second.promise;
    this.signal = this.#abort.signal;
    this.#resolve = [first.resolve, second.resolve];
  }

  get requested(): boolean {
    return this.signal.aborted;
  }

  take(): void {
    this.#abort.abort();
    this.#resolve.shift()?.();
  }
}
