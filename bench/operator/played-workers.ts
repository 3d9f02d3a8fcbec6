// The admin port of workers at rest, for listening.ts: tells its port to its parent. Argument `news`: it can be listened to.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkerStatus } from '../../core/status/worker.ts';

const makeProcess = (id: number): WorkerStatus['list'][number] => ({
  id,
  place: id,
  pid: 100 + id,
  state: 'ready',
  startedAt: 1,
  served: 12_345,
  residentBytes: 50_000_000,
  requests: [],
});
const status: WorkerStatus = {
  kind: 'WorkerStatus',
  version: 1,
  name: 'shop',
  pid: 1,
  startedAt: 1,
  state: 'running',
  config: { hash: 'h', appliedAt: 1 },
  ...(process.argv.includes('news') && { news: 'n' }),
  processes: { desired: 4, ready: 4, busy: 0, starting: 0, draining: 0 },
  slots: { total: 4, busy: 0, idle: 4, booting: 0 },
  queue: { length: 0, max: 500, oldestMs: 0 },
  requests: { total: 12_345, inFlight: 0, byClass: { '2xx': 12_345 }, faults: {}, redispatched: 0 },
  list: [1, 2, 3, 4].map(makeProcess),
  deaths: [],
};
const answer = JSON.stringify(status);
const server = createServer(({ url = '' }, response) => {
  const waitMs = Number(/waitMs=([0-9]+)/.exec(url)?.[1] ?? 0);
  setTimeout(() => response.end(answer), waitMs);
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 8_192 }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
