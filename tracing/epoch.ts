// The wall clock in fractions of a millisecond, so that spans of two programs on one machine nest as they happened: `Date.now()` alone is
// up to a millisecond early, each time another part of one.

/** Tries until a reading that was interrupted is told from a clock that was set back. */
const TRIES = 3;

export class Epoch {
  readonly #monotonic: () => number;
  readonly #wall: () => number;
  /** Milliseconds between the two clocks. */
  #offset: number;

  /** @param offset what is known of it at the start */
  constructor(monotonic = () => performance.now(), wall = () => Date.now(), offset = performance.timeOrigin) {
    this.#monotonic = monotonic;
    this.#wall = wall;
    this.#offset = offset;
  }

  /**
   * What is added to `performance.now()` for milliseconds since the epoch. Readings are whole and never late, so the latest of them is the
   * best; one that is earlier by more than a reading can be means that the clock was set back.
   */
  offset(): number {
    let latest = this.#read();
    for (let tries = 1; tries < TRIES && latest < this.#offset - 1; tries++) latest = Math.max(latest, this.#read());
    if (latest > this.#offset || latest < this.#offset - 1) this.#offset = latest;
    return this.#offset;
  }

  /** The wall first: time between the two makes a reading too early, which does no harm. */
  #read(): number {
    const wall = this.#wall();
    return wall - this.#monotonic();
  }
}
