// The cache of one kind, fed by a reflector (the server's word) and by our own writes (so that we read what we wrote before the
// watch tells of it). Objects are kept packed, as text: a parsed Deployment takes three times the memory.
import type { ObjectMeta } from './object.ts';

/** What is kept of an object: at least its metadata. */
export interface Kept {
  readonly metadata: ObjectMeta;
}

export interface StoreChange {
  readonly type: 'added' | 'updated' | 'deleted';
  readonly key: string;
  /** The object now; for `deleted`, as it was last known. */
  readonly object: Kept;
  /** As it was before an update. */
  readonly old?: Kept;
  /** True for what the first list brought: work of low priority. */
  readonly initial: boolean;
}

export interface StoreOptions<T extends Kept> {
  /** Name for logs and errors, such as `Deployment`. */
  readonly kind: string;
  /** What to keep of an object as it arrives (managedFields are gone already). Default: all of it. */
  readonly keep?: (object: unknown) => T;
  /** Index name → the values an object has in it. Read by `byIndex`. */
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
}

export interface Store<T extends Kept> {
  get(key: string): T | undefined;
  /** Objects whose index holds `value`, in no order. */
  byIndex(index: string, value: string): T[];
  keys(): IterableIterator<string>;
  readonly size: number;
  /** Called after the store has changed; an echo of our own write, or a resourceVersion already known, is no change. @returns stop */
  onChange(listener: (change: StoreChange) => void): () => void;
  /** What a write of ours brought back: seen at once by `get`, never overwritten by an older event. Tells no listener. */
  wrote(object: T): void;
  /** A delete of ours: gone at once; an event of the same uid does not bring it back. Tells no listener. */
  removed(key: string, uid: string): void;
}

/** The reflector's side of a store. */
export interface Sink {
  /** The list is complete: what is not in it is deleted, in one step. `initial` is the first one ever. */
  replace(objects: Iterable<unknown>, resourceVersion: string): void;
  /** One event of the watch. */
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void;
}

export declare function makeStore<T extends Kept>(options: StoreOptions<T>): Store<T> & Sink;
