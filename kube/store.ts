// The cache of one kind, fed by a reflector (the server's word) and by our own writes (so that we read what we wrote before the
// watch tells of it). Objects are kept packed: a parsed Deployment takes twelve times the memory.
import { HeldChanges } from './held-changes.ts';
import { keyOf, type ObjectMeta } from './object.ts';
import { OwnWrites } from './own-writes.ts';
import { Packer } from './packed.ts';
import { StoreIndex } from './store-index.ts';
import { isLater } from './versions.ts';

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
  /** @returns a copy of its own for every call */
  get(key: string): T | undefined;
  /** Objects whose index holds `value`, in no order. Throws on the name of an index that is not there. */
  byIndex(index: string, value: string): T[];
  keys(): IterableIterator<string>;
  readonly size: number;
  /**
   * Called after the store has changed; an echo of our own write, or a resourceVersion already known, is no change. An object that was deleted and
   * made again unseen is one `updated`, of another uid. @returns stop
   */
  onChange(listener: (change: StoreChange) => void): () => void;
  /**
   * What a write of ours brought back: seen at once by `get`, never overwritten by an older event. Tells no listener; of what another changed
   * shortly before, the listeners are told when its event comes, with `object` as it is now.
   */
  wrote(object: T): void;
  /** A delete of ours: gone at once; an event of the same uid does not bring it back. Tells no listener. */
  removed(key: string, uid: string): void;
  /**
   * Sends a write of ours to an object and, inside `write`, tells `wrote` or `removed`. The watch is often faster than the answer (18 of 20 times,
   * measured): what it tells of this object meanwhile is read at once, but listeners hear of it only afterwards, and never of the write's own echo.
   * @returns what `write` returns, and throws what it throws
   */
  whileWriting<R>(key: string, write: () => Promise<R>): Promise<R>;
}

/**
 * The reflector's side of a store. A list comes in pages, so that it never stands in memory whole. What a method throws (the first error of a
 * listener, or of `keep` for one object) it throws when all else is done: the sink is in step but for that object.
 */
export interface Sink {
  /** A list begins; one that was not committed is forgotten. Nothing is deleted yet. @param resourceVersion the list's */
  begin(resourceVersion: string): void;
  page(objects: Iterable<unknown>): void;
  /** The list is complete: what was not in it is deleted. `initial` ends with the first. */
  commit(): void;
  /** One event of the watch. */
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void;
}

/** Feeds one reflector into one store: the deletes of a list are all that it lacks. */
export function makeStore<T extends Kept>(options: StoreOptions<T>): Store<T> & Sink {
  return new PackedStore(options);
}

interface Entry {
  readonly version: string;
  readonly text: string;
  /** Number of the last list that had it. */
  list: number;
}

interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[];
  readonly entries: StoreIndex;
}

class PackedStore<T extends Kept> implements Store<T>, Sink {
  readonly #kind: string;
  readonly #keep: (object: unknown) => T;
  readonly #packer = new Packer();
  readonly #entries = new Map<string, Entry>();
  readonly #indexes: ReadonlyMap<string, Index<T>>;
  readonly #own = new OwnWrites();
  readonly #held = new HeldChanges();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  /** Counts lists, 0 before the first. */
  #list = 0;
  #listVersion = '';
  /** All up to here has been told. */
  #told = '';
  #initial = true;
  /** The list is older than what was told before: etcd was restored from a backup, and what we knew was undone. */
  #rewound = false;
  #errors: unknown[] = [];

  constructor({ kind, keep = (object) => object as T, indexes = {} }: StoreOptions<T>) {
    this.#kind = kind;
    this.#keep = keep;
    this.#indexes = new Map(
      Object.entries(indexes).map(([name, valuesOf]) => [name, { valuesOf, entries: new StoreIndex() }]),
    );
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry && this.#read(entry);
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`the store of ${this.#kind} has no index "${name}"`);
    const found: T[] = [];
    for (const key of index.entries.keysOf(value)) {
      const object = this.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  get size(): number {
    return this.#entries.size;
  }

  onChange(listener: (change: StoreChange) => void): () => void {
    // Wrapped: the same function given twice is two listeners.
    const own = (change: StoreChange): void => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  // ---- Our writes ----------------------------------------------------------------------------------------------------------------

  wrote(object: T): void {
    const key = keyOf(object);
    const version = versionOf(object);
    const entry = this.#entries.get(key);
    this.#held.claim(key, version);
    // We deleted it, and yet it is there: a finalizer holds it. Its DELETED is news then.
    const held = this.#own.confirmDelete(object.metadata.uid);
    // Otherwise the watch was faster: it has told of this write already, and perhaps that the object is gone since.
    if (!held && !isLater(version, this.#told)) return;
    if (entry !== undefined && !isLater(version, entry.version)) return;
    this.#own.wrote(key, version, entry);
    this.#put(key, withoutManagedFields(object), entry);
  }

  async whileWriting<R>(key: string, write: () => Promise<R>): Promise<R> {
    this.#held.begin(key);
    try {
      return await write();
    } finally {
      for (const change of this.#held.end(key)) this.#call(change);
    }
  }

  removed(key: string, uid: string): void {
    this.#held.claim(key, uid);
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#read(entry).metadata.uid !== uid) return;
    this.#own.deleted(uid, this.#list);
    this.#own.confirm(key);
    this.#drop(key, entry);
  }

  // ---- The server's word ---------------------------------------------------------------------------------------------------------

  begin(resourceVersion: string): void {
    this.#list++;
    this.#listVersion = resourceVersion;
    this.#rewound = this.#told !== '' && isLater(this.#told, resourceVersion);
    if (this.#rewound) this.#own.clear();
  }

  page(objects: Iterable<unknown>): void {
    for (const object of objects) this.#guard(() => this.#listed(object));
    this.#throwErrors();
  }

  commit(): void {
    for (const [key, entry] of this.#entries) {
      // What is later than the list and not in it, we made meanwhile.
      const missing = entry.list !== this.#list && (this.#rewound || !isLater(entry.version, this.#listVersion));
      if (missing) this.#guard(() => this.#gone(key, entry));
    }
    this.#own.confirmDeletesBefore(this.#list);
    this.#told = this.#listVersion;
    this.#initial = false;
    this.#rewound = false;
    this.#throwErrors();
  }

  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void {
    this.#guard(() => {
      const version = versionOf(object as Kept);
      if (isLater(version, this.#told)) this.#told = version;
      if (type === 'DELETED') this.#deleted(object as Kept);
      else if (!this.#own.hasDeleted((object as Kept).metadata.uid)) this.#seen(this.#keep(object), 'event');
    });
    this.#throwErrors();
  }

  #listed(object: unknown): void {
    const { uid } = (object as Kept).metadata;
    if (uid !== undefined && this.#own.hasDeleted(uid)) {
      this.#own.stillListed(uid, this.#list);
      return;
    }
    const entry = this.#entries.get(keyOf(object as Kept));
    // First of all: what `keep` refuses was in the list none the less.
    if (entry !== undefined) entry.list = this.#list;
    this.#seen(this.#keep(object), 'list');
  }

  #seen(object: T, from: 'list' | 'event'): void {
    const key = keyOf(object);
    const entry = this.#entries.get(key);
    if (entry !== undefined && !this.#rewound && !isLater(versionOf(object), entry.version)) {
      this.#overtaken(key, object, entry, from);
      return;
    }
    this.#own.confirm(key);
    const old = entry && this.#put(key, object, entry);
    if (entry === undefined) this.#put(key, object, undefined);
    const type = entry === undefined ? 'added' : 'updated';
    this.#tell({ type, key, object, ...(old && { old }) }, versionOf(object));
  }

  /**
   * A state that is not later than what we have: known, or an echo of ours, or what another made of the object before we wrote. The last is news to
   * the listeners, though our write has overtaken it. A list leaves out the states between, so what we wrote before it counts as news.
   */
  #overtaken(key: string, object: T, entry: Entry, from: 'list' | 'event'): void {
    const pending = this.#own.pending(key);
    if (pending === undefined) return;
    const version = versionOf(object);
    const { told } = pending;
    const confirmed = version === entry.version;
    if (confirmed) this.#own.confirm(key);
    if (confirmed ? from === 'event' : isEcho(version, pending)) return;
    if (!confirmed) pending.told = { version, text: this.#packer.pack(object) };
    const change = { type: 'updated', key, object: this.#read(entry), ...(told && { old: this.#read(told) }) } as const;
    this.#tell(change, confirmed ? '' : version);
  }

  #deleted(object: Kept): void {
    const key = keyOf(object);
    const ours = this.#own.confirmDelete(object.metadata.uid);
    const entry = this.#entries.get(key);
    // Later than the delete: we made another of that name since.
    if (ours || entry === undefined || isLater(entry.version, versionOf(object))) return;
    this.#gone(key, entry);
  }

  #gone(key: string, entry: Entry): void {
    this.#own.confirm(key);
    this.#tell({ type: 'deleted', key, object: this.#drop(key, entry) }, entry.version);
  }

  // ---- What is kept --------------------------------------------------------------------------------------------------------------

  /** @returns what was there, when anybody may want to know */
  #put(key: string, object: T, entry: Entry | undefined): T | undefined {
    const wanted = this.#indexes.size > 0 || this.#listeners.size > 0;
    const old = entry && wanted ? this.#read(entry) : undefined;
    // All that may throw comes before the first change.
    const values = [...this.#indexes.values()].map(({ entries, valuesOf }) => ({
      ...{ entries, now: valuesOf(object), before: old === undefined ? [] : valuesOf(old) },
    }));
    this.#entries.set(key, { version: versionOf(object), text: this.#packer.pack(object), list: this.#list });
    for (const { entries, now, before } of values) {
      entries.remove(key, before);
      entries.add(key, now);
    }
    return old;
  }

  /** @returns what was there */
  #drop(key: string, entry: Entry): T {
    const old = this.#read(entry);
    for (const { entries, valuesOf } of this.#indexes.values()) entries.remove(key, valuesOf(old));
    this.#entries.delete(key);
    return old;
  }

  #read({ text }: { text: string }): T {
    return this.#packer.unpack(text) as T;
  }

  /** @param version that the server told of; '' is never an echo */
  #tell(change: Omit<StoreChange, 'initial'>, version: string): void {
    const told = { ...change, initial: this.#initial };
    if (!this.#held.hold(told, version)) this.#call(told);
  }

  /** What a listener throws is thrown by the method of the sink that is called next, at the latest. */
  #call(change: StoreChange): void {
    for (const listener of this.#listeners) this.#guard(() => listener(change));
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#errors.push(error);
    }
  }

  #throwErrors(): void {
    const [first] = this.#errors;
    if (this.#errors.length === 0) return;
    this.#errors = [];
    throw first;
  }
}

/** @returns `object` without `metadata.managedFields`, which more than double it. Not a copy unless it has them. */
export function withoutManagedFields<T extends Kept>(object: T): T {
  if (!('managedFields' in object.metadata)) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}

const versionOf = ({ metadata }: Kept): string => metadata.resourceVersion ?? '';

/** Of a write of ours, or of what listeners knew before it. */
function isEcho(
  version: string,
  { versions, told }: { versions: readonly string[]; told: { version: string } | undefined },
): boolean {
  return versions.includes(version) || (told !== undefined && !isLater(version, told.version));
}
