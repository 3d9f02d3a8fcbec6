import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { type Client, makeClient } from './client.ts';
import { KubeError } from './errors.ts';
import { EVENTS } from './event-object.ts';
import { type EventRecorder, type KubeEvent, makeEventRecorder } from './events.ts';
import type { KubeObject } from './object.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { makeTransport, type Transport } from './transport.ts';

const MINUTE = 60_000;

let server: FakeApiServer;
let transport: Transport;
/** Calls on their way. */
let inFlight = 0;
let recorders: EventRecorder[] = [];
let lines: Record<string, unknown>[] = [];

beforeEach(async () => {
  server = await startFakeApiServer({ resources: [EVENTS] });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'], now: Date.UTC(2026, 10, 22) });
  lines = [];
  inFlight = 0;
});
afterEach(async () => {
  const closed = recorders.map((recorder) => recorder.close(0));
  await vi.advanceTimersByTimeAsync(10);
  await Promise.all(closed);
  recorders = [];
  transport.close();
  vi.useRealTimers();
  await server.close();
});

const log = makeLog((line) => lines.push(JSON.parse(line)), systemClock.wall);

function aRecorder(through: (client: Client) => Client = (client) => client): EventRecorder {
  transport = makeTransport({ access: server.access(), log, clock: systemClock, userAgent: 'test' });
  const client = makeClient({ transport, fieldManager: 'test', metricPrefix: 'test' });
  const recorder = makeEventRecorder({
    client: through(counted(client)),
    controller: 'example.org/operator',
    instance: 'operator-0_abc',
    log,
    clock: systemClock,
  });
  recorders.push(recorder);
  return recorder;
}

function counted(client: Client): Client {
  const count = async <T>(call: () => Promise<T>): Promise<T> => {
    inFlight++;
    try {
      return await call();
    } finally {
      inFlight--;
    }
  };
  return {
    ...client,
    create: (...args) => count(() => client.create(...args)),
    patch: (...args) => count(() => client.patch(...args)),
  };
}

function anEvent(change: Partial<KubeEvent> & { name?: string } = {}): KubeEvent {
  const { name = 'web', ...rest } = change;
  return {
    regarding: {
      apiVersion: 'example.org/v1',
      kind: 'Thing',
      metadata: { namespace: 'shop', name, uid: `uid-${name}` },
    },
    type: 'Warning',
    reason: 'ImageMissing',
    action: 'Rollout',
    note: 'no such image',
    ...rest,
  };
}

/** Sockets are real, time is not: waits for the calls on their way, but not for ever, since some of them hang. */
async function quiet(): Promise<void> {
  for (let idleTurns = 0, turns = 0; idleTurns < 3 && turns < 1_000; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    idleTurns = inFlight === 0 ? idleTurns + 1 : 0;
  }
}

async function pass(ms: number): Promise<void> {
  await quiet();
  await vi.advanceTimersByTimeAsync(ms);
  await quiet();
}

/** Waits until so many events are there; a hang fails by the test's own limit. */
async function stored(count: number): Promise<KubeObject[]> {
  while (server.list(EVENTS).length < count) await new Promise((resolve) => setImmediate(resolve));
  return server.list(EVENTS);
}

const patches = (): number => server.requests.filter(({ method }) => method === 'PATCH').length;

describe('an event', () => {
  test('is an object beside what it regards', async () => {
    aRecorder().record(anEvent());
    const [event] = await stored(1);
    expect(event).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]+$/) },
      eventTime: '2026-11-22T00:00:00.000000Z',
      reportingController: 'example.org/operator',
      reportingInstance: 'operator-0_abc',
      type: 'Warning',
      reason: 'ImageMissing',
      action: 'Rollout',
      note: 'no such image',
      regarding: { apiVersion: 'example.org/v1', kind: 'Thing', namespace: 'shop', name: 'web', uid: 'uid-web' },
    });
    expect(event).not.toHaveProperty('series');
  });

  test('each is one of its own when anything but the time differs', async () => {
    const recorder = aRecorder();
    const others: (Partial<KubeEvent> & { name?: string })[] = [
      {},
      { type: 'Normal' },
      { reason: 'ImageFound' },
      { action: 'Rollback' },
      { note: 'another image' },
      { name: 'api' },
    ];
    for (const other of others) recorder.record(anEvent(other));
    const events = await stored(others.length);
    expect(new Set(events.map(({ metadata }) => metadata.name)).size).toBe(others.length);
  });
});

describe('repeats', () => {
  test('within 6 min are a series on the first, told of once a minute at most, and in the end exactly', async () => {
    const recorder = aRecorder();
    for (let i = 0; i < 100; i++) {
      recorder.record(anEvent());
      await pass(1_000);
    }
    expect(patches()).toBe(1);
    await pass(3 * MINUTE);
    const [event, ...others] = server.list(EVENTS);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ series: { count: 100, lastObservedTime: '2026-11-22T00:01:39.000000Z' } });
    expect(patches()).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('after 6 min are a new event', async () => {
    const recorder = aRecorder();
    recorder.record(anEvent());
    await pass(6 * MINUTE - 1);
    recorder.record(anEvent());
    await pass(6 * MINUTE + 1);
    recorder.record(anEvent());
    expect(await stored(2)).toHaveLength(2);
    await pass(2 * MINUTE);
    expect(server.list(EVENTS).map((event) => event['series'])).toContainEqual(expect.objectContaining({ count: 2 }));
  });

  test('of an event that is gone from the cluster (they live an hour) begin anew, and nobody is bothered', async () => {
    const recorder = aRecorder();
    recorder.record(anEvent());
    const [{ metadata } = anEvent().regarding] = await stored(1);
    server.remove(EVENTS, { namespace: 'shop', name: metadata.name });
    recorder.record(anEvent());
    await pass(2 * MINUTE);
    expect([patches(), server.list(EVENTS)]).toEqual([1, []]);
    recorder.record(anEvent());
    await stored(1);
    expect(lines).toEqual([]);
  });
});

describe('floods', () => {
  test('25 at once for an object, then one in 5 min; other objects are not held back', async () => {
    const recorder = aRecorder();
    for (let i = 0; i < 200; i++) recorder.record(anEvent({ note: `number ${i}` }));
    recorder.record(anEvent({ name: 'api' }));
    await stored(26);
    await pass(10 * MINUTE);
    for (let i = 0; i < 200; i++) recorder.record(anEvent({ note: `later ${i}` }));
    await stored(28);
    await pass(MINUTE);
    expect(server.list(EVENTS)).toHaveLength(28);
  });

  test('a series uses up the allowance too', async () => {
    const recorder = aRecorder();
    for (let minute = 0; minute < 60; minute++) {
      recorder.record(anEvent());
      await pass(MINUTE);
    }
    // 25 and 12 that came back in an hour; the event itself is one of them.
    expect(server.writes.length).toBeLessThanOrEqual(37);
    expect(patches()).toBeGreaterThan(30);
  });

  test('while the API server does not answer: the oldest are dropped, counted, and the rest is told in the end', async () => {
    const recorder = aRecorder();
    const hang = server.fail({ method: 'POST' }, { delayMs: 10_000 });
    for (let i = 0; i < 2_500; i++) recorder.record(anEvent({ name: `thing-${i}` }));
    await quiet();
    expect([hang.hits, server.list(EVENTS).length]).toEqual([1, 0]);
    await pass(10_000);
    await stored(2_001);
    await quiet();
    const names = server.list(EVENTS).map((event) => event.metadata.name.split('.')[0]);
    expect([names.length, names.includes('thing-0'), names.includes('thing-1'), names.includes('thing-2499')]).toEqual([
      2_001,
      true,
      false,
      true,
    ]);
    expect(lines).toMatchObject([{ level: 'warn', dropped: 1 }]);
  });
});

describe('failures', () => {
  test.each([500, 422, 409])('%i: dropped, and told of once a minute', async (status) => {
    const recorder = aRecorder();
    server.fail({ method: 'POST', times: 300 }, { status });
    for (let i = 0; i < 150; i++) {
      recorder.record(anEvent({ name: `thing-${i}` }));
      await pass(1_000);
    }
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toMatchObject({
      level: 'warn',
      msg: 'an Event could not be told',
      status,
      dropped: 121,
      leftOut: 59,
    });
  });

  test.each([403, 404])(
    '%i (the namespace is being deleted, or we may not): dropped without a word',
    async (status) => {
      const recorder = aRecorder();
      server.fail({ method: 'POST' }, { status });
      recorder.record(anEvent());
      await pass(1_000);
      expect([server.writes.length, server.list(EVENTS), lines]).toEqual([1, [], []]);
      recorder.record(anEvent());
      await stored(1);
    },
  );

  test('record never throws and never waits, whatever becomes of it', async () => {
    const recorder = aRecorder((client) => ({
      ...client,
      create: () => {
        throw new KubeError('CREDENTIALS', 'no token');
      },
    }));
    expect(recorder.record(anEvent())).toBeUndefined();
    await pass(1_000);
    expect(lines).toMatchObject([{ code: 'CREDENTIALS' }]);
  });
});

describe('close', () => {
  test('sends what is queued and what series have untold; records nothing more; twice is the same', async () => {
    const recorder = aRecorder();
    for (let i = 0; i < 50; i++) recorder.record(anEvent({ name: `thing-${i % 10}` }));
    const closed = recorder.close(30_000);
    recorder.record(anEvent({ name: 'late' }));
    expect(recorder.close(0)).toBe(closed);
    await closed;
    const events = server.list(EVENTS);
    expect(events).toHaveLength(10);
    for (const event of events) expect(event).toMatchObject({ series: { count: 5 } });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('waits no longer than its grace for an API server that does not answer, and sends nothing afterwards', async () => {
    const recorder = aRecorder();
    server.fail({ method: 'POST', times: 10 }, { delayMs: 5_000 });
    recorder.record(anEvent());
    recorder.record(anEvent({ name: 'api' }));
    await quiet();
    let closed = false;
    void recorder.close(2_000).then(() => {
      closed = true;
    });
    await pass(1_999);
    expect(closed).toBe(false);
    await pass(1);
    expect(closed).toBe(true);
    await pass(20_000);
    expect([server.writes.length, lines]).toEqual([1, []]);
  });

  test('a call that breaks after the grace is nothing to speak of', async () => {
    const recorder = aRecorder();
    server.fail({ method: 'POST' }, { silence: true });
    recorder.record(anEvent());
    await quiet();
    const closed = recorder.close(100);
    await pass(100);
    await closed;
    transport.close();
    await quiet();
    expect(lines).toEqual([]);
  });

  test('with nothing to send, at once', async () => {
    await aRecorder().close(30_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
