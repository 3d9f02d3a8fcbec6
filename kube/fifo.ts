// A set of keys in the order of their arrival, each with when it came. Any key can be taken out.

/**
 * A Map keeps the order, and one iterator stays at its front: asking a Map for its first entry anew each time walks over all the
 * places that were deleted before, which makes emptying 100,000 keys quadratic.
 */
export class Fifo {
  readonly #since = new Map<string, number>();
  #front: IterableIterator<[string, number]> = this.#since.entries();

  get size(): number {
    return this.#since.size;
  }

  has(key: string): boolean {
    return this.#since.has(key);
  }

  /** @param key one that is not here */
  push(key: string, since: number): void {
    this.#since.set(key, since);
  }

  /** @returns since when it was here */
  remove(key: string): number | undefined {
    const since = this.#since.get(key);
    this.#since.delete(key);
    return since;
  }

  shift(): { key: string; since: number } | undefined {
    if (this.#since.size === 0) return undefined;
    let next = this.#front.next();
    if (next.done === true) {
      // An iterator that has ended stays ended, though entries came since.
      this.#front = this.#since.entries();
      next = this.#front.next();
    }
    if (next.done === true) return undefined;
    const [key, since] = next.value;
    this.#since.delete(key);
    return { key, since };
  }

  clear(): void {
    this.#since.clear();
    this.#front = this.#since.entries();
  }
}
