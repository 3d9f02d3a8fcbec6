// Workers that restart, vanish, are added and removed: no request fails for it that could have been served.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type UpstreamSettings, Upstreams } from './client.ts';
import { Asked, ask, configure, OK, Worker } from './rig.ts';

let opened: Upstreams[];
let workers: Worker[];

beforeEach(() => {
  opened = [];
  workers = [];
});

afterEach(async () => {
  for (const upstreams of opened) upstreams.close();
  for (const worker of workers) await worker.kill();
});

function makeUpstreams(settings: Partial<UpstreamSettings> = {}, random?: () => number): Upstreams {
  const upstreams = new Upstreams(settings, random);
  opened.push(upstreams);
  return upstreams;
}

async function startWorkers(count: number): Promise<Worker[]> {
  for (let index = 0; index < count; index++) workers.push(await new Worker().start());
  return workers;
}

/** A worker that was there and is not. */
async function makeGone(): Promise<Worker> {
  const worker = await new Worker().start();
  workers.push(worker);
  await worker.kill();
  return worker;
}

/** Sends GETs one after another on some lines until `stop`. @returns what went wrong */
function load(upstreams: Upstreams, lines: number): { stop(): Promise<string[]>; count: number } {
  let going = true;
  const failed: string[] = [];
  const state = { count: 0, stop: async () => [] as string[] };
  const line = async (): Promise<void> => {
    while (going) {
      const { status, fault } = await ask(upstreams);
      state.count++;
      if (status !== 200 || fault !== null) failed.push(`${status} ${fault}`);
    }
  };
  const all = Promise.all(Array.from({ length: lines }, line));
  state.stop = async () => {
    going = false;
    await all;
    return failed;
  };
  return state;
}

async function served(load: { count: number }, more: number): Promise<void> {
  const wanted = load.count + more;
  await vi.waitFor(() => expect(load.count).toBeGreaterThan(wanted), 20_000);
}

const endpointsOf = (upstreams: Upstreams) => upstreams.status()[0]?.endpoints ?? [];

describe('under load no request fails when', () => {
  test('endpoints are added and removed; removed ones finish and are closed', async () => {
    const [first, second, third] = (await startWorkers(3)) as [Worker, Worker, Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [first, second]);
    const running = load(upstreams, 16);
    for (const now of [[first, second, third], [third], [first], [second, third], [first, second, third]]) {
      await served(running, 200);
      configure(upstreams, now);
      await served(running, 200);
      expect(endpointsOf(upstreams).map(({ address }) => address)).toEqual(now.map(({ address }) => address));
    }
    expect(await running.stop()).toEqual([]);
    configure(upstreams, [second]);
    await vi.waitFor(() => expect([first.sockets.size, third.sockets.size]).toEqual([0, 0]));
  });

  test('one of two workers is killed and comes back', async () => {
    const [first, second] = (await startWorkers(2)) as [Worker, Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [first, second]);
    const running = load(upstreams, 16);
    for (let round = 0; round < 3; round++) {
      await served(running, 200);
      await first.kill();
      await served(running, 200);
      expect(endpointsOf(upstreams)[0]?.state).toBe('failing');
      await first.start();
      await vi.waitFor(() => expect(endpointsOf(upstreams)[0]?.state).toBe('ready'), 10_000);
    }
    expect(await running.stop()).toEqual([]);
  });

  test('all workers are killed and come back: requests wait', async () => {
    const [first, second] = (await startWorkers(2)) as [Worker, Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [first, second]);
    const running = load(upstreams, 16);
    for (let round = 0; round < 3; round++) {
      await served(running, 200);
      await Promise.all([first.kill(), second.kill()]);
      await vi.waitFor(() => expect(upstreams.counters.held.now).toBe(16));
      await second.start();
      await served(running, 200);
      await first.start();
    }
    expect(await running.stop()).toEqual([]);
    expect(upstreams.counters.held).toMatchObject({ now: 0, expired: 0 });
  });
});

test('a burst that is longer than the worker’s backlog waits, and none of it fails', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upstream-'));
  const worker = await new Worker(join(folder, 'socket')).start();
  workers.push(worker);
  const upstreams = makeUpstreams();
  configure(upstreams, [worker]);
  // All in one turn: the worker accepts none of them meanwhile, and a Unix socket refuses what its backlog cannot take.
  const answers = await Promise.all(Array.from({ length: 3000 }, () => ask(upstreams, { method: 'POST', length: 0 })));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(upstreams.counters.attempts.refused).toBeGreaterThan(0);
  expect(worker.seen).toHaveLength(3000);
  rmSync(folder, { recursive: true });
});

describe('a POST', () => {
  test('that no endpoint takes is tried elsewhere: nothing of it was sent', async () => {
    const gone = [await makeGone(), await makeGone(), await makeGone()];
    const [worker] = (await startWorkers(1)).slice(-1) as [Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [...gone, worker]);
    for (let index = 0; index < 20; index++) {
      const asked = new Asked(upstreams, { method: 'POST', length: 2 });
      asked.sendBody = () => asked.call.write(Buffer.from('ab'));
      expect(await asked.start().answer).toMatchObject({ status: 200, fault: null });
    }
    expect(worker.seen).toHaveLength(20);
    expect(endpointsOf(upstreams).filter(({ state }) => state === 'ready').length).toBeGreaterThan(0);
  });

  test('waits for a restarting worker with its body unread', async () => {
    const worker = await makeGone();
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    const asked = new Asked(upstreams, { method: 'POST', length: 2 });
    let asksForBody = 0;
    asked.sendBody = () => {
      asksForBody++;
      asked.call.write(Buffer.from('ab'));
    };
    asked.start();
    await vi.waitFor(() => expect(upstreams.counters.held.now).toBe(1));
    expect(asksForBody).toBe(0);
    await worker.start();
    expect(await asked.answer).toMatchObject({ status: 200, fault: null });
    expect(asksForBody).toBe(1);
  });
});

describe('when nobody is there', () => {
  test('requests wait for the first endpoint, in order', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, []);
    const answers = Array.from({ length: 200 }, (_, index) => ask(upstreams, { target: `/${index}` }));
    expect(upstreams.counters.held).toMatchObject({ now: 200, total: 200 });
    configure(upstreams, [worker]);
    expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
  });

  test('they wait no longer than they may: NO_ENDPOINT', async () => {
    const upstreams = makeUpstreams({ holdMs: 50 });
    configure(upstreams, []);
    expect(await ask(upstreams)).toMatchObject({ fault: 'NO_ENDPOINT', began: false });
    expect(upstreams.counters.held).toEqual({ now: 0, total: 1, expired: 1 });
    expect(upstreams.inFlight).toBe(0);
  });

  test('…or why the last attempt failed: UPSTREAM_REFUSED', async () => {
    const upstreams = makeUpstreams({ holdMs: 120 });
    configure(upstreams, [await makeGone()]);
    expect(await ask(upstreams)).toMatchObject({ fault: 'UPSTREAM_REFUSED', began: false });
  });

  test('no more wait than may', async () => {
    const upstreams = makeUpstreams({ maxHeld: 3 });
    configure(upstreams, []);
    const waiting = Array.from({ length: 3 }, () => new Asked(upstreams).start());
    expect(await ask(upstreams)).toMatchObject({ fault: 'NO_ENDPOINT' });
    expect(waiting.map(({ over }) => over)).toEqual([false, false, false]);
    waiting[1]?.call.cancel();
    const next = new Asked(upstreams).start();
    expect(next.over).toBe(false);
    expect(upstreams.counters.held.now).toBe(3);
    upstreams.close();
    expect(await next.answer).toMatchObject({ fault: 'NO_ENDPOINT' });
  });

  test('without waiting the last endpoint is tried all the same', async () => {
    const worker = await makeGone();
    const upstreams = makeUpstreams({ holdMs: 0 });
    configure(upstreams, [worker]);
    expect(await ask(upstreams)).toMatchObject({ fault: 'UPSTREAM_REFUSED' });
    expect(endpointsOf(upstreams)[0]?.state).toBe('failing');
    await worker.start();
    expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect(endpointsOf(upstreams)[0]).toMatchObject({ state: 'ready', failures: 0 });
  });

  test('who waits is not kept waiting by the endpoint’s own pace', async () => {
    const worker = await makeGone();
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    try {
      const asked = new Asked(upstreams).start();
      while (upstreams.counters.held.now === 0) await new Promise(setImmediate);
      await worker.start();
      vi.advanceTimersByTime(60);
      expect(await asked.answer).toMatchObject({ status: 200 });
    } finally {
      vi.useRealTimers();
    }
  });

  test('a worker that dies again and again while it starts costs no request', async () => {
    const worker = await makeGone();
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    const asked = new Asked(upstreams).start();
    for (let round = 1; round <= 12; round++) {
      let killed: Promise<void> | null = null;
      worker.accept = () => {
        killed ??= worker.kill();
      };
      await worker.start();
      await vi.waitFor(() => expect(killed).not.toBeNull());
      await killed;
    }
    worker.accept = () => {};
    await worker.start();
    expect(await asked.answer).toMatchObject({ status: 200, fault: null });
  });

  test('a request that leaves while it waits is forgotten', async () => {
    const worker = await makeGone();
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    const asked = new Asked(upstreams).start();
    await vi.waitFor(() => expect(upstreams.counters.held.now).toBe(1));
    asked.call.cancel();
    await worker.start();
    expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect(worker.seen).toHaveLength(1);
    expect(asked.over).toBe(false);
  });
});

describe('removal', () => {
  test('an endpoint that is removed finishes what it has, shown as draining, and takes nothing new', async () => {
    const [leaving, staying] = (await startWorkers(2)) as [Worker, Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [leaving]);
    await ask(upstreams);
    leaving.answer = () => {};
    const asked = new Asked(upstreams, { target: '/slow' }).start();
    await vi.waitFor(() => expect(leaving.seen).toHaveLength(2));
    configure(upstreams, [staying]);
    expect(endpointsOf(upstreams)).toMatchObject([
      { address: staying.address, state: 'ready' },
      { address: leaving.address, state: 'draining', outstanding: 1, idle: 0 },
    ]);
    for (let index = 0; index < 10; index++) await ask(upstreams);
    expect(staying.seen).toHaveLength(10);
    for (const socket of leaving.sockets) socket.write(OK);
    expect(await asked.answer).toMatchObject({ status: 200 });
    expect(endpointsOf(upstreams)).toHaveLength(1);
    await vi.waitFor(() => expect(leaving.sockets.size).toBe(0));
  });

  test('an endpoint that comes back before it has finished is the same one', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    worker.answer = () => {};
    const asked = new Asked(upstreams).start();
    await vi.waitFor(() => expect(worker.seen).toHaveLength(1));
    configure(upstreams, []);
    configure(upstreams, [worker]);
    expect(endpointsOf(upstreams)).toMatchObject([{ state: 'ready', outstanding: 1 }]);
    for (const socket of worker.sockets) socket.write(OK);
    expect(await asked.answer).toMatchObject({ status: 200 });
    expect(endpointsOf(upstreams)).toMatchObject([{ state: 'ready', outstanding: 0, idle: 1 }]);
  });

  test('an endpoint that stays keeps its connections', async () => {
    const [first, second] = (await startWorkers(2)) as [Worker, Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [first]);
    await ask(upstreams);
    configure(upstreams, [first, second]);
    configure(upstreams, [first]);
    await ask(upstreams);
    expect(first.connections).toBe(1);
  });

  test('an address that is none changes nothing', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    expect(() => configure(upstreams, [{ address: 'host:99999' }])).toThrow();
    expect(await ask(upstreams)).toMatchObject({ status: 200 });
  });
});

describe('health', () => {
  test('requests that are refused together are one failure', async () => {
    const upstreams = makeUpstreams({ holdMs: 0 });
    configure(upstreams, [await makeGone()]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(upstreams)));
    expect(new Set(answers.map(({ fault }) => fault))).toEqual(new Set(['UPSTREAM_REFUSED']));
    expect(endpointsOf(upstreams)).toMatchObject([{ state: 'failing', failures: 1 }]);
  });

  test('an endpoint that closes new connections unanswered is passed over after three in a row', async () => {
    const [bad, good] = (await startWorkers(2)) as [Worker, Worker];
    const upstreams = makeUpstreams({}, () => 0);
    configure(upstreams, [bad, good]);
    bad.answer = (socket) => {
      if (bad.seen.length === 3) socket.end('HTTP/1.1 200 OK\r\n\r\n');
      else socket.destroy();
    };
    const states: string[] = [];
    for (let index = 0; index < 6; index++) {
      await ask(upstreams);
      states.push(endpointsOf(upstreams)[0]?.state ?? '');
    }
    // Two failures, an answer, three failures.
    expect(states).toEqual(['ready', 'ready', 'ready', 'ready', 'ready', 'failing']);
    expect(bad.seen).toHaveLength(6);
    await vi.waitFor(() => expect(endpointsOf(upstreams)[0]?.state).toBe('ready'), 10_000);
  });

  test('a failing endpoint that can be reached is tried when it is the last', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    worker.answer = (socket) => socket.destroy();
    await ask(upstreams);
    await ask(upstreams);
    expect(endpointsOf(upstreams)).toMatchObject([{ state: 'failing' }]);
    worker.answer = (socket) => socket.write(OK);
    expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect(endpointsOf(upstreams)).toMatchObject([{ state: 'ready', failures: 0 }]);
  });
});

describe('groups', () => {
  const timeouts = { connectMs: 10_000, responseMs: 30_000 };
  const group = (name: string, weight: number, ...members: Worker[]) => ({
    name,
    weight,
    endpoints: members.map(({ address }) => ({ address })),
  });

  test('get requests as they weigh; one without a reachable endpoint leaves its share to the others', async () => {
    const [current, canary] = (await startWorkers(2)) as [Worker, Worker];
    let turn = 0;
    const upstreams = makeUpstreams({}, () => (turn++ % 10) / 10);
    upstreams.configure({ groups: [group('current', 90, current), group('canary', 10, canary)], timeouts });
    for (let index = 0; index < 50; index++) await ask(upstreams);
    expect([current.seen.length, canary.seen.length]).toEqual([45, 5]);
    await canary.kill();
    for (let index = 0; index < 50; index++) expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect(current.seen.length).toBe(95);
    expect(upstreams.status()).toMatchObject([
      { name: 'current', weight: 90, endpoints: [{ state: 'ready' }] },
      { name: 'canary', weight: 10, endpoints: [{ state: 'failing' }] },
    ]);
  });

  test('with none but failing endpoints leave their share to a group with a ready one', async () => {
    const [current, canary] = (await startWorkers(2)) as [Worker, Worker];
    const upstreams = makeUpstreams();
    canary.answer = (socket) => socket.destroy();
    upstreams.configure({ groups: [group('canary', 1, canary)], timeouts });
    await ask(upstreams);
    await ask(upstreams);
    expect(upstreams.status()).toMatchObject([{ endpoints: [{ state: 'failing' }] }]);
    const [before] = [canary.seen.length];
    upstreams.configure({ groups: [group('canary', 99, canary), group('current', 1, current)], timeouts });
    for (let index = 0; index < 5; index++) expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect([canary.seen.length, current.seen.length]).toEqual([before, 5]);
  });

  test('of weight 0 get nothing', async () => {
    const [current, canary] = (await startWorkers(2)) as [Worker, Worker];
    const upstreams = makeUpstreams();
    upstreams.configure({ groups: [group('canary', 0, canary), group('current', 1, current)], timeouts });
    for (let index = 0; index < 20; index++) await ask(upstreams);
    expect([current.seen.length, canary.seen.length]).toEqual([20, 0]);
    expect(upstreams.pick()).toBe(current.address);
  });

  test('may share an endpoint: it has one pool', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams();
    upstreams.configure({ groups: [group('a', 1, worker), group('b', 1, worker)], timeouts });
    for (let index = 0; index < 20; index++) await ask(upstreams);
    expect(worker.connections).toBe(1);
  });
});

describe('kept connections', () => {
  test('no more than may are kept', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams({ maxIdle: 3 });
    configure(upstreams, [worker]);
    await Promise.all(Array.from({ length: 10 }, () => ask(upstreams)));
    expect(endpointsOf(upstreams)[0]?.idle).toBe(3);
    await vi.waitFor(() => expect(worker.sockets.size).toBe(3));
  });

  test('none is kept for longer than it may', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams({ idleMs: 50 });
    configure(upstreams, [worker]);
    await Promise.all(Array.from({ length: 3 }, () => ask(upstreams)));
    await vi.waitFor(() => expect(worker.sockets.size).toBe(0));
    expect(endpointsOf(upstreams)[0]?.idle).toBe(0);
  });

  test('close twice is safe, and what is in flight finishes', async () => {
    const [worker] = (await startWorkers(1)) as [Worker];
    const upstreams = makeUpstreams();
    configure(upstreams, [worker]);
    await Promise.all([ask(upstreams), ask(upstreams)]);
    worker.answer = () => {};
    const asked = new Asked(upstreams).start();
    await vi.waitFor(() => expect(worker.seen).toHaveLength(3));
    upstreams.close();
    upstreams.close();
    await vi.waitFor(() => expect(worker.sockets.size).toBe(1));
    for (const socket of worker.sockets) socket.write(OK);
    expect(await asked.answer).toMatchObject({ status: 200 });
    await vi.waitFor(() => expect(worker.sockets.size).toBe(0));
  });
});
