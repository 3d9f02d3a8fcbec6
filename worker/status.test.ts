import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { type WorkerStatus, workerStatusSchema } from '../core/status/worker.ts';
import { FrontCounters } from './front/counters.ts';
import { ProcessHandle } from './handle.ts';
import { registerWorkerMetrics } from './metrics.ts';
import type { Slot } from './slot.ts';
import { makeWorkerStatus, newsOf, type StatusFacts, unreadyReason } from './status.ts';
import type { SupervisorSnapshot } from './supervisor.ts';

const slot: Slot = { send: () => {}, cancel: () => {}, pause: () => {}, resume: () => {} };

function handle(id: number, state: ProcessHandle['state'], busy = 0): ProcessHandle {
  const made = new ProcessHandle({
    id,
    place: id,
    generation: 1,
    clock: { now: () => 5_000, wall: () => 1_700_000_000_000 },
    bootDeadline: 0,
    lot: 0,
    events: { onFree: () => {}, onLost: () => {} },
  });
  made.pid = 100 + id;
  made.residentBytes = 1_000 * id;
  made.attachSlots([slot, slot]);
  for (let i = 0; i < busy; i++) made.borrow();
  made.state = state;
  return made;
}

const supervisor: SupervisorSnapshot = {
  desired: 3,
  threads: 2,
  booted: true,
  handles: [handle(1, 'ready', 1), handle(2, 'ready'), handle(3, 'draining', 2), handle(4, 'starting')],
  deaths: [{ id: 0, pid: 9, at: 1, cause: 'oom', signal: 'SIGKILL', message: 'Process 0 was killed.' }],
  ends: new Map([['oom', 1]]),
};
const counters = new FrontCounters();
counters.queueTime.observe(15);
const front: StatusFacts['front'] = {
  queue: { length: 4, max: 10, oldestMs: 12.5 },
  requests: { total: 7, inFlight: 2, byClass: { '2xx': 5 }, faults: {}, redispatched: 0 },
  durations: counters.durations(),
  bytes: { received: 1, sent: 2 },
  errors: [],
};
const doorCounters = { connections: 7, headersDropped: 0, received: 1, sent: 2 };
const facts: StatusFacts = {
  name: 'shop',
  pid: 7,
  startedAt: 1,
  draining: false,
  config: { hash: 'h', appliedAt: 2 },
  supervisor,
  front,
};

test('the document follows its schema and counts what there is', () => {
  const status: WorkerStatus = workerStatusSchema.parse(JSON.parse(JSON.stringify(makeWorkerStatus(facts))));
  expect(status).toMatchObject({
    state: 'running',
    processes: { desired: 3, ready: 2, busy: 2, starting: 1, draining: 1 },
    slots: { total: 4, busy: 1, idle: 3, booting: 2 },
    queue: { length: 4 },
    deaths: [{ cause: 'oom' }],
  });
  expect(status.list.map(({ id, pid, state, residentBytes }) => [id, pid, state, residentBytes])).toEqual([
    [1, 101, 'ready', 1_000],
    [2, 102, 'ready', 2_000],
    [3, 103, 'draining', 3_000],
    [4, 104, 'starting', 4_000],
  ]);
});

test.each([
  ['starting', { supervisor: { ...supervisor, booted: false } }],
  ['running', {}],
  ['draining', { draining: true }],
])('state %s', (state, more) => {
  expect(makeWorkerStatus({ ...facts, ...more }).state).toBe(state);
});

test('ready when a process is, and nobody has asked to stop; else the reason', () => {
  expect(unreadyReason(false, supervisor)).toBeNull();
  expect(unreadyReason(true, supervisor)).toMatch(/draining/);
  const none = { ...supervisor, handles: [handle(4, 'starting')] };
  expect(unreadyReason(false, none)).toBe('No application process is ready. Process 0 was killed.');
  expect(unreadyReason(false, { ...none, deaths: [] })).toBe('No application process is ready.');
});

test('metrics: processes by state, ends by cause from zero, memory by place, slots, queue, configuration', async () => {
  const registry = new Registry();
  const door = { openConnections: 3, maxConnections: 100, counters: doorCounters };
  registerWorkerMetrics(registry, {
    supervisor: () => supervisor,
    front: { counters, door, snapshot: () => front },
    config: () => ({ hash: 'h', appliedAt: 1_700_000_000_000, error: 'wrong' }),
    spans: { sent: 5, dropped: 6 },
  });
  const text = await registry.metrics();
  for (const line of [
    'webapp_worker_processes{state="desired"} 3',
    'webapp_worker_processes{state="ready"} 2',
    'webapp_worker_processes{state="draining"} 1',
    'webapp_worker_process_resident_bytes{place="1"} 1000',
    'webapp_worker_process_resident_bytes{place="4"} 4000',
    'webapp_worker_process_ends_total{cause="oom"} 1',
    'webapp_worker_process_ends_total{cause="timeout"} 0',
    'webapp_worker_slots{state="busy"} 1',
    'webapp_worker_slots{state="idle"} 3',
    'webapp_worker_slots{state="booting"} 2',
    'webapp_worker_queue_length 4',
    'webapp_worker_queue_max 10',
    'webapp_worker_queue_seconds_bucket{le="0.01"} 0',
    'webapp_worker_queue_seconds_bucket{le="0.015"} 1',
    'webapp_worker_queue_seconds_sum 0.015',
    'webapp_worker_config_applied_timestamp_seconds 1700000000',
    'webapp_worker_spans_total{outcome="dropped"} 6',
    'webapp_worker_config_refused 1',
    'webapp_worker_connections_max 100',
  ])
    expect(text.split('\n')).toContain(line);
});

test.each<[string, Partial<StatusFacts>, boolean]>([
  ['nothing', {}, false],
  ['time of the configuration', { config: { hash: 'h', appliedAt: 9 } }, false],
  [
    'requests of a process',
    { supervisor: { ...supervisor, handles: [handle(1, 'ready'), handle(2, 'ready')] } },
    false,
  ],
  [
    'a process that was recycled',
    {
      supervisor: {
        ...supervisor,
        deaths: [{ id: 8, pid: 8, at: 8, cause: 'max-requests', message: 'm' }, ...supervisor.deaths],
      },
    },
    false,
  ],
  ['a death', { supervisor: { ...supervisor, deaths: [{ id: 8, pid: 8, at: 8, cause: 'exit', message: 'm' }] } }, true],
  ['processes that are ready', { supervisor: { ...supervisor, handles: [handle(1, 'ready')] } }, true],
  ['processes that are wanted', { supervisor: { ...supervisor, desired: 4 } }, true],
  ['a configuration', { config: { hash: 'h2', appliedAt: 2 } }, true],
  ['one that is refused', { config: { hash: 'h', appliedAt: 2, error: 'bad' } }, true],
  ['that it leaves', { draining: true }, true],
])('news: %s', (_, change, wanted) => {
  expect(newsOf({ ...facts, ...change }) !== newsOf(facts)).toBe(wanted);
});
