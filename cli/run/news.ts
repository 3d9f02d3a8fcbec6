/** Lets passes wait for a condition over state that others change: whoever changes it calls `tell`. */
export class News {
  readonly #now: () => number;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  tell(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  /**
   * Looks at each news until `holds`, or until `forMs` have passed, or `close`.
   * @returns whether it held
   */
  async until(holds: () => boolean, forMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const end = this.#now() + forMs;
    while (!holds()) {
      if (this.#closed || this.#now() >= end) return false;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    this.tell();
  }
}
