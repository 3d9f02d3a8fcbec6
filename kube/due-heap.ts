// Keys that are to come later, earliest first: a binary heap that knows where each key stands, so that moving and taking out leave
// nothing behind. (Entries that are merely marked as gone would pile up: a resync of 10 h is cancelled by every live change.)

/** One key and when it is due; `value` is the caller's. */
export interface Due<V> {
  readonly key: string;
  readonly dueAt: number;
  readonly value: V;
}

interface Entry<V> extends Due<V> {
  /** Index in the heap. */
  at: number;
}

export class DueHeap<V> {
  readonly #heap: Entry<V>[] = [];
  readonly #byKey = new Map<string, Entry<V>>();

  get size(): number {
    return this.#heap.length;
  }

  get(key: string): Due<V> | undefined {
    return this.#byKey.get(key);
  }

  /** The one that is due first. */
  first(): Due<V> | undefined {
    return this.#heap[0];
  }

  /** Puts `key` in, in the place of what is there of it. @param dueAt any number but NaN */
  put(key: string, dueAt: number, value: V): void {
    this.remove(key);
    const entry = { key, dueAt, value, at: this.#heap.length };
    this.#byKey.set(key, entry);
    this.#heap.push(entry);
    this.#rise(entry);
  }

  /** @returns what was there */
  remove(key: string): Due<V> | undefined {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return undefined;
    this.#byKey.delete(key);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return entry;
    this.#place(last, entry.at);
    this.#rise(last);
    this.#sink(last);
    return entry;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
  }

  #rise(entry: Entry<V>): void {
    while (entry.at > 0) {
      const above = (entry.at - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || parent.dueAt <= entry.dueAt) return;
      this.#place(parent, entry.at);
      this.#place(entry, above);
    }
  }

  #sink(entry: Entry<V>): void {
    for (;;) {
      const child = this.#earlierChild(entry.at);
      if (child === undefined || child.dueAt >= entry.dueAt) return;
      const below = child.at;
      this.#place(child, entry.at);
      this.#place(entry, below);
    }
  }

  #earlierChild(at: number): Entry<V> | undefined {
    const left = this.#heap[2 * at + 1];
    const right = this.#heap[2 * at + 2];
    return right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
  }

  #place(entry: Entry<V>, at: number): void {
    this.#heap[at] = entry;
    entry.at = at;
  }
}
