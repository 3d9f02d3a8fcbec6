import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { type Log, makeLog } from '../core/log.ts';
import {
  type Controller,
  type ControllerOptions,
  isPanic,
  makeController,
  type Reconcile,
  type ReconcileResult,
} from './controller.ts';
import { KubeError } from './errors.ts';
import { makeQueue, type WorkQueue } from './queue.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
const running: { controller: Controller; queue: WorkQueue }[] = [];
afterEach(async () => {
  const stops = running.splice(0).map(({ controller }) => controller.stop(0));
  await vi.advanceTimersByTimeAsync(2_000);
  await Promise.all(stops);
  vi.useRealTimers();
});

interface Rig {
  readonly queue: WorkQueue;
  readonly controller: Controller;
  /** When each pass began, in ms since the start. */
  readonly passes: { key: string; at: number }[];
  readonly lines: Record<string, unknown>[];
  metric(name: string, labels?: Record<string, string>): Promise<number | undefined>;
}

function aRig(reconcile: Reconcile, options: Partial<ControllerOptions> = {}): Rig {
  const registry = new Registry();
  const lines: Record<string, unknown>[] = [];
  const log: Log = makeLog((line) => lines.push(JSON.parse(line)), systemClock.wall, 'debug');
  const queue = makeQueue({ name: 'test', clock: systemClock, random: () => 1, registry });
  const passes: { key: string; at: number }[] = [];
  const begun = systemClock.now();
  const controller = makeController({
    name: 'test',
    queue,
    reconcile: (key, signal) => {
      passes.push({ key, at: systemClock.now() - begun });
      return reconcile(key, signal);
    },
    log,
    clock: systemClock,
    registry,
    ...options,
  });
  running.push({ controller, queue });
  return {
    queue,
    controller,
    passes,
    lines,
    async metric(name, labels = {}) {
      const values = (await registry.getSingleMetric(`controller_runtime_${name}`)?.get())?.values ?? [];
      return values.find((value) =>
        Object.entries(labels).every(([label, wanted]) => String(value.labels[label]) === wanted),
      )?.value;
    },
  };
}

/** A pass that lasts until it is let go; told of its abort only if it cares. */
function heldPass({ cares = true }: { cares?: boolean } = {}): {
  reconcile: Reconcile;
  end: () => void;
  signals: AbortSignal[];
} {
  const signals: AbortSignal[] = [];
  let end = (): void => undefined;
  const reconcile: Reconcile = (_key, signal) => {
    signals.push(signal);
    return new Promise((resolve, reject) => {
      end = () => resolve({});
      if (cares) signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  return { reconcile, end: () => end(), signals };
}

const throws = (error: unknown) => async (): Promise<ReconcileResult> => {
  throw error;
};

describe('what becomes of a key', () => {
  const api = (status: number, reason: string, retryAfterMs?: number): KubeError =>
    new KubeError('API', `the server says ${reason}`, { status, reason, retryAfterMs });

  const REFUSED = { firstMs: 3_000, maxMs: 60_000, factor: 2 };

  // The second pass is the one whose time tells: its own outcome is a success.
  test.each<[string, () => Promise<ReconcileResult>, string, number | undefined]>([
    ['success: nothing more', async () => ({}), 'success', undefined],
    ['look again later', async () => ({ requeueAfterMs: 30_000 }), 'requeue_after', 30_000],
    ['look again at once: not sooner than in 100 ms', async () => ({ requeueAfterMs: 0 }), 'requeue_after', 100],
    [
      'look again at no time that is a number: in 100 ms',
      async () => ({ requeueAfterMs: Number.NaN }),
      'requeue_after',
      100,
    ],
    ['refused: after the wait it names', async () => ({ retry: REFUSED }), 'requeue', 3_000],
    ['a refusal goes before a look', async () => ({ retry: REFUSED, requeueAfterMs: 1_000 }), 'requeue', 3_000],
    ['nobody answers: soon', throws(new KubeError('NETWORK', 'away')), 'error', 200],
    ['no answer in time: soon', throws(new KubeError('TIMEOUT', 'late')), 'error', 200],
    ['a conflict: backoff', throws(api(409, 'Conflict')), 'error', 5],
    ['Retry-After: at least so long', throws(api(429, 'TooManyRequests', 2_000)), 'error', 2_200],
    ['an absurd Retry-After: 10 min', throws(api(503, '', 9e15)), 'error', 660_000],
    ['an Error: backoff', throws(new Error('no')), 'error', 5],
    ['a text that was thrown: backoff', throws('no'), 'error', 5],
    ['nothing that was thrown: backoff', throws(undefined), 'error', 5],
    ['an object without a way to be a text: backoff', throws(Object.create(null)), 'error', 5],
    [
      'thrown before there was a promise: backoff',
      () => {
        throw new Error('no');
      },
      'error',
      5,
    ],
  ])('%s', async (_name, first, result, comesAfterMs) => {
    let pass = 0;
    const rig = aRig(() => (pass++ === 0 ? first() : Promise.resolve({})));
    rig.controller.start();
    rig.queue.add('shop/web');
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(rig.passes.map(({ at }) => at)).toEqual(comesAfterMs === undefined ? [0] : [0, comesAfterMs]);
    expect(await rig.metric('reconcile_total', { result })).toBe(1);
    expect(await rig.metric('reconcile_errors_total')).toBe(result === 'error' ? 1 : 0);
  });

  test('failures double the wait; a success makes the next failure a first one', async () => {
    const outcomes = ['no', 'no', 'no', 'yes', 'no', 'yes'];
    const rig = aRig(async () => {
      if (outcomes.shift() === 'no') throw api(409, 'Conflict');
      return outcomes.length > 0 ? { requeueAfterMs: 1_000 } : {};
    });
    rig.controller.start();
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(10_000);
    const times = rig.passes.map(({ at }) => at);
    expect(times.map((at, index) => at - (times[index - 1] ?? 0))).toEqual([0, 5, 10, 20, 1_000, 5]);
  });

  test('after a long time without an answer, a refusal is the first, and nothing waits long', async () => {
    const outcomes = [...Array(30).fill('away'), 'refused', 'refused', 'no', 'yes'];
    const rig = aRig(async () => {
      const outcome = outcomes.shift();
      if (outcome === 'away') throw new KubeError('NETWORK', outcome);
      if (outcome === 'no') throw api(500, 'InternalError');
      return outcome === 'refused' ? { retry: REFUSED } : {};
    });
    rig.controller.start();
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(1_000_000);
    const times = rig.passes.map(({ at }) => at);
    const waits = times.map((at, index) => at - (times[index - 1] ?? 0));
    expect(waits.slice(0, 8)).toEqual([0, 200, 400, 800, 1_600, 3_200, 6_400, 10_000]);
    expect(waits.slice(28)).toEqual([10_000, 10_000, 10_000, 3_000, 6_000, 5]);
  });

  test('one key that always fails holds up no other', async () => {
    const rig = aRig(async (key) => (key === 'bad' ? throws(new Error('no'))() : {}), { concurrency: 1 });
    rig.controller.start();
    rig.queue.add('bad');
    for (let i = 0; i < 50; i++) rig.queue.add(`good-${i}`);
    await vi.advanceTimersByTimeAsync(4);
    expect(new Set(rig.passes.map(({ key }) => key)).size).toBe(51);
  });
});

describe('passes at a time', () => {
  test('as many as are allowed, and never two of one key', async () => {
    let atATime = 0;
    let most = 0;
    const keys = new Set<string>();
    const rig = aRig(
      async (key) => {
        expect(keys.has(key)).toBe(false);
        keys.add(key);
        most = Math.max(most, ++atATime);
        await new Promise((resolve) => setTimeout(resolve, 10));
        atATime--;
        keys.delete(key);
        return {};
      },
      { concurrency: 3 },
    );
    rig.controller.start();
    rig.controller.start();
    for (let i = 0; i < 20; i++) rig.queue.add(`key-${i % 7}`);
    await vi.advanceTimersByTimeAsync(5);
    expect(await rig.metric('active_workers')).toBe(3);
    for (let i = 0; i < 20; i++) rig.queue.add(`key-${i % 7}`);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([most, await rig.metric('max_concurrent_reconciles'), await rig.metric('active_workers')]).toEqual([
      3, 3, 0,
    ]);
    expect(await rig.metric('reconcile_errors_total')).toBe(0);
  });

  test.each([0, Number.NaN, -1])('%d passes at a time are refused at once', (concurrency) => {
    const queue = makeQueue({ name: 'test', clock: systemClock });
    const log = makeLog(() => undefined, systemClock.wall);
    const options = { name: 'test', queue, log, clock: systemClock, reconcile: async () => ({}) };
    expect(() => makeController({ ...options, concurrency })).toThrow(RangeError);
    queue.close();
  });
});

describe('a pass that takes too long', () => {
  test('is aborted, counted, and tried again', async () => {
    const held = heldPass();
    let first = true;
    const rig = aRig(
      (key, signal) => {
        if (!first) return Promise.resolve({});
        first = false;
        return held.reconcile(key, signal);
      },
      { passTimeoutMs: 1_000 },
    );
    rig.controller.start();
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(999);
    expect(rig.passes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1 + 200);
    expect(rig.passes.map(({ at }) => at)).toEqual([0, 1_200]);
    expect(await rig.metric('reconcile_timeouts_total')).toBe(1);
    expect(rig.lines).toMatchObject([{ level: 'warn', msg: 'a pass failed', key: 'a', code: 'TIMEOUT' }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('and does not care about it keeps its key to itself, and is told of', async () => {
    const held = heldPass({ cares: false });
    const rig = aRig(held.reconcile, { passTimeoutMs: 1_000 });
    rig.controller.start();
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(10);
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rig.passes).toHaveLength(1);
    expect(rig.lines).toMatchObject([{ level: 'error', msg: 'a pass goes on though it is aborted', key: 'a' }]);
    held.end();
    await vi.advanceTimersByTimeAsync(1);
    expect(rig.passes).toHaveLength(2);
  });
});

describe('stop', () => {
  test('passes in work finish; no key is taken any more; twice is the same', async () => {
    const held = heldPass();
    const rig = aRig(held.reconcile, { concurrency: 1 });
    rig.controller.start();
    rig.queue.add('a');
    rig.queue.add('b');
    await vi.advanceTimersByTimeAsync(1);
    let stopped = false;
    const stop = rig.controller.stop(30_000).then(() => {
      stopped = true;
    });
    expect(rig.controller.stop(0)).toBeInstanceOf(Promise);
    await vi.advanceTimersByTimeAsync(20_000);
    expect([stopped, held.signals[0]?.aborted]).toEqual([false, false]);
    held.end();
    await stop;
    expect(rig.passes.map(({ key }) => key)).toEqual(['a']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('passes that do not finish are aborted after the grace, without being told of as failures', async () => {
    const held = heldPass();
    const rig = aRig((key, signal) => (key === 'ends' ? Promise.resolve({}) : held.reconcile(key, signal)));
    rig.controller.start();
    rig.queue.add('ends');
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(1);
    const stop = rig.controller.stop(30_000);
    await vi.advanceTimersByTimeAsync(30_000);
    await stop;
    expect(held.signals[0]?.reason).toMatchObject({ code: 'CLOSED' });
    expect(rig.lines).toMatchObject([{ msg: 'passes are aborted: they did not end in time', passes: 1 }]);
  });

  test('ends even when a pass never does', async () => {
    const rig = aRig(heldPass({ cares: false }).reconcile);
    rig.controller.start();
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(1);
    const stop = rig.controller.stop(100);
    await vi.advanceTimersByTimeAsync(1_100);
    await stop;
    expect(rig.lines.map(({ level }) => level)).toEqual(['warn', 'error']);
  });

  test('before it was started, and never started afterwards', async () => {
    const rig = aRig(async () => ({}));
    await rig.controller.stop(1_000);
    rig.controller.start();
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rig.passes).toEqual([]);
  });
});

describe('what is told', () => {
  test("a KubeError by its fields and without a stack, a program's fault with it", async () => {
    const errors = [
      new KubeError('API', 'admission says no', { status: 422, reason: 'Invalid' }),
      new TypeError('undefined is not a function'),
    ];
    const rig = aRig(async () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
      return {};
    });
    rig.controller.start();
    rig.queue.add('shop/web');
    await vi.advanceTimersByTimeAsync(100);
    expect(rig.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        msg: 'a pass failed',
        controller: 'test',
        key: 'shop/web',
        code: 'API',
        status: 422,
        reason: 'Invalid',
        error: 'admission says no',
      }),
      expect.objectContaining({ level: 'error', error: expect.stringContaining('controller.test.ts') }),
    ]);
    expect(await rig.metric('reconcile_panics_total')).toBe(1);
  });

  test('1,000 keys that fail together fill no log, and what was left out is counted', async () => {
    const rig = aRig(throws(new KubeError('NETWORK', 'away')));
    rig.controller.start();
    for (let i = 0; i < 1_000; i++) rig.queue.add(`key-${i}`);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rig.passes.length).toBeGreaterThan(1_000);
    expect(rig.lines.length).toBeLessThanOrEqual(60);
    expect(rig.lines.reduce((sum, { leftOut }) => sum + Number(leftOut ?? 0), 0)).toBeGreaterThan(1_000);
  });

  test.each<[unknown, boolean]>([
    [new TypeError('x'), true],
    [new RangeError('x'), true],
    [new ReferenceError('x'), true],
    ['a text', true],
    [undefined, true],
    [new Error('x'), false],
    [new KubeError('API', 'x'), false],
  ])('%s is the fault of the program: %s', (error, wanted) => expect(isPanic(error)).toBe(wanted));

  test('time as a histogram, and every series is there before the first pass', async () => {
    const rig = aRig(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return {};
    });
    for (const result of ['success', 'error', 'requeue', 'requeue_after'])
      expect(await rig.metric('reconcile_total', { controller: 'test', result })).toBe(0);
    rig.controller.start();
    rig.queue.add('a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await rig.metric('reconcile_time_seconds', { le: '0.25' })).toBe(0);
    expect(await rig.metric('reconcile_time_seconds', { le: '0.3' })).toBe(1);
  });
});
