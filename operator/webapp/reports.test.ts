import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import type { ProxyStatus } from '../../core/status/proxy.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import { ANY_PORT, EXPRESS_APP, until, WorkerUnderTest } from '../../worker/worker-under-test.ts';
import { askWorker } from './ask-pod.ts';
import { makePodReports, type PodReports, type PodReportsOptions, type ReportTarget } from './reports.ts';

const STATUS: WorkerStatus = {
  kind: 'WorkerStatus',
  version: 1,
  name: 'shop',
  pid: 7,
  startedAt: 1,
  state: 'running',
  config: { hash: 'h1', appliedAt: 1 },
  processes: { desired: 2, ready: 2, busy: 0, starting: 0, draining: 0 },
  slots: { total: 2, busy: 0 },
  queue: { length: 0, max: 10, oldestMs: 0 },
  requests: { total: 5, inFlight: 0, byClass: { '2xx': 5 }, faults: {}, redispatched: 0 },
  list: [{ id: 1, pid: 8, state: 'ready', startedAt: 1, served: 5, requests: [] }],
  deaths: [],
};
const NEVER = 3_600_000;

/** A worker's admin port that answers as told. */
class Pod {
  asked = 0;
  inFlight = 0;
  most = 0;
  readonly sockets = new Set<Socket>();
  answer: (response: ServerResponse, request: IncomingMessage) => void;
  readonly #server: Server;

  constructor(answer: Pod['answer'] | WorkerStatus) {
    this.answer = typeof answer === 'function' ? answer : (response) => response.end(JSON.stringify(answer));
    this.#server = createServer((request, response) => {
      this.asked++;
      this.most = Math.max(this.most, ++this.inFlight);
      response.on('close', () => this.inFlight--);
      this.answer(response, request);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  tell(status: Partial<WorkerStatus>): void {
    this.answer = (response) => response.end(JSON.stringify({ ...STATUS, ...status }));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function startPod(answer: Pod['answer'] | WorkerStatus = STATUS): Promise<Pod> {
  const pod = await new Pod(answer).listen();
  open.push(pod);
  return pod;
}

function startReports(options: Partial<PodReportsOptions> = {}): {
  reports: PodReports;
  told: string[];
  lines: string[];
} {
  const lines: string[] = [];
  const log = makeLog((line) => lines.push(line), Date.now);
  const reports = makePodReports({
    log,
    clock: systemClock,
    quietMs: NEVER,
    busyMs: 1,
    random: () => 0.5,
    ...options,
  });
  open.push(reports);
  const told: string[] = [];
  reports.onChange((key) => told.push(key));
  return { reports, told, lines };
}

function target({ port }: { port: number }, more: Partial<ReportTarget> = {}): ReportTarget {
  return { component: 'worker', pod: 'shop-worker-1', uid: 'u1', ip: '127.0.0.1', port, configHash: 'h1', ...more };
}

const hashes = (reports: PodReports) => reports.of('web/shop').map(({ status }) => status.config.hash);

test('what a worker tells is kept, without what the status does not show', async () => {
  const replaced = { id: 3, pid: 3, at: 3, cause: 'max-requests', message: 'served enough' } as const;
  const crashed = { id: 2, pid: 2, at: 2, cause: 'signal', message: 'SIGSEGV', traceback: 'x'.repeat(9_000) } as const;
  const { traceback: _, ...earlier } = crashed;
  const long = { ...crashed, id: 1, message: 'm'.repeat(9_000) };
  const pod = await startPod({ ...STATUS, deaths: [replaced, crashed, long, crashed, { ...crashed, id: 0 }] });
  const { reports, told } = startReports();
  reports.want('web/shop', [target(pod)]);
  await until('a report', () => reports.of('web/shop').length === 1);
  expect(reports.of('web/shop')).toEqual([
    {
      component: 'worker',
      pod: 'shop-worker-1',
      uid: 'u1',
      status: {
        ...STATUS,
        list: [],
        requests: { total: 0, inFlight: 0, byClass: {}, faults: {}, redispatched: 0 },
        deaths: [
          { ...crashed, traceback: 'x'.repeat(4_096) },
          { ...earlier, id: 1, message: 'm'.repeat(512) },
          earlier,
        ],
      },
    },
  ]);
  expect(told).toEqual(['web/shop']);
});

test('what a pass was done with is marked as heard', async () => {
  const death = { id: 1, pid: 1, at: 70, cause: 'oom', message: 'out of memory' } as const;
  const pod = await startPod({ ...STATUS, deaths: [death] });
  const { reports } = startReports();
  reports.want('web/shop', [target(pod)]);
  await until('a report', () => reports.of('web/shop').length === 1);
  const heardTo = () => reports.of('web/shop').map((report) => ('heardTo' in report ? report.heardTo : undefined));
  expect(heardTo()).toEqual([undefined]);
  reports.heard('web/shop', reports.of('web/shop'));
  reports.heard('web/other', reports.of('web/shop'));
  expect(heardTo()).toEqual([70]);
});

test('a worker out of step is asked again and again, one in step is left alone', async () => {
  const quiet = await startPod();
  const busy = await startPod({ ...STATUS, config: { hash: 'h0', appliedAt: 1 } });
  const { reports } = startReports();
  reports.want('web/quiet', [target(quiet, { uid: 'u2' })]);
  await until('the quiet one was asked', () => reports.of('web/quiet').length === 1);
  reports.want('web/shop', [target(busy)]);
  await until('many questions to the busy one', () => busy.asked >= 10);
  expect(hashes(reports)).toEqual(['h0']);
  busy.tell({ config: { hash: 'h1', appliedAt: 2 } });
  await until('the busy one in step', () => hashes(reports)[0] === 'h1');
  expect(quiet.asked).toBe(1);
});

test('a proxy is asked until it is in step, and again when it should run by another document', async () => {
  const { name, pid, startedAt, state, config } = STATUS;
  const PROXY_STATUS: ProxyStatus = {
    kind: 'ProxyStatus',
    version: 1,
    ...{ name, pid, startedAt, state, config },
    connections: { open: 1, max: 2, upgraded: 0 },
    requests: { total: 1, inFlight: 0, byClass: {}, faults: {}, retried: 0, static: 0 },
    groups: [],
  };
  const pod = await startPod((response) => response.end(JSON.stringify(PROXY_STATUS)));
  const tell = (hash: string) => {
    const status = { ...PROXY_STATUS, config: { hash, appliedAt: 2 } };
    pod.answer = (response) => response.end(JSON.stringify(status));
  };
  tell('h0');
  const { reports, told } = startReports({ quietMs: 5 });
  reports.want('web/shop', [target(pod, { component: 'proxy' })]);
  await until('many questions', () => pod.asked >= 5);
  tell('h1');
  await until('it is in step', () => hashes(reports)[0] === 'h1');
  expect(reports.of('web/shop')[0]?.status).toEqual({ state: 'running', config: { hash: 'h1', appliedAt: 2 } });
  const { asked } = pod;
  const other = await startPod();
  reports.want('web/other', [target(other, { uid: 'u2' })]);
  await until('another is asked many times meanwhile', () => other.asked >= 10);
  expect(pod.asked).toBe(asked);
  reports.want('web/shop', [target(pod, { component: 'proxy', configHash: 'h2' })]);
  await until('questions again', () => pod.asked >= asked + 3);
  tell('h2');
  await until('it is in step again', () => hashes(reports)[0] === 'h2');
  expect(told.filter((key) => key === 'web/shop')).toHaveLength(3);
});

test('a new configuration wakes the questions to a worker that was in step', async () => {
  const pod = await startPod();
  const { reports, told } = startReports();
  reports.want('web/shop', [target(pod)]);
  await until('a report', () => hashes(reports)[0] === 'h1');
  reports.want('web/shop', [target(pod, { configHash: 'h2' })]);
  await until('questions', () => pod.asked >= 3);
  pod.tell({ config: { hash: 'h2', appliedAt: 2 } });
  await until('the new hash', () => hashes(reports)[0] === 'h2');
  expect(told).toEqual(['web/shop', 'web/shop']);
});

test('only what the status tells is told of: counters that move are not', async () => {
  let total = 0;
  const pod = await startPod((response) => {
    total++;
    const requests = { ...STATUS.requests, total };
    response.end(JSON.stringify({ ...STATUS, requests, config: { hash: 'h0', appliedAt: total } }));
  });
  const { reports, told } = startReports({ quietMs: 5 });
  reports.want('web/shop', [target(pod)]);
  await until('many answers', () => pod.asked >= 15);
  expect(told).toEqual(['web/shop']);
});

const DIFFERENCES: readonly [string, Partial<WorkerStatus>][] = [
  ['processes that are ready', { processes: { ...STATUS.processes, ready: 1 } }],
  ['processes that are wanted', { processes: { ...STATUS.processes, desired: 3 } }],
  ['the hash that is applied', { config: { hash: 'h9', appliedAt: 2 } }],
  ['why a configuration is refused', { config: { hash: 'h1', appliedAt: 1, error: 'bad' } }],
  ['a death', { deaths: [{ id: 1, pid: 1, at: 1, cause: 'oom', message: 'out of memory' }] }],
  ['the length of the queue', { queue: { length: 4, max: 10, oldestMs: 3 } }],
];
test.each(DIFFERENCES)('a difference is told of: %s', async (_, difference) => {
  const pod = await startPod();
  const { reports, told } = startReports({ quietMs: 5 });
  reports.want('web/shop', [target(pod)]);
  await until('a report', () => told.length === 1);
  pod.tell(difference);
  await until('the difference', () => told.length === 2);
  expect(reports.of('web/shop')[0]?.status).toMatchObject(difference);
});

test('a queue in which requests wait long is told of once more when it lasts, though its length stays the same', async () => {
  let wall = 0;
  const pod = await startPod({ ...STATUS, queue: { length: 4, max: 10, oldestMs: 900 } });
  const { reports, told } = startReports({ quietMs: 5, clock: { ...systemClock, wall: () => wall } });
  reports.want('web/shop', [target(pod)]);
  await until('a report', () => told.length === 1);
  const { asked } = pod;
  await until('more answers', () => pod.asked >= asked + 5);
  expect(told).toHaveLength(1);
  wall = 10_000;
  await until('it is told of', () => told.length === 2);
  expect(reports.of('web/shop')).toMatchObject([{ waits: { since: 0, last: 10_000 } }]);
});

test('a worker that no longer answers is not believed after three questions, and again once it answers', async () => {
  const pod = await new Pod(STATUS).listen();
  const { port } = pod;
  const { reports, told, lines } = startReports({ quietMs: 5 });
  reports.want('web/shop', [target({ port })]);
  await until('a report', () => told.length === 1);
  await pod.close();
  await until('the report is dropped', () => told.length === 2);
  expect(reports.of('web/shop')).toEqual([]);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', webApp: 'web/shop', pod: 'shop-worker-1' });
  open.push(await new Pod(STATUS).listen(port));
  await until('a report again', () => reports.of('web/shop').length === 1);
  expect(told).toHaveLength(3);
});

test('one answer that fails takes nothing back', async () => {
  const pod = await startPod();
  const { reports, told } = startReports({ quietMs: 5 });
  reports.want('web/shop', [target(pod)]);
  await until('a report', () => told.length === 1);
  const good = pod.answer;
  const before = pod.asked;
  pod.answer = (response, request) => {
    pod.answer = good;
    request.socket.destroy();
    response.destroy();
  };
  await until('more questions', () => pod.asked >= before + 5);
  expect(reports.of('web/shop')).toHaveLength(1);
  expect(told).toHaveLength(1);
});

test('pods that are not named any more are forgotten and not asked', async () => {
  const [one, two] = [
    await startPod({ ...STATUS, state: 'starting' }),
    await startPod({ ...STATUS, state: 'starting' }),
  ];
  const { reports } = startReports({ quietMs: 5 });
  reports.want('web/shop', [target(one), target(two, { uid: 'u2', pod: 'shop-worker-2' })]);
  await until('two reports', () => reports.of('web/shop').length === 2);
  reports.want('web/shop', [target(two, { uid: 'u2', pod: 'shop-worker-2' })]);
  expect(reports.of('web/shop').map(({ pod }) => pod)).toEqual(['shop-worker-2']);
  await until('the last question to it has ended', () => one.inFlight === 0);
  const [before, others] = [one.asked, two.asked];
  await until('more questions to the other', () => two.asked >= others + 10);
  expect(one.asked).toBeLessThanOrEqual(before + 1);
  reports.want('web/shop', []);
  expect(reports.of('web/shop')).toEqual([]);
});

test('a pod with another address is asked there, and its old report is gone', async () => {
  const [old, moved] = [await startPod(), await startPod({ ...STATUS, config: { hash: 'h7', appliedAt: 1 } })];
  const { reports } = startReports();
  reports.want('web/shop', [target(old)]);
  await until('a report', () => hashes(reports)[0] === 'h1');
  reports.want('web/shop', [target(moved)]);
  expect(reports.of('web/shop')).toEqual([]);
  await until('a report from there', () => hashes(reports)[0] === 'h7');
});

test('never more questions at a time than allowed, and every pod gets its turn', async () => {
  const pod = await startPod((response) => setImmediate(() => response.end(JSON.stringify(STATUS))));
  const { reports } = startReports({ concurrency: 4 });
  for (let index = 0; index < 60; index++) reports.want(`web/${index}`, [target(pod, { uid: `u${index}` })]);
  await until('all reports', () => Array.from({ length: 60 }, (_, i) => reports.of(`web/${i}`)).flat().length === 60);
  expect(pod.most).toBeLessThanOrEqual(4);
  expect(pod.asked).toBe(60);
});

test('pods that hang do not hold up those that answer', async () => {
  const good = await startPod({ ...STATUS, state: 'starting' });
  const hangs = await startPod(() => {});
  const { reports } = startReports({ concurrency: 8, quietMs: 5 });
  for (let index = 0; index < 10; index++) reports.want(`web/${index}`, [target(hangs, { uid: `h${index}` })]);
  await until('all that hang were asked', () => hangs.asked >= 10);
  reports.want('web/shop', [target(good)]);
  const before = hangs.asked;
  await until('answers', () => good.asked >= 20);
  // Each of them takes its two seconds: in that time the good one is asked as if they were not there.
  expect(hangs.asked - before).toBeLessThan(20);
});

/** Answers as a worker does that can be listened to. */
function tellsNews(
  pod: Pod,
  first: Partial<WorkerStatus> = {},
): { tell: (status: Partial<WorkerStatus>) => void; held: () => number } {
  let status: WorkerStatus = { ...STATUS, ...first };
  let version = 0;
  const waiting = new Set<ServerResponse>();
  const send = (response: ServerResponse) => response.end(JSON.stringify({ ...status, news: `n${version}` }));
  pod.answer = (response, { url = '' }) => {
    if (!url.includes(`unlike=n${version}&waitMs=`)) send(response);
    else waiting.add(response.on('close', () => waiting.delete(response)));
  };
  return {
    tell: (change) => {
      status = { ...status, ...change };
      version++;
      for (const response of waiting) send(response);
    },
    held: () => waiting.size,
  };
}

test('a worker that tells news is listened to: a death is heard of though it is asked once an hour', async () => {
  const pod = await startPod();
  const worker = tellsNews(pod);
  const { reports, told } = startReports();
  reports.want('web/shop', [target(pod)]);
  await until('it is listened to', () => worker.held() === 1);
  expect(pod.asked).toBe(2);
  worker.tell({ deaths: [{ id: 1, pid: 1, at: 1, cause: 'oom', message: 'out of memory' }] });
  await until('the death', () => told.length === 2);
  expect(reports.of('web/shop')).toMatchObject([{ status: { deaths: [{ id: 1 }] } }]);
  await until('it is listened to again', () => worker.held() === 1);
  expect(pod.asked).toBe(3);
});

test('a change of configuration is heard of the moment the worker has taken it', async () => {
  const pod = await startPod();
  const worker = tellsNews(pod);
  const { reports } = startReports({ busyMs: 100 });
  reports.want('web/shop', [target(pod)]);
  await until('it is listened to', () => worker.held() === 1);
  reports.want('web/shop', [target(pod, { configHash: 'h2' })]);
  const { asked } = pod;
  worker.tell({ config: { hash: 'h2', appliedAt: 2 } });
  await until('the new hash', () => hashes(reports)[0] === 'h2');
  expect(pod.asked).toBe(asked);
});

test('one that answers at once whatever it is asked is not asked faster for it', async () => {
  let news = 0;
  const liar = await startPod((response) => response.end(JSON.stringify({ ...STATUS, news: `n${news++}` })));
  const other = await startPod({ ...STATUS, state: 'starting' });
  const { reports } = startReports({ busyMs: 20, quietMs: 20 });
  reports.want('web/shop', [target(liar)]);
  reports.want('web/other', [target(other, { uid: 'u2' })]);
  await until('many questions', () => other.asked >= 50);
  expect(liar.asked).toBeLessThanOrEqual(other.asked);
});

test('of many workers no more are listened to than allowed; the others are asked', async () => {
  const pod = await startPod();
  const worker = tellsNews(pod);
  const { reports } = startReports({ listening: 50, quietMs: 60_000, busyMs: 10 });
  for (let index = 0; index < 500; index++) reports.want(`web/${index}`, [target(pod, { uid: `u${index}` })]);
  await until('all reports', () => Array.from({ length: 500 }, (_, i) => reports.of(`web/${i}`)).flat().length === 500);
  await until('all that may be listened to', () => worker.held() === 50);
  expect(pod.sockets.size).toBeLessThanOrEqual(50 + 32);
  worker.tell({ processes: { ...STATUS.processes, ready: 1 } });
  await until(
    'those are heard',
    () =>
      Array.from({ length: 500 }, (_, i) => reports.of(`web/${i}`))
        .flat()
        .filter((report) => report.component === 'worker' && report.status.processes.ready === 1).length >= 50,
  );
});

test('who is listened to and is gone, is let go of, or moves, leaves no open question', async () => {
  const [gone, letGo, moved, there] = [
    await new Pod(STATUS).listen(),
    await startPod(),
    await startPod(),
    await startPod(),
  ];
  const workers = [gone, letGo, moved].map((pod) => tellsNews(pod));
  const { reports } = startReports({ quietMs: 5_000 });
  const keys = ['web/gone', 'web/let-go', 'web/moved'];
  for (const [index, pod] of [gone, letGo, moved].entries())
    reports.want(keys[index] ?? '', [target(pod, { uid: `u${index}` })]);
  await until('all are listened to', () => workers.every((worker) => worker.held() === 1));
  await gone.close();
  reports.want('web/let-go', []);
  reports.want('web/moved', [target(there, { uid: 'u2' })]);
  await until('no question is open', () => [letGo, moved].every((pod) => pod.sockets.size === 0));
  await until('what the one told is not believed', () => reports.of('web/gone').length === 0);
  await until('the other address answers', () => reports.of('web/moved').length === 1);
});

test('with an interval of zero nobody is asked', async () => {
  const [pod, other] = [await startPod(), await startPod()];
  const silent = startReports({ quietMs: 0 }).reports;
  silent.want('web/shop', [target(pod)]);
  const { reports } = startReports();
  reports.want('web/other', [target(other)]);
  await until('others ask', () => reports.of('web/other').length === 1);
  expect([pod.asked, silent.of('web/shop')]).toEqual([0, []]);
});

test('closing ends the questions in flight and asks no more', async () => {
  const pod = await startPod(() => {});
  const { reports, told } = startReports();
  reports.want('web/shop', [target(pod)]);
  await until('a question in flight', () => pod.inFlight === 1);
  reports.close();
  reports.close();
  await until('no connection is left', () => pod.sockets.size === 0);
  reports.want('web/shop', [target(pod)]);
  expect([reports.of('web/shop'), told, pod.asked]).toEqual([[], [], 1]);
});

const stream = (response: ServerResponse, chunk: string): void => {
  const write = (): unknown => !response.destroyed && response.write(chunk, () => setTimeout(write, 1));
  write();
};
const HOSTILE: readonly [string, Pod['answer'], RegExp][] = [
  ['another status', (response) => response.writeHead(500).end('{}'), /answered 500/],
  ['elsewhere', (response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end(), /answered 302/],
  ['no JSON', (response) => response.end('<html>'), /JSON/],
  ['another document', (response) => response.end('{"kind":"ProxyStatus"}'), /answered with another document: kind/],
  ['a body without end', (response) => stream(response, 'x'.repeat(100_000)), /more than 1048576 bytes/],
  ['a body that trickles', (response) => stream(response, ' '), /no answer within/],
  ['nothing', () => {}, /no answer within/],
  ['a head too large', (response) => response.writeHead(200, { X: 'x'.repeat(10_000) }).end('{}'), /overflow/i],
  ['half an answer', (response) => response.write('{', () => response.destroy()), /aborted|hang up/],
];
test.concurrent.each(HOSTILE)(
  'an answer that is %s is refused, and its connection closed',
  async (_, answer, message) => {
    const pod = await new Pod(answer).listen();
    await expect(askWorker({ ip: '127.0.0.1', port: pod.port }, new AbortController().signal)).rejects.toThrow(message);
    await until('no connection is left', () => pod.sockets.size === 0);
    await pod.close();
  },
);

test('an address that is a name is not looked up', async () => {
  const asked = askWorker({ ip: 'localhost', port: 1 }, new AbortController().signal);
  await expect(asked).rejects.toThrow('"localhost" is not an IP address');
});

test('a real worker is followed from its start through a change of its processes and a death, by a few questions', async () => {
  const worker = new WorkerUnderTest({
    files: { 'server.js': EXPRESS_APP },
    args: ['server.js', '--workers', '2', ...ANY_PORT],
  });
  open.push(worker);
  await worker.listening();
  const port = Number(String(worker.line('msg', 'listening')?.['admin']).split(':')[1]);
  const { reports } = startReports({ busyMs: 20 });
  reports.want('web/shop', [target({ port }, { configHash: undefined })]);
  const told = () =>
    reports.of('web/shop').flatMap((report) => (report.component === 'worker' ? report.status : []))[0];
  await until('two processes ready', () => told()?.processes.ready === 2);
  worker.kill('SIGTTIN');
  await until('a third', () => told()?.processes.ready === 3);
  const [victim] = (await worker.status()).list;
  process.kill(victim?.pid ?? Number.NaN, 'SIGKILL');
  await until('the death', () => told()?.deaths[0]?.pid === victim?.pid);
  await until('its successor', () => told()?.processes.ready === 3);
  expect(told()?.deaths).toMatchObject([{ cause: 'signal' }]);
});
