// The etcd of the fake API server: objects by collection and key, one resource version for all, a history that watches resume from.
import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, keyOf, type ObjectMeta } from '../object.ts';

export interface Change {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  /** Before a modification. */
  readonly old: KubeObject | undefined;
}

/** Metadata that only servers and managers write, beyond what the contract names. */
export type StoredMeta = ObjectMeta & { readonly finalizers?: readonly string[]; readonly managedFields?: unknown };

/** Changes kept at most; what is older counts as compacted. */
const MAX_HISTORY = 100_000;

export class FakeStorage {
  /** Of the last change. Begins above 0, which means "any" in the API. */
  version = 100;
  /** Told of each change, in order. */
  onChange: (change: Change) => void = () => {};
  readonly #collections = new Map<string, Map<string, KubeObject>>();
  #history: Change[] = [];
  #compacted = 0;
  #created = 0;

  get(collection: string, key: string): KubeObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  collections(): string[] {
    return [...this.#collections.keys()];
  }

  /** In the order of etcd's keys. */
  all(collection: string): KubeObject[] {
    const objects = this.#collections.get(collection);
    if (objects === undefined) return [];
    return [...objects.keys()].sort().flatMap((key) => objects.get(key) ?? []);
  }

  /** Creates or replaces; what would change nothing keeps its version and tells nobody. @returns the object as stored */
  write(collection: string, wanted: KubeObject): KubeObject {
    const key = keyOf(wanted);
    const old = this.get(collection, key);
    const stamped = old === undefined ? this.#born(wanted) : this.#changed(old, wanted);
    if (old !== undefined && isSame(old, stamped)) return old;
    const object = withVersion(stamped, ++this.version);
    this.#objectsOf(collection).set(key, object);
    this.#tell({ version: this.version, collection, type: old === undefined ? 'ADDED' : 'MODIFIED', object, old });
    return object;
  }

  delete(collection: string, key: string): KubeObject | undefined {
    const old = this.get(collection, key);
    if (old === undefined) return undefined;
    this.#collections.get(collection)?.delete(key);
    const object = withVersion(old, ++this.version);
    this.#tell({ version: this.version, collection, type: 'DELETED', object, old });
    return object;
  }

  /** @returns changes after `version`, or undefined when they are compacted away */
  since(version: number): readonly Change[] | undefined {
    if (version < this.#compacted) return undefined;
    const first = this.#history.findIndex((change) => change.version > version);
    return first < 0 ? [] : this.#history.slice(first);
  }

  isCompacted(version: number): boolean {
    return version < this.#compacted;
  }

  /** Versions before the present one are gone. Uses up one version, so that also a watcher that is up to date is behind. */
  compact(): void {
    this.version++;
    this.#compacted = this.version;
    this.#history = [];
  }

  #objectsOf(collection: string): Map<string, KubeObject> {
    const there = this.#collections.get(collection);
    if (there !== undefined) return there;
    const fresh = new Map<string, KubeObject>();
    this.#collections.set(collection, fresh);
    return fresh;
  }

  #born(wanted: KubeObject): KubeObject {
    const uid = `00000000-0000-4000-8000-${String(++this.#created).padStart(12, '0')}`;
    const generation = 'spec' in wanted ? { generation: 1 } : {};
    const creationTimestamp = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    return { ...wanted, metadata: { ...wanted.metadata, uid, creationTimestamp, ...generation } };
  }

  /** The server's own fields stay; the generation counts changes outside metadata and status. */
  #changed(old: KubeObject, wanted: KubeObject): KubeObject {
    const { uid, creationTimestamp, generation } = old.metadata;
    const next = isSame(intentOf(old), intentOf(wanted)) ? generation : (generation ?? 0) + 1;
    const own = { uid, creationTimestamp, ...(generation === undefined ? {} : { generation: next }) };
    return { ...wanted, metadata: { ...wanted.metadata, ...own } as StoredMeta };
  }

  #tell(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > MAX_HISTORY) {
      const dropped = this.#history.splice(0, MAX_HISTORY / 2);
      this.#compacted = dropped.at(-1)?.version ?? this.#compacted;
    }
    this.onChange(change);
  }
}

function withVersion(object: KubeObject, version: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function intentOf({ metadata, status, ...intent }: KubeObject): unknown {
  return intent;
}

/** Resource version and the book-keeping of managers do not count, and JSON knows no undefined. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(comparable(a), comparable(b));
}

function comparable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (field, inner) =>
      field === 'resourceVersion' || field === 'managedFields' ? undefined : (inner as unknown),
    ),
  );
}
