// The verbs of the Kubernetes API on plain objects, over a Transport: one field manager, every write counted by kind and verb
// (the proof that a steady cluster sees none).
import { Counter, type Registry } from 'prom-client';
import { isNotFound, KubeError } from './errors.ts';
import { type KubeObject, type ObjectMeta, type Place, pathOf, type Resource } from './object.ts';
import type { ApiRequest, Transport } from './transport.ts';

/** Writes resolve to the object as the server has it now, with its resourceVersion. All throw KubeError. */
export interface Client {
  readonly transport: Transport;
  readonly fieldManager: string;
  /** @param options.cached from the API server's own cache (resourceVersion=0): cheap for it, perhaps some milliseconds old */
  get(resource: Resource, place: Place, options?: { cached?: boolean }): Promise<KubeObject>;
  create(resource: Resource, object: KubeObject): Promise<KubeObject>;
  /**
   * Server-side apply of the complete intent, `force=true`. No value in it may be null or an empty list (kubernetes #131175).
   * @param options.fieldManager another manager than this client's, for handing a field over
   */
  apply(
    resource: Resource,
    object: KubeObject,
    options?: { subresource?: string; fieldManager?: string },
  ): Promise<KubeObject>;
  /** JSON merge patch (RFC 7386): null removes. */
  patch(resource: Resource, place: Place, patch: object): Promise<KubeObject>;
  /** PUT with the object's own resourceVersion: 409 when another was faster. */
  replace(resource: Resource, object: KubeObject, options?: { subresource?: string }): Promise<KubeObject>;
  /** Deletes exactly the object seen: uid and resourceVersion are preconditions. 404 counts as done. Propagation: background. */
  remove(resource: Resource, seen: Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'>): Promise<void>;
}

export interface ClientOptions {
  readonly transport: Transport;
  readonly fieldManager: string;
  /** `<metricPrefix>_api_writes_total{kind,verb}` goes here; several clients may share it. */
  readonly registry?: Registry;
  /** Such as `webapp_operator`. */
  readonly metricPrefix: string;
}

/** Objects come back without managedFields: half of their size, and nobody here reads them. */
export function makeClient({ transport, fieldManager, registry, metricPrefix }: ClientOptions): Client {
  const writes = registry === undefined ? undefined : writeCounter(registry, `${metricPrefix}_api_writes_total`);

  const ask = async (request: ApiRequest): Promise<KubeObject> => objectOf(await transport.request<unknown>(request));
  const write = async (kind: string, verb: string, request: ApiRequest): Promise<KubeObject> => {
    const object = await ask(request);
    writes?.inc({ kind, verb });
    return object;
  };

  return {
    transport,
    fieldManager,
    get: (resource, place, { cached = false } = {}) =>
      ask({ method: 'GET', path: objectPath(resource, place), query: { resourceVersion: cached ? '0' : undefined } }),
    create(resource, object) {
      const path = pathOf(resource, { namespace: object.metadata.namespace });
      return write(resource.kind, 'create', { method: 'POST', path, query: { fieldManager }, body: object });
    },
    apply(resource, object, { subresource, fieldManager: manager = fieldManager } = {}) {
      return write(resource.kind, verbOf('apply', subresource), {
        method: 'PATCH',
        path: objectPath(resource, object.metadata, subresource),
        query: { fieldManager: manager, force: true },
        body: object,
        contentType: 'application/apply-patch+yaml',
      });
    },
    patch(resource, place, patch) {
      return write(resource.kind, verbOf('patch', place.subresource), {
        method: 'PATCH',
        path: objectPath(resource, place, place.subresource),
        query: { fieldManager },
        body: patch,
        contentType: 'application/merge-patch+json',
      });
    },
    replace(resource, object, { subresource } = {}) {
      return write(resource.kind, verbOf('replace', subresource), {
        method: 'PUT',
        path: objectPath(resource, object.metadata, subresource),
        query: { fieldManager },
        body: object,
      });
    },
    async remove(resource, seen) {
      const request: ApiRequest = { method: 'DELETE', path: objectPath(resource, seen), body: deleteOptions(seen) };
      try {
        await transport.request<unknown>(request);
      } catch (error) {
        if (isNotFound(error)) return;
        throw error;
      }
      writes?.inc({ kind: resource.kind, verb: 'delete' });
    },
  };
}

/** A missing name would turn a verb on one object into one on the collection. */
function objectPath(resource: Resource, { namespace, name }: Place, subresource?: string): string {
  if (name === undefined) throw new RangeError(`a ${resource.kind} without a name cannot be addressed`);
  return pathOf(resource, { namespace, name, ...(subresource === undefined ? {} : { subresource }) });
}

/** Writes to a subresource are counted apart: `apply_status`. */
function verbOf(verb: string, subresource: string | undefined): string {
  return subresource === undefined ? verb : `${verb}_${subresource}`;
}

function deleteOptions({ uid, resourceVersion }: Pick<ObjectMeta, 'uid' | 'resourceVersion'>): object {
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions };
}

function objectOf(answer: unknown): KubeObject {
  const { metadata } = (answer ?? {}) as { metadata?: unknown };
  if (typeof metadata !== 'object' || metadata === null || typeof (metadata as ObjectMeta).name !== 'string')
    throw new KubeError('INVALID_RESPONSE', 'the API server answered with something that is no object');
  delete (metadata as { managedFields?: unknown }).managedFields;
  return answer as KubeObject;
}

const counters = new WeakMap<Registry, Map<string, Counter<'kind' | 'verb'>>>();

function writeCounter(registry: Registry, name: string): Counter<'kind' | 'verb'> {
  const known = counters.get(registry) ?? new Map<string, Counter<'kind' | 'verb'>>();
  counters.set(registry, known);
  const counter =
    known.get(name) ??
    new Counter({
      name,
      help: 'Writes that the API server carried out, by kind of object and verb. Stands still when nothing changes.',
      labelNames: ['kind', 'verb'],
      registers: [registry],
    });
  known.set(name, counter);
  return counter;
}
