import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeConfig, makeRig } from './rig.ts';
import { ScriptedPool } from './scripted-pool.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** In seconds. */
function queueTimes(rig: ReturnType<typeof makeRig>): { sum: number; count: number } {
  const { sumMs, counts } = rig.counters.queueTime;
  return { sum: sumMs / 1000, count: counts.reduce((sum, count) => sum + count, 0) };
}

describe('who gets a slot', () => {
  test('a free one is taken at once, the least busy process first', () => {
    const pool = new ScriptedPool(2, 2);
    const { ask } = makeRig(pool);
    for (let i = 0; i < 4; i++) ask();
    expect(pool.sent.map((slot) => slot.process.id)).toEqual([1, 2, 1, 2]);
  });

  test('a full process with the fewest slots does not hide a larger one with room', () => {
    const pool = new ScriptedPool(1, 1);
    pool.add(2, 3);
    const { ask, dispatcher } = makeRig(pool);
    for (let i = 0; i < 4; i++) ask();
    expect(pool.sent.length).toBe(4);
    expect(dispatcher.queue.length).toBe(0);
  });

  test('beyond the slots they wait, and are served in order as slots become free', () => {
    const pool = new ScriptedPool(1);
    const { ask, dispatcher } = makeRig(pool);
    const exchanges = [ask(), ask(), ask()];
    expect(dispatcher.queue.length).toBe(2);
    for (let i = 0; i < 3; i++) pool.slot(i).respond(200, `${i}`);
    expect(exchanges.map((exchange) => exchange.sentBody)).toEqual(['0', '1', '2']);
    expect(pool.served).toEqual([1, 1, 1]);
  });

  test('a new process drains the queue at once', () => {
    const pool = new ScriptedPool(0);
    const { ask } = makeRig(pool);
    ask();
    ask();
    expect(pool.sent.length).toBe(0);
    pool.add(1, 5);
    expect(pool.sent.length).toBe(2);
  });

  test('processes that come back without a word are used at the next request, in the order of the queue', () => {
    const pool = new ScriptedPool(2);
    const { ask, dispatcher } = makeRig(pool);
    const back = pool.takers;
    pool.takers = [];
    const [first, second] = [ask(), ask()];
    pool.takers = back;
    ask();
    pool.slot(0).respond(200, 'first');
    pool.slot(1).respond(200, 'second');
    expect([first.sentBody, second.sentBody]).toEqual(['first', 'second']);
    expect(dispatcher.queue.length).toBe(0);
  });

  test('a long queue before processes that answer at once is served without recursion', () => {
    const pool = new ScriptedPool(0);
    const { ask } = makeRig(pool, { queueMax: 20_000 });
    const exchanges = Array.from({ length: 20_000 }, () => ask());
    pool.script = (slot) => slot.respond();
    pool.add(1);
    expect(exchanges.every((exchange) => exchange.status === 200)).toBe(true);
  });

  test('one whose client leaves while it waits is not run', () => {
    const pool = new ScriptedPool(1);
    const { ask, counters } = makeRig(pool);
    ask();
    const impatient = ask('POST');
    const patient = ask('PUT');
    impatient.leave();
    pool.slot(0).respond();
    expect(pool.slot(1).request?.method).toBe('PUT');
    pool.slot(1).respond();
    expect(patient.status).toBe(200);
    expect(pool.sent.length).toBe(2);
    expect(counters.answers.inFlight).toBe(0);
  });
});

describe('the queue is bounded', () => {
  test('in length: 503 for the one too many, the others are served', () => {
    const pool = new ScriptedPool(1);
    const { ask } = makeRig(pool, { queueMax: 1 });
    const [first, second, third] = [ask(), ask(), ask()];
    expect(third.story).toEqual(['fail QUEUE_FULL']);
    pool.slot(0).respond();
    pool.slot(1).respond();
    expect([first.status, second.status, third.status]).toEqual([200, 200, 503]);
  });

  test('in time', () => {
    const pool = new ScriptedPool(1);
    const { ask } = makeRig(pool, { queueMs: 500 });
    ask();
    const late = ask();
    vi.advanceTimersByTime(500);
    expect(late.story).toEqual(['fail QUEUE_TIMEOUT']);
    pool.slot(0).respond();
    expect(pool.sent.length).toBe(1);
  });
});

describe('queue time', () => {
  test('is 0 for one that finds a free slot, and the wait for one that does not', async () => {
    const pool = new ScriptedPool(1);
    const rig = makeRig(pool);
    rig.ask();
    rig.ask();
    vi.advanceTimersByTime(250);
    pool.slot(0).respond();
    pool.slot(1).respond();
    expect(await queueTimes(rig)).toEqual({ sum: 0.25, count: 2 });
  });

  test('counts those that gave up, and one that came back once', async () => {
    const pool = new ScriptedPool(1);
    const rig = makeRig(pool, { queueMs: 1000 });
    rig.ask('POST');
    const impatient = rig.ask();
    const late = rig.ask();
    vi.advanceTimersByTime(400);
    impatient.leave();
    vi.advanceTimersByTime(600);
    expect(late.fault).toBe('QUEUE_TIMEOUT');
    pool.slot(0).process.die();
    pool.add(2);
    pool.slot(1).respond();
    expect(await queueTimes(rig)).toEqual({ sum: 1.4, count: 3 });
  });
});

describe('a request past its deadline', () => {
  test('gets 504 at once, its process is reported, neighbours finish', () => {
    const pool = new ScriptedPool(1, 2);
    const { ask, counters, lines } = makeRig(pool, { requestMs: 1000 });
    const hung = ask();
    vi.advanceTimersByTime(999);
    const neighbour = ask();
    expect(hung.status).toBe(0);
    vi.advanceTimersByTime(1);
    expect(hung.status).toBe(504);
    expect(pool.timedOut).toEqual([1]);
    expect(pool.slot(0).cancelled).toBe(true);
    pool.slot(1).respond();
    expect(neighbour.status).toBe(200);
    // The process is killed: the slot comes home, nothing is run again.
    pool.slot(0).process.die();
    vi.runAllTimers();
    expect(pool.sent.length).toBe(2);
    expect(counters.requests()).toMatchObject({ inFlight: 0, redispatched: 0 });
    expect(lines).toEqual([]);
  });

  test('frees its slot when the process answers after all, and says no more', () => {
    const pool = new ScriptedPool(1);
    const { ask } = makeRig(pool, { requestMs: 1000 });
    const exchange = ask();
    vi.advanceTimersByTime(1000);
    const slot = pool.slot(0);
    slot.respond();
    expect(slot.process.busy).toBe(0);
    expect(exchange.story).toEqual(['fail REQUEST_TIMEOUT']);
  });

  test('has its time from the hand-over, not from its arrival', () => {
    const pool = new ScriptedPool(1);
    const { ask } = makeRig(pool, { requestMs: 1000 });
    ask();
    const second = ask();
    vi.advanceTimersByTime(900);
    pool.slot(0).respond();
    vi.advanceTimersByTime(900);
    expect(second.status).toBe(0);
    vi.advanceTimersByTime(100);
    expect(second.status).toBe(504);
  });

  test('keeps the deadline it began with when the setting changes', () => {
    const pool = new ScriptedPool(1, 2);
    const { ask, dispatcher } = makeRig(pool, { requestMs: 1000 });
    const before = ask();
    dispatcher.configure(makeConfig({ requestMs: 100 }));
    const after = ask();
    vi.advanceTimersByTime(100);
    expect([before.status, after.status]).toEqual([0, 504]);
    vi.advanceTimersByTime(900);
    expect(before.status).toBe(504);
  });

  test('whose client has left keeps it: a hung process is found though nobody waits', () => {
    const pool = new ScriptedPool(1);
    const { ask } = makeRig(pool, { requestMs: 1000 });
    const exchange = ask();
    vi.advanceTimersByTime(600);
    exchange.leave();
    expect(pool.slot(0).cancelled).toBe(true);
    vi.advanceTimersByTime(399);
    expect(pool.timedOut).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(pool.timedOut).toEqual([1]);
  });
});

describe('while a response streams', () => {
  function streaming(headers: string[] = []) {
    const pool = new ScriptedPool(1);
    const rig = makeRig(pool, { requestMs: 1000, responseBufferBytes: 1024 });
    const exchange = rig.ask();
    const slot = pool.slot(0);
    slot.consumer.onHead(200, 'OK', headers);
    return { ...rig, pool, exchange, slot };
  }

  test('the deadline runs from one piece to the next', () => {
    const { exchange, pool, slot } = streaming();
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(900);
      slot.consumer.onData(Buffer.from('x'));
    }
    slot.end();
    vi.advanceTimersByTime(5000);
    expect(exchange.story).toEqual(['start 200', 'end']);
    expect(exchange.sentBody).toBe('xxxxx');
    expect(pool.timedOut).toEqual([]);
  });

  test('silence cuts the client; a process that gives the slot back lives on', () => {
    const { exchange, pool, slot } = streaming();
    vi.advanceTimersByTime(1000);
    expect(exchange.story).toEqual(['start 200', 'fail REQUEST_TIMEOUT']);
    expect(slot.cancelled).toBe(true);
    slot.fail('aborted');
    vi.advanceTimersByTime(60_000);
    expect(pool.timedOut).toEqual([]);
    expect(pool.busy).toBe(0);
  });

  test('silence cuts the client; a process that keeps the slot is replaced', () => {
    const { pool } = streaming();
    vi.advanceTimersByTime(1000);
    expect(pool.timedOut).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(pool.timedOut).toEqual([1]);
  });

  test('server-sent events may be silent for long', () => {
    const { exchange, pool, slot } = streaming(['Content-Type', 'text/event-stream']);
    vi.advanceTimersByTime(3_600_000);
    slot.consumer.onData(Buffer.from('data: x\n\n'));
    vi.advanceTimersByTime(3_600_000);
    expect(exchange.state).toBe('responding');
    exchange.leave();
    expect(slot.cancelled).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(pool.timedOut).toEqual([1]);
  });

  test('a client that lags holds the application only beyond the buffer, and no deadline runs then', () => {
    const { exchange, pool, slot } = streaming();
    exchange.keepsUp = false;
    slot.consumer.onData(Buffer.alloc(1024));
    expect(slot.paused).toBe(false);
    slot.consumer.onData(Buffer.alloc(1));
    expect(slot.paused).toBe(true);
    vi.advanceTimersByTime(3_600_000);
    expect(exchange.state).toBe('responding');
    exchange.drain();
    expect(slot.paused).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(exchange.fault).toBe('REQUEST_TIMEOUT');
    expect(pool.timedOut).toEqual([]);
  });

  test('a client that keeps up is never held', () => {
    const { exchange, slot } = streaming();
    for (let i = 0; i < 100; i++) {
      exchange.keepsUp = false;
      slot.consumer.onData(Buffer.alloc(1000));
      expect(slot.paused).toBe(false);
      exchange.drain();
    }
  });

  test('the slot is free when the application has finished, though the client still reads', () => {
    const { exchange, pool, slot } = streaming();
    exchange.keepsUp = false;
    slot.consumer.onData(Buffer.alloc(800));
    slot.end();
    expect(pool.busy).toBe(0);
    expect(exchange.state).toBe('done');
  });

  test('an end that comes though the slot is paused leaves it unpaused for the next request', () => {
    const { ask, exchange, pool, slot } = streaming();
    exchange.keepsUp = false;
    slot.consumer.onData(Buffer.alloc(2000));
    slot.end();
    ask();
    expect(pool.slot(1)).toBe(slot);
    expect(slot.paused).toBe(false);
  });

  test('a client that leaves while the application is held: it is released to come to its end', () => {
    const { counters, exchange, pool, slot } = streaming();
    exchange.keepsUp = false;
    slot.consumer.onData(Buffer.alloc(2000));
    exchange.leave();
    expect(slot).toMatchObject({ paused: false, cancelled: true });
    slot.end();
    expect(pool.busy).toBe(0);
    expect(counters.answers.inFlight).toBe(0);
    expect(exchange.story).toEqual(['start 200']);
  });

  test('an application that fails cuts the client and keeps its process', () => {
    const { exchange, pool, slot } = streaming();
    slot.fail('aborted');
    expect(exchange.state).toBe('gone');
    expect(pool).toMatchObject({ broken: [], served: [1], busy: 0 });
  });

  test('what breaks the protocol cuts the client and reports the process', () => {
    const { exchange, pool, slot } = streaming();
    slot.fail('invalid');
    expect(exchange.state).toBe('gone');
    expect(pool).toMatchObject({ broken: [1], served: [] });
  });
});

describe('what an application may not answer', () => {
  test.each([
    ['a process that breaks the protocol before its head', 'invalid', [1]],
    ['an application that gives up before its head', 'aborted', []],
  ] as const)('%s: 502', (_name, how, broken) => {
    const pool = new ScriptedPool(2);
    const { ask, lines } = makeRig(pool);
    const exchange = ask();
    pool.slot(0).fail(how);
    vi.runAllTimers();
    expect(exchange.story).toEqual(['fail RESPONSE_INVALID']);
    expect(pool).toMatchObject({ broken, busy: 0 });
    expect(pool.sent.length).toBe(1);
    expect(lines.join()).toContain(how);
  });

  test.each([101, 199, 1000])('final status %i: 502', (status) => {
    const pool = new ScriptedPool(1);
    const { ask } = makeRig(pool);
    const [whole, streamed] = [ask(), ask()];
    pool.slot(0).respond(status);
    pool.slot(1).consumer.onHead(status, '', []);
    expect([whole.status, streamed.status]).toEqual([502, 502]);
    expect(pool.slot(1).cancelled).toBe(true);
    pool.slot(1).end();
    expect(pool.busy).toBe(0);
  });

  test('an end without a head: 502', () => {
    const pool = new ScriptedPool(1);
    const exchange = makeRig(pool).ask();
    pool.slot(0).end();
    expect(exchange.status).toBe(502);
    expect(pool.busy).toBe(0);
  });

  test('a HEAD without a length is not said to be of length 0', () => {
    const pool = new ScriptedPool(1);
    const { ask } = makeRig(pool);
    const [unknown, known] = [ask('HEAD'), ask('HEAD')];
    pool.slot(0).respond(200, '');
    pool.slot(1).respond(200, '', ['Content-Length', '7']);
    expect(unknown.story).toEqual(['start 200', 'end']);
    expect(known.story).toEqual(['respond 200']);
  });
});

test('the process counts its request as served before it can get another', () => {
  const pool = new ScriptedPool(1);
  const { ask } = makeRig(pool);
  ask();
  ask();
  const seen: number[] = [];
  pool.script = () => seen.push(pool.served.length);
  pool.slot(0).respond();
  expect(seen).toEqual([1]);
});

test('the next request is with the process before the response of the last is written', () => {
  const pool = new ScriptedPool(1);
  const { ask } = makeRig(pool);
  const first = ask();
  ask();
  let answered = -1;
  pool.script = () => {
    answered = first.status;
  };
  pool.slot(0).respond();
  expect(answered).toBe(0);
  expect(first.status).toBe(200);
});
