// Which keys have a value. Most values are of one object (children of an owner, of one kind), so a lone key stands without a Set:
// that would be 200 bytes for each of 80,000 objects.

export class StoreIndex {
  readonly #keys = new Map<string, string | Set<string>>();

  add(key: string, values: readonly string[]): void {
    for (const value of values) {
      const there = this.#keys.get(value);
      if (there === undefined) this.#keys.set(value, key);
      else if (typeof there !== 'string') there.add(key);
      else if (there !== key) this.#keys.set(value, new Set([there, key]));
    }
  }

  remove(key: string, values: readonly string[]): void {
    for (const value of values) {
      const there = this.#keys.get(value);
      if (there === key) this.#keys.delete(value);
      else if (typeof there === 'object' && there.delete(key) && there.size === 0) this.#keys.delete(value);
    }
  }

  keysOf(value: string): Iterable<string> {
    const there = this.#keys.get(value);
    if (there === undefined) return [];
    return typeof there === 'string' ? [there] : there;
  }
}
