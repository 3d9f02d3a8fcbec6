// Clients, processes and time do what they like, in thousands of random orders: whatever happens, no slot is lost or released
// twice, no client is answered twice or left, no POST runs twice, and nothing is held at the end. The scripted slots throw when
// the front breaks the contract of slot.ts.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RecordedExchange } from './recorded-exchange.ts';
import { makeRig } from './rig.ts';
import { ScriptedPool, type ScriptedSlot } from './scripted-pool.ts';

const STEPS = 400;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Mulberry32: the same numbers for the same seed. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A world of clients and processes, moved one random step at a time. */
function makeWorld(seed: number) {
  const random = makeRandom(seed);
  const pool = new ScriptedPool(3, 2);
  const rig = makeRig(pool, { requestMs: 1000, queueMs: 2000, queueMax: 5, responseBufferBytes: 1024 });
  const exchanges: RecordedExchange[] = [];
  const runs = new Map<object, number>();
  const headed = new Set<ScriptedSlot>();
  const everyone = new Set(pool.takers);
  let ids = 3;

  const running = (): ScriptedSlot[] =>
    [...everyone].flatMap((process) => process.slots.filter((slot) => slot.request !== null));
  const pickOf = <T>(list: readonly T[]): T | undefined => list[random(list.length)];
  /** The application begins, if it has not. */
  const begin = (slot: ScriptedSlot): void => {
    const { request } = slot;
    if (request === null || accepted.has(slot)) return;
    accepted.add(slot);
    runs.set(request, (runs.get(request) ?? 0) + 1);
    if (request.wantAccept) slot.consumer.onAccepted();
  };
  const accepted = new Set<ScriptedSlot>();
  pool.script = (slot) => {
    accepted.delete(slot);
    headed.delete(slot);
  };
  const die = (slot: ScriptedSlot): void => {
    const { process } = slot;
    everyone.delete(process);
    pool.onBroken(process);
    process.die();
    replace();
  };
  /** What a supervisor does for those that died or were blamed. */
  const replace = (): void => {
    while (pool.takers.length < 3) pool.add(++ids, 2);
    for (const taker of pool.takers) everyone.add(taker);
  };
  const answer = (slot: ScriptedSlot): void => {
    begin(slot);
    if (slot.cancelled) slot.end();
    else if (!headed.has(slot)) slot.respond();
    else slot.end();
  };
  const head = (slot: ScriptedSlot): void => {
    begin(slot);
    if (headed.has(slot) || slot.cancelled) return;
    headed.add(slot);
    slot.consumer.onHead(200, 'OK', random(4) === 0 ? ['Content-Type', 'text/event-stream'] : []);
  };
  const data = (slot: ScriptedSlot): void => {
    if (headed.has(slot) && !slot.cancelled && !slot.paused) slot.consumer.onData(Buffer.alloc(600));
  };
  const inform = (slot: ScriptedSlot): void => {
    begin(slot);
    if (!headed.has(slot) && !slot.cancelled) slot.consumer.onInform(103, []);
  };
  const onSlot = [
    begin,
    answer,
    answer,
    head,
    head,
    data,
    data,
    data,
    inform,
    die,
    (slot: ScriptedSlot) => slot.fail('aborted'),
  ];
  const onClient: ((exchange: RecordedExchange) => void)[] = [
    (exchange) => exchange.state !== 'gone' && exchange.leave(),
    (exchange) => {
      exchange.keepsUp = false;
    },
    (exchange) => exchange.drain(),
  ];
  const ask = (): void => {
    exchanges.push(rig.ask(pickOf(['GET', 'POST', 'PUT', 'PATCH']) ?? 'GET'));
  };
  const step = (): void => {
    const kind = random(10);
    const slot = pickOf(running());
    const exchange = pickOf(exchanges.slice(-12));
    if (kind < 3) ask();
    else if (kind < 7 && slot !== undefined) pickOf(onSlot)?.(slot);
    else if (kind < 9 && exchange !== undefined) pickOf(onClient)?.(exchange);
    else vi.advanceTimersByTime(random(600));
    if (random(3) === 0) replace();
  };
  /** Everybody comes to an end: applications answer, clients read. */
  const settle = (): void => {
    for (let i = 0; i < 100; i++) {
      replace();
      for (const slot of running()) answer(slot);
      for (const exchange of exchanges) exchange.drain();
      vi.advanceTimersByTime(10);
    }
  };
  return { exchanges, pool, rig, runs, running, settle, step };
}

test.each(Array.from({ length: 60 }, (_, seed) => seed))('seed %i', (seed) => {
  const { exchanges, pool, rig, runs, running, settle, step } = makeWorld(seed);
  for (let i = 0; i < STEPS; i++) step();
  settle();
  expect(running()).toEqual([]);
  expect({ busy: pool.busy, waiting: rig.dispatcher.queue.length, ...rig.store.held }).toEqual({
    busy: 0,
    waiting: 0,
    memoryBytes: 0,
    fileBytes: 0,
    files: 0,
  });
  expect(rig.counters.answers.inFlight).toBe(0);
  for (const exchange of exchanges) {
    expect(['done', 'gone']).toContain(exchange.state);
    expect(exchange.story.filter((line) => /^(respond|start)/.test(line)).length).toBeLessThanOrEqual(1);
  }
  for (const [request, times] of runs) {
    const method = 'method' in request ? String(request.method) : '';
    expect(times).toBeLessThanOrEqual(method === 'POST' || method === 'PATCH' ? 1 : 2);
  }
  expect(exchanges.length).toBeGreaterThan(50);
});
