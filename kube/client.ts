// The verbs of the Kubernetes API on plain objects, over a Transport: one field manager, every write counted by kind and verb
// (the proof that a steady cluster sees none).
import type { Registry } from 'prom-client';
import type { KubeObject, ObjectMeta, Place, Resource } from './object.ts';
import type { Transport } from './transport.ts';

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Token of the next page; undefined: this was the last. */
  readonly next: string | undefined;
}

/** Writes resolve to the object as the server has it now, with its resourceVersion. All throw KubeError. */
export interface Client {
  readonly transport: Transport;
  readonly fieldManager: string;
  get(resource: Resource, place: Place): Promise<KubeObject>;
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
  /** `webapp_operator_api_writes_total{kind,verb}` goes here; the name's first word is the caller's. */
  readonly registry?: Registry;
  readonly metricPrefix: string;
}

export declare function makeClient(options: ClientOptions): Client;
