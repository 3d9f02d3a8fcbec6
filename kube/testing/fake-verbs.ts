// The verbs of the fake API server on its storage: what the real one answers to get, list, create, update, patch, apply and delete, as far as
// controllers rely on it. Knows no HTTP beyond status codes; refusals are thrown.
import { type KubeObject, keyOf } from '../object.ts';
import { applyIntent, isMap, type Json, mergePatch } from './fake-merge.ts';
import type { Target } from './fake-paths.ts';
import { makeMatches } from './fake-selectors.ts';
import { Refusal } from './fake-status.ts';
import type { FakeStorage, StoredMeta } from './fake-storage.ts';

export interface Call {
  readonly method: string;
  readonly target: Target;
  readonly query: URLSearchParams;
  /** The parsed body; undefined: none. */
  readonly body: unknown;
  readonly contentType: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Page {
  readonly version: number;
  readonly rest: readonly KubeObject[];
}

/** Open `continue` tokens at most; the oldest are forgotten, which is answered like a compaction. */
const MAX_TOKENS = 1_000;

export class FakeVerbs {
  readonly #storage: FakeStorage;
  readonly #pages = new Map<string, Page>();
  /** collection, key, manager and subresource → what that manager applied last. */
  readonly #applied = new Map<string, unknown>();
  #names = 0;
  #tokens = 0;

  constructor(storage: FakeStorage) {
    this.#storage = storage;
  }

  answer(call: Call): Answer {
    const { name } = call.target;
    if (call.method === 'GET') return name === undefined ? this.#list(call) : { status: 200, body: this.#live(call) };
    if (call.method === 'POST' && name === undefined) return this.#create(call);
    if (name === undefined) throw new Refusal(405, `${call.method} on a collection is not known to the fake`);
    if (call.method === 'PUT') return this.#replace(call);
    if (call.method === 'PATCH') return this.#patch(call);
    if (call.method === 'DELETE') return this.#remove(call);
    throw new Refusal(405, `${call.method} is not known to the fake`);
  }

  /** Lists that go on after a compaction are answered 410. */
  forgetPages(): void {
    this.#pages.clear();
  }

  #live({ target }: Call): KubeObject {
    const { collection, namespace, name = '', plural, group } = target;
    const object = this.#storage.get(collection, namespace === undefined ? name : `${namespace}/${name}`);
    const kind = group === '' ? plural : `${plural}.${group}`;
    if (object === undefined) throw new Refusal(404, `${kind} "${name}" not found`);
    return object;
  }

  #list({ target, query }: Call): Answer {
    const { version, rest } = this.#pageOf(target, query);
    const limit = Number(query.get('limit') ?? 0) || rest.length;
    const metadata: Record<string, unknown> = { resourceVersion: String(version) };
    if (limit < rest.length) {
      metadata['continue'] = this.#keep({ version, rest: rest.slice(limit) });
      metadata['remainingItemCount'] = rest.length - limit;
    }
    const items = rest.slice(0, limit).map((object) => asItem(target, object));
    const apiVersion = target.group === '' ? target.version : `${target.group}/${target.version}`;
    return { status: 200, body: { kind: 'List', apiVersion, metadata, items } };
  }

  #pageOf(target: Target, query: URLSearchParams): Page {
    const token = query.get('continue');
    if (token !== null) {
      const page = this.#pages.get(token);
      if (page === undefined) throw new Refusal(410, 'The provided continue parameter is too old');
      return page;
    }
    const asked = Number(query.get('resourceVersion') ?? 0);
    if (asked > this.#storage.version) throw new Refusal(504, `Too large resource version: ${asked}`);
    if (query.get('resourceVersionMatch') === 'Exact' && this.#storage.isCompacted(asked))
      throw new Refusal(410, `The resourceVersion for the provided list is too old.`);
    const matches = makeMatches(target, query);
    return { version: this.#storage.version, rest: this.#storage.all(target.collection).filter(matches) };
  }

  #keep(page: Page): string {
    const token = `page-${++this.#tokens}`;
    this.#pages.set(token, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > MAX_TOKENS && oldest !== undefined) this.#pages.delete(oldest);
    return token;
  }

  #create(call: Call): Answer {
    const given = this.#named(bodyOf(call));
    const object = this.#placed(call.target, given);
    if (this.#storage.get(call.target.collection, keyOf(object)) !== undefined)
      throw new Refusal(409, `${call.target.plural} "${object.metadata.name}" already exists`, 'AlreadyExists');
    const { status, ...intent } = object;
    return { status: 201, body: this.#store(call, intent as KubeObject) };
  }

  #replace(call: Call): Answer {
    const live = this.#live(call);
    const wanted = this.#placed(call.target, bodyOf(call));
    expectSame(wanted.metadata, live);
    return { status: 200, body: this.#store(call, withinPart(call.target.subresource, live, wanted)) };
  }

  #patch(call: Call): Answer {
    if (call.contentType.startsWith('application/apply-patch')) return this.#apply(call);
    if (!/^application\/(strategic-)?merge-patch\+json/.test(call.contentType))
      throw new Refusal(415, `the fake knows no patch of type ${call.contentType}`);
    const live = this.#live(call);
    const wanted = mergePatch(live, call.body) as KubeObject;
    expectSame(wanted.metadata, live);
    return { status: 200, body: this.#store(call, withinPart(call.target.subresource, live, wanted)) };
  }

  #apply(call: Call): Answer {
    const manager = call.query.get('fieldManager');
    if (manager === null) throw new Refusal(400, 'PatchOptions: fieldManager is required for apply patch');
    const intent = this.#placed(call.target, bodyOf(call));
    const { collection, subresource } = call.target;
    const live = this.#storage.get(collection, keyOf(intent));
    if (live !== undefined) expectSame(intent.metadata, live);
    else if (subresource !== undefined) this.#live(call);
    const applied = `${collection} ${keyOf(intent)} ${subresource ?? ''} ${manager}`;
    const before = live === undefined ? undefined : this.#applied.get(applied);
    const merged = applyIntent(live ?? {}, before, intent) as KubeObject;
    this.#applied.set(applied, intent);
    const wanted = withinPart(subresource, live ?? intent, merged);
    return { status: live === undefined ? 201 : 200, body: this.#store(call, wanted) };
  }

  #remove(call: Call): Answer {
    const live = this.#live(call);
    if (isMap(call.body) && isMap(call.body['preconditions'])) expectSame(call.body['preconditions'], live);
    const key = keyOf(live);
    const { finalizers = [] } = live.metadata as StoredMeta;
    if (finalizers.length > 0 && live.metadata.deletionTimestamp === undefined) {
      const deletionTimestamp = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
      const marked = { ...live, metadata: { ...live.metadata, deletionTimestamp } };
      return { status: 200, body: this.#storage.write(call.target.collection, marked) };
    }
    if (finalizers.length === 0) this.#storage.delete(call.target.collection, key);
    return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
  }

  /** Writes with the manager noted; an object that waits for its last finalizer goes when that is gone. */
  #store({ target, query, contentType }: Call, wanted: KubeObject): KubeObject {
    const operation = contentType.startsWith('application/apply-patch') ? 'Apply' : 'Update';
    const manager = query.get('fieldManager') ?? 'unknown';
    const managedFields = [{ manager, operation, apiVersion: wanted.apiVersion, fieldsType: 'FieldsV1', fieldsV1: {} }];
    const metadata: StoredMeta = { ...wanted.metadata, managedFields };
    const stored = this.#storage.write(target.collection, { ...wanted, metadata });
    const isDone = metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
    return isDone ? (this.#storage.delete(target.collection, keyOf(stored)) ?? stored) : stored;
  }

  #named(object: KubeObject): KubeObject {
    const { generateName, ...metadata } = object.metadata as StoredMeta & { generateName?: string };
    if (metadata.name !== undefined || generateName === undefined) return object;
    const name = `${generateName}${String(++this.#names).padStart(5, '0')}`;
    return { ...object, metadata: { ...metadata, name } };
  }

  /** Name and namespace of the path hold; a body that says otherwise is refused. */
  #placed(target: Target, object: KubeObject): KubeObject {
    const { name = target.name, namespace = target.namespace } = object.metadata;
    if (name === undefined || name === '') throw new Refusal(422, 'metadata.name: Required value');
    if (target.name !== undefined && name !== target.name)
      throw new Refusal(400, `the name of the object (${name}) does not match the name on the URL (${target.name})`);
    if (namespace !== target.namespace)
      throw new Refusal(400, 'the namespace of the provided object does not match the namespace sent on the request');
    return { ...object, metadata: { ...object.metadata, name, ...(namespace === undefined ? {} : { namespace }) } };
  }
}

function bodyOf({ body }: Call): KubeObject {
  if (!isMap(body) || typeof body['apiVersion'] !== 'string' || typeof body['kind'] !== 'string')
    throw new Refusal(400, "Object 'Kind' is missing");
  return { ...body, metadata: isMap(body['metadata']) ? body['metadata'] : {} } as unknown as KubeObject;
}

function expectSame(
  wanted: { readonly uid?: unknown; readonly resourceVersion?: unknown } | Json,
  live: KubeObject,
): void {
  for (const field of ['uid', 'resourceVersion'] as const)
    if (wanted[field] !== undefined && wanted[field] !== live.metadata[field])
      throw new Refusal(
        409,
        `Operation cannot be fulfilled on "${live.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
      );
}

/** `/status` changes the status alone, the main resource all but the status. Other subresources are taken whole. */
function withinPart(subresource: string | undefined, live: KubeObject, wanted: KubeObject): KubeObject {
  if (subresource === 'status') return withStatus(live, wanted['status']);
  return subresource === undefined ? withStatus(wanted, live['status']) : wanted;
}

function withStatus({ status: _, ...object }: KubeObject, status: unknown): KubeObject {
  return (status === undefined ? object : { ...object, status }) as KubeObject;
}

/** The real server leaves kind and apiVersion out of items of its built-in kinds. */
function asItem({ group }: Target, object: KubeObject): unknown {
  if (group.includes('.') && !group.endsWith('.k8s.io')) return object;
  const { kind, apiVersion, ...item } = object;
  return item;
}
