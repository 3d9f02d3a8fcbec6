// A fleet of WebApps on a real API server: made, counted, edited. What the operator's benchmark looks at from outside.
import { parseAllDocuments } from 'yaml';
import { API_VERSION, KIND } from '../../core/app/schema.ts';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import type { Cluster } from '../../e2e/cluster/control-plane.ts';
import { type Client, makeClient } from '../../kube/client.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { makeReflector } from '../../kube/reflector.ts';
import { type Kept, makeStore } from '../../kube/store.ts';
import { makeTransport } from '../../kube/transport.ts';
import { dryRun } from '../../operator/dry-run.ts';
import { KINDS, WEBAPP } from '../../operator/webapp/kinds.ts';

export const IN_FLIGHT = 32;

export const log = makeLog((line) => console.error(line), systemClock.wall, 'warn');

export function benchClient(cluster: Cluster): Client {
  const transport = makeTransport({
    access: cluster.access(),
    log,
    clock: systemClock,
    connections: IN_FLIGHT,
    userAgent: 'bench',
  });
  return makeClient({ transport, fieldManager: 'bench', metricPrefix: 'bench' });
}

/** A usual WebApp: a few variables, limits, a health path. */
export function makeWebApp(namespace: string, index: number): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: nameOf(index), namespace },
    spec: {
      image: 'registry.example.com/shop:1.4.2',
      app: 'shop:app',
      workers: { processes: 4 },
      env: [
        { name: 'DATABASE_HOST', value: 'postgres.databases.svc' },
        { name: 'LOG_LEVEL', value: 'info' },
      ],
      resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '1Gi' } },
      health: { path: '/healthz' },
    },
  };
}

export const nameOf = (index: number): string => `shop-${String(index).padStart(5, '0')}`;

/** Runs `act` for 0 … count−1, IN_FLIGHT at a time. */
export async function forEach(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await act(index);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** What the operator makes of one WebApp, without owners. */
export function childrenOf(webApp: KubeObject): KubeObject[] {
  const settings = { proxyImage: 'webapp-proxy:bench', clusterDomain: 'cluster.local', drainDelayMs: 5_000 };
  return parseAllDocuments(dryRun(JSON.stringify(webApp), settings).yaml).flatMap((document) => {
    const object = document.toJS() as KubeObject | null;
    return object === null ? [] : [object];
  });
}

export function resourceOf(object: KubeObject): Resource {
  const resource = Object.entries({ ...KINDS, WebApp: WEBAPP }).find(([kind]) => kind === object.kind)?.[1];
  if (resource === undefined) throw new Error(`the benchmark does not know kind ${object.kind}`);
  return resource;
}

interface Seen extends Kept {
  readonly reported: boolean;
}

export interface Watched {
  /** Objects there are. */
  count(): number;
  /** WebApps whose status is of their newest generation. */
  reported(): number;
  /** Resolves when `holds`, looked at after each change. */
  until(what: string, holds: () => boolean): Promise<void>;
  onUpdate(listener: (name: string) => void): () => void;
  close(): void;
}

/** Watches one kind in one namespace. */
export async function watch(cluster: Cluster, resource: Resource, namespace: string): Promise<Watched> {
  const transport = makeTransport({ access: cluster.access(), log, clock: systemClock, userAgent: 'bench-watch' });
  const store = makeStore<Seen>({ kind: resource.kind, keep: keepSeen });
  const reported = new Set<string>();
  store.onChange(({ key, object, type }) => {
    if (type !== 'deleted' && (object as Seen).reported) reported.add(key);
    else reported.delete(key);
  });
  const reflector = makeReflector({ transport, resource, namespace, sink: store, log, clock: systemClock });
  reflector.start();
  await reflector.synced;
  return {
    count: () => store.size,
    reported: () => reported.size,
    until: (what, holds) =>
      new Promise((resolve, reject) => {
        const done = (): void => {
          stop();
          clearTimeout(timer);
        };
        const look = (): void => {
          if (!holds()) return;
          done();
          resolve();
        };
        const stop = store.onChange(look);
        const timer = setTimeout(() => {
          done();
          reject(new Error(`not within 30 minutes: ${what}: ${store.size} there, ${reported.size} reported`));
        }, 1_800_000);
        look();
      }),
    onUpdate: (listener) =>
      store.onChange(({ type, object }) => {
        if (type === 'updated') listener(object.metadata.name);
      }),
    close: () => {
      reflector.close();
      transport.close();
    },
  };
}

function keepSeen(raw: unknown): Seen {
  const { metadata, status } = raw as KubeObject & { status?: { observedGeneration?: number } };
  const { name, namespace, uid, resourceVersion, generation } = metadata;
  const reported = status?.observedGeneration !== undefined && status.observedGeneration === generation;
  return { metadata: { name, namespace, uid, resourceVersion, generation } as KubeObject['metadata'], reported };
}
