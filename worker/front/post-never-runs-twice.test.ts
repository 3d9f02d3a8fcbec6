// The promise of the accept handshake, as a table: at whatever point a process dies, a request that may not be repeated runs
// at most once, and one that had not begun is served.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeRig } from './rig.ts';
import { ScriptedPool, type ScriptedSlot } from './scripted-pool.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Where a process dies: what it says before. `ran`: whether the application has begun by then. */
const DEATHS = {
  'before it accepted': { ran: false, say: () => {} },
  'after it accepted': { ran: true, say: (slot: ScriptedSlot) => slot.consumer.onAccepted() },
  'after an early hint': {
    ran: true,
    say: (slot: ScriptedSlot) => {
      slot.consumer.onAccepted();
      slot.consumer.onInform(103, ['Link', '</a>']);
    },
  },
  'after its head': {
    ran: true,
    say: (slot: ScriptedSlot) => {
      slot.consumer.onAccepted();
      slot.consumer.onHead(200, 'OK', []);
    },
  },
  'in its body': {
    ran: true,
    say: (slot: ScriptedSlot) => {
      slot.consumer.onAccepted();
      slot.consumer.onHead(200, 'OK', []);
      slot.consumer.onData(Buffer.from('half'));
    },
  },
} as const;

/** Method, death, what the client hears. 'served': the second process answered. */
const TABLE: [string, keyof typeof DEATHS, string][] = [
  ['POST', 'before it accepted', 'respond 200'],
  ['POST', 'after it accepted', 'fail PROCESS_DIED'],
  ['POST', 'after an early hint', 'fail PROCESS_DIED'],
  ['POST', 'after its head', 'fail PROCESS_DIED'],
  ['POST', 'in its body', 'fail PROCESS_DIED'],
  ['PATCH', 'before it accepted', 'respond 200'],
  ['PATCH', 'after it accepted', 'fail PROCESS_DIED'],
  ['GET', 'before it accepted', 'respond 200'],
  ['GET', 'after it accepted', 'respond 200'],
  ['GET', 'after an early hint', 'fail PROCESS_DIED'],
  ['GET', 'after its head', 'fail PROCESS_DIED'],
  ['GET', 'in its body', 'fail PROCESS_DIED'],
  ['PUT', 'after it accepted', 'respond 200'],
  ['DELETE', 'after it accepted', 'respond 200'],
];

describe.each(TABLE)('%s whose process dies %s', (method, point, outcome) => {
  test(outcome, () => {
    const pool = new ScriptedPool(2);
    const { ask, counters, dispatcher } = makeRig(pool);
    const exchange = ask(method);
    const first = pool.slot(0);
    DEATHS[point].say(first);
    first.process.die();
    vi.advanceTimersByTime(10);
    const again = outcome === 'respond 200';
    if (again) {
      const second = pool.slot(1);
      expect(second.process).not.toBe(first.process);
      second.consumer.onAccepted();
      second.respond();
    }
    expect(pool.sent.length).toBe(again ? 2 : 1);
    const mayRepeat = ['GET', 'PUT', 'DELETE'].includes(method);
    const runs = Number(DEATHS[point].ran) + Number(again);
    expect(runs === 1 || mayRepeat).toBe(true);
    expect(exchange.story.at(-1)).toBe(outcome);
    expect(exchange.status).toBe(again || point.includes('head') || point.includes('body') ? 200 : 502);
    expect(counters.redispatched).toBe(again ? 1 : 0);
    expect(pool.broken).toEqual([first.process.id]);
    expect({ busy: pool.busy, waiting: dispatcher.queue.length, inFlight: counters.answers.inFlight }).toEqual({
      busy: 0,
      waiting: 0,
      inFlight: 0,
    });
  });
});

test('a GET that kills its process is given to one more, not to all', () => {
  const pool = new ScriptedPool(5);
  pool.script = (slot) => setImmediate(() => slot.process.die());
  const exchange = makeRig(pool).ask('GET');
  vi.advanceTimersByTime(10);
  expect(pool.broken).toEqual([1, 2]);
  expect(exchange.status).toBe(502);
});

test('a POST that no process lives to accept is not handed on without end', () => {
  const pool = new ScriptedPool(50);
  pool.script = (slot) => setImmediate(() => slot.process.die());
  const exchange = makeRig(pool).ask('POST');
  vi.advanceTimersByTime(10);
  expect(pool.sent.length).toBe(4);
  expect(exchange.status).toBe(502);
});

test('processes that die together take a request with them once', () => {
  const pool = new ScriptedPool(4);
  const exchange = makeRig(pool).ask('GET');
  const doomed = pool.takers.slice(0, 3);
  // One turn of the event loop brings all three deaths; the request was with the first.
  for (const process of doomed) {
    process.die();
    pool.onBroken(process);
  }
  vi.advanceTimersByTime(10);
  pool.slot(1).respond();
  expect(pool.slot(1).process.id).toBe(4);
  expect(exchange.status).toBe(200);
});

test('one that comes back is served before those that wait, when a process is there again', () => {
  const pool = new ScriptedPool(1);
  const { ask, dispatcher } = makeRig(pool);
  const [first, second] = [ask('POST'), ask('POST')];
  pool.slot(0).process.die();
  vi.advanceTimersByTime(100);
  expect(dispatcher.queue.length).toBe(2);
  pool.add(7);
  pool.slot(1).respond(200, 'one');
  pool.slot(2).respond(200, 'two');
  expect([first.sentBody, second.sentBody]).toEqual(['one', 'two']);
});

test('one whose client left while it came back is dropped', () => {
  const pool = new ScriptedPool(1);
  const { ask, counters, dispatcher } = makeRig(pool);
  const exchange = ask('POST');
  pool.slot(0).process.die();
  exchange.leave();
  pool.add(7);
  vi.advanceTimersByTime(10);
  expect(pool.sent.length).toBe(1);
  expect(dispatcher.queue.length).toBe(0);
  expect(counters.answers.inFlight).toBe(0);
});
