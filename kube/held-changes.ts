// Changes that the watch tells of an object while a write of ours to it is on its way. The watch is often faster than the answer to the write, so only
// the answer says which of them is its echo.
import type { StoreChange } from './store.ts';

interface Held {
  /** Writes on their way. */
  writes: number;
  readonly changes: { readonly change: StoreChange; readonly version: string }[];
  /** resourceVersions that our writes made, and uids that they deleted. */
  readonly ours: Set<string>;
}

/** Of one object. An object that changes more often than this during one write is told of without regard to echoes. */
const MAX_CHANGES = 16;

export class HeldChanges {
  readonly #held = new Map<string, Held>();

  begin(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) this.#held.set(key, { writes: 1, changes: [], ours: new Set() });
    else held.writes++;
  }

  /** @returns what is to be told now: what was not ours, when this was the last write */
  end(key: string): StoreChange[] {
    const held = this.#held.get(key);
    if (held === undefined || --held.writes > 0) return [];
    this.#held.delete(key);
    return held.changes.filter(({ change, version }) => !isOurs(held, change, version)).map(({ change }) => change);
  }

  /** @param version that the server told of, which `change.object` may be later than. @returns false: no write is on its way, or too much is held */
  hold(change: StoreChange, version: string): boolean {
    const held = this.#held.get(change.key);
    if (held === undefined || held.changes.length >= MAX_CHANGES) return false;
    held.changes.push({ change, version });
    return true;
  }

  /** @param mark the resourceVersion that a write made, or the uid that it deleted */
  claim(key: string, mark: string): void {
    this.#held.get(key)?.ours.add(mark);
  }
}

function isOurs({ ours }: Held, { type, object }: StoreChange, version: string): boolean {
  return ours.has(type === 'deleted' ? (object.metadata.uid ?? '') : version);
}
