import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeQueue, type Priority, type WorkQueue } from './queue.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
const queues: WorkQueue[] = [];
afterEach(() => {
  for (const queue of queues.splice(0)) queue.close();
  vi.useRealTimers();
});

/** A queue whose jitter is at its upper end, so that waits are round numbers. */
function aQueue({ registry, random = () => 1 }: { registry?: Registry; random?: () => number } = {}): WorkQueue {
  const queue = makeQueue({ name: 'test', clock: systemClock, random, ...(registry && { registry }) });
  queues.push(queue);
  return queue;
}

/** Takes what is due now; each is done at once. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const key = await queue.take();
    if (key === undefined) break;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

/** What a taker that waits has got by now. */
async function settled<T>(promise: Promise<T>): Promise<T | 'waits'> {
  await Promise.resolve();
  return Promise.race([promise, Promise.resolve('waits' as const)]);
}

const live = { priority: 'live' } as const;
const background = { priority: 'background' } as const;

describe('a set, not a list', () => {
  test.each<[string, (queue: WorkQueue) => void, string[]]>([
    ['in the order of arrival', (q) => ['a', 'b', 'c'].map((key) => q.add(key)), ['a', 'b', 'c']],
    ['the same key once', (q) => ['a', 'b', 'a', 'a'].map((key) => q.add(key)), ['a', 'b']],
    [
      'live before background, whichever came first',
      (q) => {
        q.add('a', background);
        q.add('b', live);
        q.add('c', background);
      },
      ['b', 'a', 'c'],
    ],
    [
      'a live change brings a background key forward',
      (q) => {
        q.add('a', background);
        q.add('b', background);
        q.add('b', live);
      },
      ['b', 'a'],
    ],
    [
      'a background add holds no live key back',
      (q) => {
        q.add('a', live);
        q.add('a', background);
        q.add('b', live);
      },
      ['a', 'b'],
    ],
    [
      'a delay holds back nothing that is due',
      (q) => {
        q.add('a');
        q.add('a', { afterMs: 1_000 });
      },
      ['a'],
    ],
    [
      'a delayed live add brings a due background key forward',
      (q) => {
        q.add('a', background);
        q.add('b', background);
        q.add('b', { afterMs: 1_000, ...live });
      },
      ['b', 'a'],
    ],
    [
      'no time, a past one or none that is a number: at once',
      (q) => {
        q.add('a', { afterMs: 0 });
        q.add('b', { afterMs: -5 });
        q.add('c', { afterMs: Number.NaN });
      },
      ['a', 'b', 'c'],
    ],
  ])('%s', async (_name, fill, wanted) => {
    const queue = aQueue();
    fill(queue);
    expect(queue.depth).toBe(wanted.length);
    expect(await drain(queue)).toEqual(wanted);
  });

  test('every 10th is a background key, so that a flood of changes starves nobody', async () => {
    const queue = aQueue();
    for (let i = 0; i < 40; i++) queue.add(`live-${i}`);
    for (let i = 0; i < 3; i++) queue.add(`background-${i}`, background);
    const turns = (await drain(queue)).flatMap((key, turn) => (key.startsWith('background') ? [turn] : []));
    expect(turns).toEqual([9, 19, 29]);
  });
});

describe('while a key is in work', () => {
  test('it is given to nobody else, and comes again once when it is done', async () => {
    const queue = aQueue();
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    const other = queue.take();
    expect(await settled(other)).toBe('waits');
    queue.done('a');
    expect(await other).toBe('a');
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  test('what was delayed meanwhile becomes due and waits for done', async () => {
    const queue = aQueue();
    queue.add('a');
    await queue.take();
    queue.add('a', { afterMs: 100 });
    await vi.advanceTimersByTimeAsync(100);
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await drain(queue)).toEqual(['a']);
  });

  test('a change ends the wait of a delayed key: it comes once, not twice', async () => {
    const queue = aQueue();
    queue.add('a');
    await queue.take();
    queue.add('a', { afterMs: 100 });
    queue.add('a');
    queue.done('a');
    expect(await drain(queue)).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(queue.depth).toBe(0);
  });

  test('done without take, or twice, does nothing', async () => {
    const queue = aQueue();
    queue.done('a');
    queue.add('a');
    await queue.take();
    queue.done('a');
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  test.each<[string, (queue: WorkQueue) => void]>([
    ['added live, after it was added as background', (q) => q.add('a')],
    ['added live with a delay', (q) => q.add('a', { priority: 'live', afterMs: 10 })],
  ])('%s: it comes back live', async (_name, addLive) => {
    const queue = aQueue();
    queue.add('a', background);
    await queue.take();
    queue.add('a', background);
    addLive(queue);
    queue.add('b', background);
    queue.done('a');
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  test('a retry keeps the priority with which the key was taken', async () => {
    const queue = aQueue();
    queue.add('a', background);
    await queue.take();
    queue.retry('a');
    queue.done('a');
    await vi.advanceTimersByTimeAsync(5);
    queue.add('b', live);
    expect(await drain(queue)).toEqual(['b', 'a']);
  });

  test.each<[Priority, string[]]>([
    ['background', ['change', 'again']],
    ['live', ['again', 'change']],
  ])('taken as %s, it looks again with the same priority', async (priority, wanted) => {
    const queue = aQueue();
    queue.add('again', { priority });
    await queue.take();
    queue.add('again', { afterMs: 100 });
    queue.done('again');
    await vi.advanceTimersByTimeAsync(100);
    queue.add('change');
    expect(await drain(queue)).toEqual(wanted);
  });
});

describe('delays', () => {
  test('one timer for all, the earliest first', async () => {
    const queue = aQueue();
    for (const ms of [500, 100, 300, 200, 400]) queue.add(`after-${ms}`, { afterMs: ms });
    expect(vi.getTimerCount()).toBe(1);
    const order: string[] = [];
    for (let step = 0; step < 5; step++) {
      await vi.advanceTimersByTimeAsync(100);
      order.push(...(await drain(queue)));
    }
    expect(order).toEqual(['after-100', 'after-200', 'after-300', 'after-400', 'after-500']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ['an earlier time', 100, 50, 50],
    ['a later time', 100, 500, 100],
  ])('%s for a key that waits', async (_name, first, second, comes) => {
    const queue = aQueue();
    queue.add('a', { afterMs: first });
    queue.add('a', { afterMs: second });
    await vi.advanceTimersByTimeAsync(comes - 1);
    expect(queue.depth).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(await drain(queue)).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(queue.depth).toBe(0);
  });

  test('the higher priority wins for a key that waits', async () => {
    const queue = aQueue();
    queue.add('b', { afterMs: 10, ...background });
    queue.add('a', { afterMs: 20, ...live });
    queue.add('a', { afterMs: 20, ...background });
    await vi.advanceTimersByTimeAsync(20);
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  test('a wait longer than Node can set a timer for is no wait of 1 ms', async () => {
    const queue = aQueue();
    const set = vi.spyOn(globalThis, 'setTimeout');
    queue.add('a', { afterMs: 2 ** 31 + 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect([queue.depth, set.mock.calls.length]).toEqual([0, 1]);
    set.mockRestore();
    await vi.advanceTimersByTimeAsync(2 ** 31);
    expect(queue.depth).toBe(1);
  });

  test('a taker that waits gets a delayed key when it is due', async () => {
    const queue = aQueue();
    const taken = queue.take();
    queue.add('a', { afterMs: 100 });
    expect(await settled(taken)).toBe('waits');
    await vi.advanceTimersByTimeAsync(100);
    expect(await taken).toBe('a');
  });
});

describe('backoff', () => {
  /** Milliseconds until the key is due. */
  async function waitOf(queue: WorkQueue, key: string): Promise<number> {
    const begun = systemClock.now();
    const taken = queue.take();
    await vi.runOnlyPendingTimersAsync();
    expect(await taken).toBe(key);
    return systemClock.now() - begun;
  }

  test('doubles from 5 ms to 1,000 s for each key by itself, and begins anew when forgotten', async () => {
    const queue = aQueue();
    const waits: number[] = [];
    for (let failure = 0; failure < 20; failure++) {
      queue.retry('a');
      waits.push(await waitOf(queue, 'a'));
      queue.done('a');
    }
    expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(waits.slice(-2)).toEqual([1_000_000, 1_000_000]);
    queue.retry('b');
    expect(await waitOf(queue, 'b')).toBe(5);
    queue.done('b');
    queue.forget('a');
    queue.retry('a');
    expect(await waitOf(queue, 'a')).toBe(5);
  });

  test('jitter halves a wait at most', async () => {
    const queue = aQueue({ random: () => 0 });
    queue.retry('a');
    await vi.advanceTimersByTimeAsync(2);
    expect(queue.depth).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(queue.depth).toBe(1);
  });

  test.each([
    ['longer than the backoff: that, and a tenth as jitter', 60_000, 66_000],
    ['shorter: the backoff', 1, 5],
    ['no number: the backoff', Number.NaN, 5],
  ])('at least: %s', async (_name, atLeastMs, wanted) => {
    const queue = aQueue();
    queue.retry('a', { atLeastMs });
    expect(await waitOf(queue, 'a')).toBe(wanted);
  });

  test('a change is not held back by the backoff', async () => {
    const queue = aQueue();
    queue.retry('a', { atLeastMs: 60_000 });
    queue.add('a');
    expect(await drain(queue)).toEqual(['a']);
  });
});

describe('close', () => {
  test('takers get undefined, now and later; what is there is let go; no timer stays', async () => {
    const queue = aQueue();
    const waits = [queue.take(), queue.take()];
    queue.add('delayed', { afterMs: 100 });
    queue.close();
    queue.close();
    expect(await Promise.all(waits)).toEqual([undefined, undefined]);
    queue.add('a');
    queue.retry('b');
    expect(await queue.take()).toBeUndefined();
    expect([queue.depth, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('keys that were due are not given out any more, and one in work may be done', async () => {
    const queue = aQueue();
    queue.add('a');
    queue.add('b');
    await queue.take();
    queue.add('a');
    queue.close();
    queue.done('a');
    expect(await queue.take()).toBeUndefined();
    expect(queue.depth).toBe(0);
  });
});

describe('metrics', () => {
  async function values(registry: Registry): Promise<Record<string, number>> {
    const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  }
  const labels = 'name="test",controller="test"';

  test('count and time by the names of client-go', async () => {
    const registry = new Registry();
    const queue = aQueue({ registry });
    queue.add('a');
    queue.add('a');
    queue.add('b', { priority: 'background' });
    queue.add('c', { priority: 'background' });
    await vi.advanceTimersByTimeAsync(3_000);
    await queue.take();
    await vi.advanceTimersByTimeAsync(2_000);
    await queue.take();
    await vi.advanceTimersByTimeAsync(4_000);
    queue.retry('b');
    queue.done('b');
    expect(await values(registry)).toMatchObject({
      [`workqueue_depth{${labels},priority="0"}`]: 0,
      [`workqueue_depth{${labels},priority="-100"}`]: 1,
      [`workqueue_adds_total{${labels}}`]: 3,
      [`workqueue_retries_total{${labels}}`]: 1,
      [`workqueue_queue_duration_seconds_sum{${labels}}`]: 8,
      [`workqueue_work_duration_seconds_sum{${labels}}`]: 4,
      [`workqueue_unfinished_work_seconds{${labels}}`]: 6,
      [`workqueue_longest_running_processor_seconds{${labels}}`]: 6,
    });
  });

  test('several queues share one declaration, and a closed one has no depth', async () => {
    const registry = new Registry();
    const closed = aQueue({ registry });
    const other = makeQueue({ name: 'other', clock: systemClock, registry });
    queues.push(other);
    other.add('a');
    closed.close();
    const names = Object.entries(await values(registry)).filter(([name]) => name.startsWith('workqueue_depth'));
    expect(names).toEqual([
      ['workqueue_depth{name="other",controller="other",priority="0"}', 1],
      ['workqueue_depth{name="other",controller="other",priority="-100"}', 0],
    ]);
  });
});

describe('any order of events', () => {
  /** A small generator with a seed: a failure can be had again (mulberry32). */
  function dice(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i: a key is never in two workers, and none is lost', async (seed) => {
    const random = dice(seed);
    const pick = (count: number): number => Math.floor(random() * count);
    const queue = aQueue({ random });
    const inWork = new Set<string>();
    const twice: string[] = [];
    /** Keys added since they were last taken: each must still come. */
    const owed = new Set<string>();
    let stopping = false;
    const worker = async (): Promise<void> => {
      for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
        if (inWork.has(key)) twice.push(key);
        inWork.add(key);
        owed.delete(key);
        await new Promise((resolve) => setTimeout(resolve, pick(20)));
        const fate = stopping ? 0 : pick(4);
        if (fate === 1) queue.add(key, { afterMs: pick(50) });
        else if (fate === 2) queue.retry(key);
        else queue.forget(key);
        if (fate === 1 || fate === 2) owed.add(key);
        inWork.delete(key);
        queue.done(key);
      }
    };
    const workers = Promise.all([worker(), worker(), worker(), worker()]);
    for (let step = 0; step < 3_000; step++) {
      const key = `key-${pick(30)}`;
      const priority = pick(2) === 0 ? 'live' : 'background';
      const options = pick(3) === 0 ? { priority, afterMs: pick(100) } : { priority };
      if (pick(10) === 0) queue.retry(key);
      else queue.add(key, options as { priority: Priority; afterMs?: number });
      owed.add(key);
      if (pick(3) === 0) await vi.advanceTimersByTimeAsync(pick(10));
    }
    stopping = true;
    await vi.advanceTimersByTimeAsync(1_100_000);
    expect({ twice, owed: [...owed], inWork: [...inWork], depth: queue.depth, timers: vi.getTimerCount() }).toEqual({
      twice: [],
      owed: [],
      inWork: [],
      depth: 0,
      timers: 0,
    });
    queue.close();
    await workers;
  });
});
