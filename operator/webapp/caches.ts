// What the operator knows of the cluster: a store and its reflector for each kind and each namespace watched. Children are found by their owner's
// uid, so that an object of the same name that belongs to another is not seen at all.
import type { Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { discover } from '../../kube/discovery.ts';
import { controllerOf, type KubeObject, type Resource, splitKey } from '../../kube/object.ts';
import { makeReflector, type Reflector } from '../../kube/reflector.ts';
import { type Kept, makeStore, type Sink, type Store, type StoreChange } from '../../kube/store.ts';
import type { Transport } from '../../kube/transport.ts';
import { CHILD_KINDS, type ChildKind, KINDS, OPTIONAL_KINDS, type OptionalKind, POD, WEBAPP } from './kinds.ts';
import { LABEL, MANAGED_BY } from './names.ts';
import type { Pod } from './observed.ts';
import { keepPod } from './pod.ts';

export interface CachesOptions {
  readonly transport: Transport;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
  readonly registry: Registry;
  /** A WebApp is to be looked at; `key` is its namespace and name. */
  readonly onChange: (key: string, initial: boolean) => void;
}

interface Cache<T extends Kept> {
  readonly store: Store<T>;
  readonly reflector: Reflector;
}

const OWNER = 'owner';
const WEBAPP_LABEL = 'webapp';
const OPTIONAL = Object.keys(OPTIONAL_KINDS) as OptionalKind[];
const ALL = '';

/** The caches of one kind: one for all namespaces, or one for each that is watched. */
type ByNamespace<T extends Kept> = Map<string, Cache<T>>;

export class Caches {
  readonly #options: CachesOptions;
  readonly #scopes: readonly string[];
  readonly #webApps: ByNamespace<KubeObject>;
  readonly #pods: ByNamespace<Pod>;
  readonly #children = new Map<ChildKind, ByNamespace<KubeObject>>();
  #started = false;

  constructor(options: CachesOptions) {
    this.#options = options;
    this.#scopes = options.namespaces.length > 0 ? options.namespaces : [ALL];
    this.#webApps = this.#open<KubeObject>(WEBAPP, {
      selected: false,
      keep: keepWebApp,
      ownerOf: (change) => (isNews(change) ? change.key : undefined),
    });
    this.#pods = this.#open<Pod>(POD, {
      selected: true,
      keep: keepPod,
      indexes: { [WEBAPP_LABEL]: (pod) => [webAppKeyOf(pod)] },
      ownerOf: ({ object }) => webAppKeyOf(object as Pod),
    });
    for (const kind of Object.keys(CHILD_KINDS) as ChildKind[]) this.#openChildren(kind);
  }

  start(): void {
    this.#started = true;
    for (const cache of this.#all()) cache.reflector.start();
  }

  /** Resolves when every first list is there. */
  async synced(): Promise<void> {
    await Promise.all(this.#all().map(({ reflector }) => reflector.synced));
  }

  hasSynced(): boolean {
    return this.#all().every(({ reflector }) => reflector.hasSynced());
  }

  /** null: all in step. */
  health(): string | null {
    for (const { reflector } of this.#all()) {
      const wrong = reflector.health();
      if (wrong !== null) return wrong;
    }
    return null;
  }

  /** Watches the optional kinds that have come, lets go of those that are gone. @returns whether that changed anything */
  async refreshApis(): Promise<boolean> {
    const found = await discover(this.#options.transport, Object.values(OPTIONAL_KINDS));
    let changed = false;
    for (const kind of OPTIONAL) {
      const there = this.#children.has(kind);
      if (found.has(OPTIONAL_KINDS[kind]) === there) continue;
      changed = true;
      if (there) this.#closeChildren(kind);
      else this.#openChildren(kind);
    }
    return changed;
  }

  apis(): ReadonlySet<OptionalKind> {
    return new Set(OPTIONAL.filter((kind) => this.#children.has(kind)));
  }

  webApp(key: string): KubeObject | undefined {
    return this.#of(this.#webApps, key)?.store.get(key);
  }

  /** One by one: each is unpacked when its turn comes. */
  *webApps(): Generator<KubeObject> {
    for (const { store } of this.#webApps.values()) {
      for (const key of store.keys()) {
        const webApp = store.get(key);
        if (webApp !== undefined) yield webApp;
      }
    }
  }

  *webAppKeys(): Generator<string> {
    for (const { store } of this.#webApps.values()) yield* store.keys();
  }

  /** Objects of all kinds that the WebApp of this key and uid controls. */
  children(key: string, uid: string): KubeObject[] {
    return [...this.#children.values()].flatMap((caches) => this.#of(caches, key)?.store.byIndex(OWNER, uid) ?? []);
  }

  pods(key: string): Pod[] {
    return this.#of(this.#pods, key)?.store.byIndex(WEBAPP_LABEL, key) ?? [];
  }

  /** As `Store.whileWriting`, of a child or a pod. */
  whileWriting<R>(kind: string, key: string, write: () => Promise<R>): Promise<R> {
    const caches: ByNamespace<Kept> | undefined =
      kind === POD.kind ? (this.#pods as ByNamespace<Kept>) : this.#children.get(kind as ChildKind);
    return this.#of(caches, key)?.store.whileWriting(key, write) ?? write();
  }

  /** A write of ours, to be read at once. Kinds that are not watched are passed over. */
  wrote(object: KubeObject): void {
    const namespace = object.metadata.namespace ?? '';
    if (object.kind === WEBAPP.kind) this.#at(this.#webApps, namespace)?.store.wrote(keepWebApp(object));
    else if (object.kind === POD.kind) this.#at(this.#pods, namespace)?.store.wrote(keepPod(object));
    else this.#at(this.#children.get(object.kind as ChildKind), namespace)?.store.wrote(object);
  }

  removed(kind: string, key: string, uid: string): void {
    this.#of(this.#children.get(kind as ChildKind), key)?.store.removed(key, uid);
  }

  close(): void {
    for (const { reflector } of this.#all()) reflector.close();
  }

  #openChildren(kind: ChildKind): void {
    const caches = this.#open<KubeObject>(KINDS[kind], {
      selected: true,
      indexes: { [OWNER]: (object) => [controllerOf(object)?.uid ?? ''] },
      ownerOf: ({ object, old }) => ownerKeyOf(object) ?? (old && ownerKeyOf(old)),
    });
    this.#children.set(kind, caches);
    if (this.#started) for (const { reflector } of caches.values()) reflector.start();
  }

  #closeChildren(kind: ChildKind): void {
    for (const { reflector } of this.#children.get(kind)?.values() ?? []) reflector.close();
    this.#children.delete(kind);
  }

  #open<T extends Kept>(
    resource: Resource,
    how: {
      /** Only what carries our label. */
      readonly selected: boolean;
      readonly keep?: (object: unknown) => T;
      readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
      /** Key of the WebApp that a change concerns. */
      readonly ownerOf: (change: StoreChange) => string | undefined;
    },
  ): ByNamespace<T> {
    const { transport, log, clock, registry, onChange } = this.#options;
    return new Map(
      this.#scopes.map((namespace) => {
        const store: Store<T> & Sink = makeStore<T>({
          kind: resource.kind,
          ...(how.keep && { keep: how.keep }),
          ...(how.indexes && { indexes: how.indexes }),
        });
        store.onChange((change) => {
          const key = how.ownerOf(change);
          if (key !== undefined) onChange(key, change.initial);
        });
        const reflector = makeReflector({
          transport,
          resource,
          namespace: namespace === ALL ? undefined : namespace,
          labelSelector: how.selected ? `${LABEL.managedBy}=${MANAGED_BY}` : undefined,
          sink: store,
          log: log.with({ kind: resource.kind, ...(namespace !== ALL && { namespace }) }),
          clock,
          registry,
        });
        return [namespace, { store, reflector }];
      }),
    );
  }

  #of<T extends Kept>(caches: ByNamespace<T> | undefined, key: string): Cache<T> | undefined {
    return this.#at(caches, splitKey(key).namespace ?? '');
  }

  #at<T extends Kept>(caches: ByNamespace<T> | undefined, namespace: string): Cache<T> | undefined {
    return caches?.get(ALL) ?? caches?.get(namespace);
  }

  #all(): Cache<Kept>[] {
    return [this.#webApps, this.#pods, ...this.#children.values()].flatMap((caches) => [
      ...(caches as Map<string, Cache<Kept>>).values(),
    ]);
  }
}

/** kubectl's copy of what was applied is as long as the object itself. */
function keepWebApp(raw: unknown): KubeObject {
  const object = raw as KubeObject;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = object.metadata.annotations ?? {};
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** A write of the status alone, which only we make, is none. */
function isNews({ type, object, old }: StoreChange): boolean {
  if (type !== 'updated' || old === undefined) return true;
  const [now, before] = [object.metadata, old.metadata];
  return (
    now.uid !== before.uid ||
    now.generation !== before.generation ||
    now.deletionTimestamp !== before.deletionTimestamp ||
    JSON.stringify(now.annotations) !== JSON.stringify(before.annotations)
  );
}

function webAppKeyOf(pod: Pod): string {
  return `${pod.metadata.namespace}/${pod.webApp}`;
}

function ownerKeyOf({ metadata }: Kept): string | undefined {
  const owner = controllerOf({ metadata });
  return owner?.kind === WEBAPP.kind ? `${metadata.namespace ?? ''}/${owner.name}` : undefined;
}
