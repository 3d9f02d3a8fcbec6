// For tests of discovery: pods that are real little servers, and the EndpointSlices that a control plane would write of them into
// the fake API server. Each pod is a slice of its own, because each has a port of its own.
import type { RequestListener } from 'node:http';
import type { ProxyConfig } from '../../core/config/proxy.ts';
import type { KubeObject } from '../../kube/object.ts';
import { type FakeApiServer, startFakeApiServer } from '../../kube/testing/fake-api-server.ts';
import { ENDPOINT_SLICES } from '../upstream/discovery/slice.ts';
import { type App, startApp } from './rig.ts';

export type Condition = 'ready' | 'unready' | 'terminating' | 'terminated';

const CONDITIONS: Readonly<Record<Condition, object>> = {
  ready: { ready: true, serving: true, terminating: false },
  unready: { ready: false, serving: false, terminating: false },
  terminating: { ready: false, serving: true, terminating: true },
  terminated: { ready: false, serving: false, terminating: true },
};

export const DISCOVER = { namespace: 'shop', service: 'web', port: 'http' };
/** One group, found. */
export const FOUND: ProxyConfig['groups'] = [{ name: 'current', weight: 1, endpoints: [], discover: DISCOVER }];

/** The Service `web` of namespace `shop`. */
export class Service {
  readonly api: FakeApiServer;
  readonly #pods: Pod[] = [];
  #made = 0;

  constructor(api: FakeApiServer) {
    this.api = api;
  }

  get flags(): string[] {
    return ['--api-server', this.api.url.origin];
  }

  /** @param listener what it answers; default: its name */
  async pod(condition: Condition = 'ready', listener?: RequestListener): Promise<Pod> {
    const name = `web-${++this.#made}`;
    const pod = new Pod(this, name);
    this.#pods.push(pod);
    await pod.start(listener ?? ((_request, response) => void response.end(name)));
    if (condition !== 'unready') pod.is(condition);
    return pod;
  }

  /** @param more of the object, laid over it */
  put(name: string, endpoints: unknown, port: unknown = 80, more: object = {}): void {
    this.api.put(ENDPOINT_SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: DISCOVER.namespace, labels: { 'kubernetes.io/service-name': DISCOVER.service } },
      addressType: 'IPv4',
      endpoints,
      ports: [{ name: DISCOVER.port, port, protocol: 'TCP' }],
      ...more,
    } as KubeObject);
  }

  remove(name: string): void {
    this.api.remove(ENDPOINT_SLICES, { namespace: DISCOVER.namespace, name });
  }

  async close(): Promise<void> {
    for (const pod of this.#pods) await pod.stop();
    await this.api.close();
  }
}

export class Pod {
  readonly name: string;
  /** Requests that have come. */
  requests = 0;
  readonly #service: Service;
  #app: App | null = null;

  constructor(service: Service, name: string) {
    this.#service = service;
    this.name = name;
  }

  async start(listener: RequestListener): Promise<void> {
    this.#app = await startApp((request, response) => {
      this.requests++;
      listener(request, response);
    });
  }

  get address(): string {
    return this.#app?.address ?? '';
  }

  /** Tells the control plane. */
  is(condition: Condition): void {
    const port = Number(this.address.split(':')[1]);
    this.#service.put(this.name, [{ addresses: ['127.0.0.1'], conditions: CONDITIONS[condition] }], port);
  }

  /** Not in any slice any more. */
  leave(): void {
    this.#service.remove(this.name);
  }

  /** The process is gone. Twice is safe. */
  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = null;
  }
}

export async function startService(): Promise<Service> {
  return new Service(await startFakeApiServer({ resources: [ENDPOINT_SLICES] }));
}
