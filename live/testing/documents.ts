// Status documents as programs tell them, for the tests of this folder.
import { Durations } from '../../core/durations.ts';
import type { ProxyStatus } from '../../core/status/proxy.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import type { WebAppDocuments } from '../source.ts';

export const AT = 1_800_000_000_000;

export function durationsOf(...ms: readonly number[]): { counts: number[]; sumMs: number } {
  const durations = new Durations();
  for (const one of ms) durations.observe(one);
  return { counts: durations.counts, sumMs: durations.sumMs };
}

export function makeProcess(
  id: number,
  more: Partial<WorkerStatus['list'][number]> = {},
): WorkerStatus['list'][number] {
  return { id, place: id, pid: 100 + id, state: 'ready', startedAt: AT - 60_000, served: 5, requests: [], ...more };
}

export function makeDeath(
  id: number,
  more: Partial<WorkerStatus['deaths'][number]> = {},
): WorkerStatus['deaths'][number] {
  const pid = 100 + id;
  return {
    id,
    pid,
    at: AT - 4_000,
    cause: 'signal',
    signal: 'SIGKILL',
    message: `Process ${pid} was killed.`,
    ...more,
  };
}

export function makeWorker(more: Partial<WorkerStatus> = {}): WorkerStatus {
  const list = more.list ?? [makeProcess(1), makeProcess(2), makeProcess(3)];
  const ready = list.filter(({ state }) => state === 'ready');
  const busy = ready.filter(({ requests }) => requests.length > 0).length;
  return {
    kind: 'WorkerStatus',
    version: 1,
    name: 'shop',
    pid: 1,
    startedAt: AT - 3_600_000,
    state: 'running',
    config: { hash: 'abc', appliedAt: AT - 3_600_000 },
    processes: {
      desired: 3,
      ready: ready.length,
      busy,
      starting: list.filter(({ state }) => state === 'starting').length,
      draining: list.filter(({ state }) => state === 'draining').length,
    },
    slots: { total: ready.length, busy, idle: ready.length - busy, booting: 0 },
    queue: { length: 0, max: 500, oldestMs: 0 },
    requests: { total: 0, inFlight: 0, byClass: {}, faults: {}, redispatched: 0 },
    durations: { queue: durationsOf(), app: durationsOf() },
    deaths: [],
    ...more,
    list,
  };
}

export function makeProxy(more: Partial<ProxyStatus> = {}): ProxyStatus {
  return {
    kind: 'ProxyStatus',
    version: 1,
    name: 'shop',
    pid: 2,
    startedAt: AT - 3_600_000,
    state: 'running',
    config: { hash: 'def', appliedAt: AT - 3_600_000 },
    connections: { open: 4, max: 1_000, upgraded: 0 },
    requests: { total: 0, inFlight: 0, byClass: {}, faults: {}, retried: 0, static: 0 },
    queue: { length: 0, max: 500, oldestMs: 0 },
    durations: { request: durationsOf(), queue: durationsOf(), upstream: durationsOf() },
    groups: [
      {
        name: 'main',
        weight: 1,
        endpoints: [{ address: '10.0.0.1:8000', state: 'ready', outstanding: 1, idle: 2, failures: 0 }],
      },
    ],
    ...more,
  };
}

export function makeDocuments(more: Partial<WebAppDocuments> = {}): WebAppDocuments {
  return {
    namespace: 'default',
    name: 'shop',
    url: 'http://shop.example',
    proxies: [{ place: 'here', status: makeProxy() }],
    workers: [{ place: 'here', status: makeWorker() }],
    conditions: [],
    problems: [],
    configuration: 'app: shop:app\n',
    notAsked: 0,
    ...more,
  };
}
