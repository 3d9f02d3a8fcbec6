import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import type { WorkerConfig } from '../core/config/worker.ts';
import { makeLog } from '../core/log.ts';
import type { AppSpec, BootFailure, Child, ChildEvents, Runtime } from './runtimes/runtime.ts';
import type { AppProcess, BufferedRequest, Slot, SlotConsumer } from './slot.ts';
import { Supervisor } from './supervisor.ts';

// A runtime whose processes do what the test says, and note what they are told. Times are turned by hand.

class FakeSlot implements Slot {
  request: BufferedRequest | null = null;
  consumer: SlotConsumer | null = null;
  cancelled = false;
  send(request: BufferedRequest, consumer: SlotConsumer): void {
    this.request = request;
    this.consumer = consumer;
  }
  cancel(): void {
    this.cancelled = true;
  }
  pause(): void {}
  resume(): void {}
  answer(status: number): void {
    this.consumer?.onWhole(status, 'OK', [], Buffer.alloc(0));
  }
}

class FakeChild implements Child {
  readonly id: number;
  readonly spec: AppSpec;
  readonly events: ChildEvents;
  readonly told: string[] = [];
  readonly slots: FakeSlot[];
  /** Whether it leaves when asked. */
  obedient = true;
  blocksAsOne = false;
  gone = false;
  constructor(id: number, spec: AppSpec, events: ChildEvents) {
    this.id = id;
    this.spec = spec;
    this.events = events;
    this.slots = Array.from({ length: spec.threads }, () => new FakeSlot());
  }
  boot(): this {
    this.events.onPid(1_000 + this.id);
    this.events.onReady(this.slots);
    return this;
  }
  failBoot(reason = 'No module named shop'): void {
    this.events.onBootFailed({ reason, mend: 'Install it.', traceback: 'Traceback…' });
    this.exit(3);
  }
  exit(code: number | null, signal: string | null = null): void {
    if (this.gone) return;
    this.gone = true;
    this.events.onExit(code, signal);
  }
  stop(): void {
    this.told.push('stop');
    if (this.obedient) this.exit(0);
  }
  kill(dump: boolean): void {
    this.told.push(dump ? 'dump' : 'kill');
    for (const { request, consumer } of this.slots) if (request) consumer?.onFailed('died', 'closed');
    this.exit(null, dump ? 'SIGABRT' : 'SIGKILL');
  }
}

const children: FakeChild[] = [];
const closed: string[] = [];
const lines: string[] = [];
let oomKills = 0;
let resident: number | undefined;
const bootFailures: BootFailure[] = [];

const base: WorkerConfig = {
  kind: 'WorkerConfig',
  version: 1,
  name: 'shop',
  hash: 'h',
  app: 'shop:app',
  runtime: 'wsgi',
  env: {},
  processes: 3,
  threads: 1,
  preload: false,
  timeouts: { requestMs: 30_000, gracefulMs: 20_000, bootMs: 60_000 },
  queue: { max: 10, timeoutMs: 1_000 },
  limits: { bodyBytes: 1, bodyMemoryBytes: 1, headBytes: 1024, responseBufferBytes: 1024, connections: 1 },
  trustForwarded: true,
};
const health = { path: '/healthz', intervalMs: 10_000, timeoutMs: 5_000, failures: 3 };

function makeSupervisor(more: Partial<WorkerConfig> = {}, development = false): Supervisor {
  const supervisor = new Supervisor(
    {
      place: { directory: '/srv', development },
      makeRuntime: (_kind, spec): Runtime => ({
        start: (id, events) => {
          const child = new FakeChild(id, spec, events);
          children.push(child);
          return child;
        },
        close: () => closed.push(spec.app),
      }),
      clock: systemClock,
      random: () => 0,
      log: makeLog((line) => lines.push(line), Date.now),
      cpus: 4,
      cgroup: { cpuLimit: () => null, memoryLimit: () => null, oomKills: () => oomKills },
      residentOf: () => resident,
      onBootFailed: (failure) => bootFailures.push(failure),
    },
    { ...base, ...more },
  );
  supervisor.start();
  turn();
  return supervisor;
}

/** Lets the passes that events asked for run. */
const turn = (): void => void vi.advanceTimersByTime(1);
const pass = (ms: number): void => void vi.advanceTimersByTime(ms);
const living = (): FakeChild[] => children.filter((child) => !child.gone);
const child = (id: number): FakeChild => {
  const found = children.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no process ${id}`);
  return found;
};
const takers = (supervisor: Supervisor): number[] => supervisor.takers.map(({ id }) => id).sort((a, b) => a - b);
const taker = (supervisor: Supervisor, id: number): AppProcess => {
  const found = supervisor.takers.find((each) => each.id === id);
  if (found === undefined) throw new Error(`process ${id} takes nothing`);
  return found;
};
const causes = (supervisor: Supervisor): string[] => supervisor.snapshot().deaths.map(({ cause }) => cause);

/** Boots whatever is started until nothing is. */
function bootAll(): void {
  turn();
  for (let round = 0; round < 50; round++) {
    const booting = living().filter((each) => each.slots.length > 0 && !booted.has(each));
    if (booting.length === 0) return;
    for (const each of booting) {
      booted.add(each);
      each.boot();
    }
    turn();
    turn();
  }
  throw new Error('processes are started without end');
}
const booted = new Set<FakeChild>();

const request = (target: string): BufferedRequest => ({
  method: 'GET',
  target,
  version: '1.1',
  headers: [],
  host: '',
  peer: { address: '', port: 0, encrypted: false, localAddress: '', localPort: 0 },
  scheme: 'http',
  clientAddress: '',
  bodyBytes: 0,
  hasBody: false,
  body: null,
  bodyFile: null,
  wantAccept: false,
});

/** As the front does it: takes a slot, sends, and gives it back at the end. */
function serve(process: AppProcess, target: string): { fake: FakeSlot; request: BufferedRequest } {
  const slot = process.acquire();
  if (slot === undefined) throw new Error('no free slot');
  const sent = request(target);
  const free = (): void => process.release(slot);
  slot.send(sent, {
    onAccepted: () => {},
    onInform: () => {},
    onHead: () => {},
    onData: () => {},
    onWhole: free,
    onEnd: free,
    onFailed: free,
  });
  const fake = child(process.id).slots.find((each) => each.request === sent);
  if (fake === undefined) throw new Error('not sent');
  return { fake, request: sent };
}

beforeEach(() => {
  vi.useFakeTimers();
  children.length = 0;
  closed.length = 0;
  lines.length = 0;
  bootFailures.length = 0;
  booted.clear();
  oomKills = 0;
  resident = undefined;
});
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

test('the wanted number starts, and each takes requests when it is ready', () => {
  const supervisor = makeSupervisor();
  const free = vi.fn();
  supervisor.onFree = free;
  expect(living().map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(takers(supervisor)).toEqual([]);
  child(2).boot();
  expect(takers(supervisor)).toEqual([2]);
  expect(free).toHaveBeenCalledTimes(1);
});

describe('a dead process', () => {
  test('is replaced at once when it was of use, and its death is stated', () => {
    const supervisor = makeSupervisor();
    bootAll();
    serve(taker(supervisor, 1), '/').fake.answer(200);
    child(1).exit(null, 'SIGKILL');
    turn();
    expect(takers(supervisor)).toEqual([2, 3]);
    expect(living().map(({ id }) => id)).toEqual([2, 3, 4]);
    expect(supervisor.snapshot().deaths[0]).toMatchObject({ id: 1, pid: 1001, cause: 'signal', signal: 'SIGKILL' });
  });

  test('is replaced at once when it had lived for long', () => {
    makeSupervisor();
    bootAll();
    pass(11_000);
    child(1).exit(1);
    turn();
    expect(living()).toHaveLength(3);
  });

  test('its requests are named, although they were given up before its end was known', () => {
    const supervisor = makeSupervisor();
    bootAll();
    child(1).obedient = false;
    const { fake } = serve(taker(supervisor, 1), '/report?key=secret');
    pass(1_500);
    fake.consumer?.onFailed('died', 'closed');
    turn();
    child(1).exit(null, 'SIGKILL');
    const { message } = supervisor.snapshot().deaths[0] ?? { message: '' };
    expect(message).toBe(
      'Process 1 (pid 1001) was killed by a signal: SIGKILL, sent from outside, while it served GET /report (for 1.5 s).',
    );
  });

  test('gives out no slot from the moment its connection is lost', () => {
    const supervisor = makeSupervisor();
    bootAll();
    const first = taker(supervisor, 1);
    serve(first, '/').fake.consumer?.onFailed('died', 'closed');
    expect(first.acquire()).toBeUndefined();
    expect(takers(supervisor)).toEqual([2, 3]);
  });

  test('of memory is told from one that was killed from outside', () => {
    const supervisor = makeSupervisor();
    bootAll();
    oomKills = 1;
    child(1).exit(null, 'SIGKILL');
    child(2).exit(null, 'SIGKILL');
    expect(causes(supervisor)).toEqual(['signal', 'oom']);
  });

  test('of memory is told though it took its time, and an old kill explains no later death', () => {
    const supervisor = makeSupervisor({ processes: 3 });
    bootAll();
    oomKills = 1;
    pass(6_000);
    child(1).exit(null, 'SIGKILL');
    turn();
    oomKills = 2;
    pass(20_000);
    child(2).exit(null, 'SIGKILL');
    expect(causes(supervisor)).toEqual(['signal', 'oom']);
  });
});

describe('a crash loop', () => {
  test('waits ever longer, and starts one at a time, however many are wanted', () => {
    makeSupervisor({ processes: 4 });
    for (const each of living()) each.exit(1);
    turn();
    expect(living()).toHaveLength(0);
    const waits: number[] = [];
    for (let round = 0; round < 12; round++) {
      let waited = 0;
      for (; living().length === 0; waited += 25) pass(25);
      expect(living()).toHaveLength(1);
      waits.push(waited);
      living()[0]?.exit(1);
      turn();
    }
    expect(waits.slice(0, 4)).toEqual([125, 250, 500, 1_000]);
    expect(waits.at(-1)).toBe(15_000);
  });

  test('ends when a process proves of use: then all are started', () => {
    const supervisor = makeSupervisor({ processes: 4 });
    for (const each of living()) each.exit(1);
    pass(130);
    const [only] = living();
    only?.boot();
    serve(taker(supervisor, only?.id ?? 0), '/').fake.answer(200);
    pass(130);
    expect(living()).toHaveLength(4);
  });

  test('one process that crashes beside one that works waits too', () => {
    makeSupervisor({ processes: 2 });
    child(1).boot();
    pass(60);
    let starts = 0;
    for (let second = 0; second < 60; second++) {
      for (const each of living().filter(({ id }) => id !== 1)) {
        starts++;
        each.exit(1);
      }
      pass(1_000);
    }
    expect(starts).toBeGreaterThan(3);
    expect(starts).toBeLessThan(12);
  });
});

describe('an application that does not start', () => {
  test('is told with its reason, mend and traceback, in log, status and for the program', () => {
    const supervisor = makeSupervisor({ processes: 1 });
    child(1).failBoot();
    expect(bootFailures).toEqual([{ reason: 'No module named shop', mend: 'Install it.', traceback: 'Traceback…' }]);
    expect(supervisor.bootFailure).toEqual(bootFailures[0]);
    expect(supervisor.snapshot().deaths[0]).toMatchObject({ cause: 'boot', traceback: 'Traceback…', exitCode: 3 });
    expect(lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'error')).toMatchObject({
      code: 'BOOT_FAILED',
      reason: 'No module named shop',
      mend: 'Install it.',
      traceback: 'Traceback…',
    });
  });

  test('is told once by processes that fail together', () => {
    makeSupervisor({ processes: 3 });
    for (const each of living()) each.failBoot();
    expect(bootFailures).toHaveLength(1);
    expect(lines.filter((line) => line.includes('BOOT_FAILED'))).toHaveLength(1);
  });

  test('that has said so is not followed by another before its time', () => {
    makeSupervisor({ processes: 1 });
    child(1).obedient = false;
    child(1).events.onBootFailed({ reason: 'r', mend: 'm', traceback: '' });
    pass(100);
    expect(children).toHaveLength(1);
    child(1).exit(3);
    expect(lines.filter((line) => line.includes('BOOT_FAILED'))).toHaveLength(1);
    pass(100);
    expect(children).toHaveLength(2);
  });

  test('that says so but does not exit is killed', () => {
    makeSupervisor({ processes: 1 });
    child(1).obedient = false;
    child(1).events.onBootFailed({ reason: 'r', mend: 'm', traceback: '' });
    pass(1_900);
    expect(child(1).told).toEqual([]);
    pass(200);
    expect(child(1).told).toEqual(['kill']);
  });

  test('within its time is killed, its stacks written first', () => {
    const supervisor = makeSupervisor({ processes: 1 });
    pass(60_001);
    expect(child(1).told).toEqual(['dump']);
    expect(causes(supervisor)).toEqual(['boot-timeout']);
    expect(bootFailures[0]?.reason).toMatch(/was not ready in time/);
  });

  test('is tried again, and forgotten when it starts', () => {
    const supervisor = makeSupervisor({ processes: 1 });
    child(1).failBoot();
    pass(200);
    bootAll();
    expect(supervisor.bootFailure).toBeNull();
    expect(takers(supervisor)).toEqual([2]);
  });
});

describe('a change of the process count', () => {
  test('up: at once, down: the idlest leave when they are quiet', () => {
    const supervisor = makeSupervisor();
    bootAll();
    supervisor.configure({ ...base, processes: 8 });
    bootAll();
    expect(takers(supervisor)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);

    const busy = serve(taker(supervisor, 2), '/slow');
    pass(10);
    serve(taker(supervisor, 8), '/').fake.answer(200);
    supervisor.configure({ ...base, processes: 2 });
    pass(5);
    expect(takers(supervisor)).toEqual([2, 8]);
    expect(living()).toHaveLength(2);
    expect(new Set(causes(supervisor))).toEqual(new Set(['resize']));
    busy.fake.answer(200);
  });

  test('a busy one that must leave finishes first', () => {
    const supervisor = makeSupervisor({ processes: 2 });
    bootAll();
    const one = serve(taker(supervisor, 1), '/');
    serve(taker(supervisor, 2), '/');
    supervisor.configure({ ...base, processes: 1 });
    pass(100);
    expect(takers(supervisor)).toEqual([2]);
    expect(child(1).told).toEqual([]);
    one.fake.answer(200);
    turn();
    expect(child(1).told).toEqual(['stop']);
  });

  test('one that does not finish in time is killed', () => {
    const supervisor = makeSupervisor({ processes: 2 });
    bootAll();
    serve(taker(supervisor, 1), '/');
    serve(taker(supervisor, 2), '/');
    supervisor.configure({ ...base, processes: 1 });
    pass(19_000);
    expect(child(1).told).toEqual([]);
    pass(1_100);
    expect(child(1).told).toEqual(['kill']);
    expect(supervisor.snapshot().deaths[0]).toMatchObject({ cause: 'resize' });
  });

  const places = (supervisor: Supervisor): string[] =>
    supervisor
      .snapshot()
      .handles.map(({ id, place }) => `${id}:${place}`)
      .sort();

  test('each process has the smallest free place, and its successor has it again', () => {
    const supervisor = makeSupervisor();
    bootAll();
    expect(places(supervisor)).toEqual(['1:1', '2:2', '3:3']);
    pass(60_000); // of use by now: replaced at once
    child(2).exit(null, 'SIGKILL');
    turn();
    bootAll();
    expect(places(supervisor)).toEqual(['1:1', '3:3', '4:2']);
  });

  test('a successor that was started before its end is known moves into its place then', () => {
    const supervisor = makeSupervisor();
    bootAll();
    pass(60_000);
    child(2).obedient = false;
    serve(taker(supervisor, 2), '/').fake.consumer?.onFailed('died', 'closed');
    turn();
    expect(places(supervisor)).toEqual(['1:1', '2:2', '3:3', '4:4']);
    child(2).exit(null, 'SIGKILL');
    expect(places(supervisor)).toEqual(['1:1', '3:3', '4:2']);
  });

  test('after a reload and after fewer are wanted, the places are from 1 to their number', () => {
    const supervisor = makeSupervisor();
    const sitting = (): number[] =>
      supervisor
        .snapshot()
        .handles.map(({ place }) => place)
        .sort();
    bootAll();
    supervisor.reload();
    for (let round = 0; round < 6; round++) {
      turn();
      bootAll();
    }
    expect(places(supervisor).map((one) => one.split(':')[0])).toEqual(['4', '5', '6']);
    expect(sitting()).toEqual([1, 2, 3]);
    supervisor.configure({ ...base, processes: 1 });
    turn();
    expect(sitting()).toEqual([1]);
  });

  test('by signal, until the configuration says another number', () => {
    const supervisor = makeSupervisor();
    supervisor.adjust(1);
    supervisor.adjust(1);
    expect(supervisor.desired).toBe(5);
    supervisor.configure({ ...base, app: 'other:app' });
    expect(supervisor.desired).toBe(5);
    supervisor.configure({ ...base, processes: 4 });
    expect(supervisor.desired).toBe(4);
    for (let i = 0; i < 9; i++) supervisor.adjust(-1);
    expect(supervisor.desired).toBe(1);
    supervisor.adjust(1);
    expect(supervisor.desired).toBe(2);
  });

  test('auto is one for each CPU', () => {
    expect(makeSupervisor({ processes: 'auto' }).desired).toBe(4);
  });
});

describe('a reload', () => {
  test('replaces every process, the replacement first, and ends what the old generation held', () => {
    const supervisor = makeSupervisor();
    bootAll();
    supervisor.reload();
    turn();
    expect(takers(supervisor)).toEqual([1, 2, 3]);
    expect(living()).toHaveLength(4);
    bootAll();
    expect(takers(supervisor)).toEqual([4, 5, 6]);
    expect(closed).toEqual(['shop:app']);
    expect(causes(supervisor)).toEqual(['reload', 'reload', 'reload']);
  });

  test('a document that changes nothing of a process replaces none', () => {
    const supervisor = makeSupervisor({ env: { A: '1', B: '2' } });
    bootAll();
    supervisor.configure({
      ...base,
      hash: 'other',
      env: { B: '2', A: '1' },
      timeouts: { ...base.timeouts, requestMs: 5 },
      limits: { ...base.limits, bodyBytes: 99 },
    });
    pass(100);
    expect(children).toHaveLength(3);
  });

  test.each([
    { app: 'other:app' },
    { env: { A: '1' } },
    { threads: 2 },
    { preload: true },
    { runtime: 'node' } as const,
    { trustForwarded: false },
  ])('a document with %j replaces all', (change) => {
    const supervisor = makeSupervisor();
    bootAll();
    supervisor.configure({ ...base, ...change });
    turn();
    bootAll();
    expect(takers(supervisor)).toEqual([4, 5, 6]);
  });

  test('to an application that does not start keeps the old one serving, says why, and tries again', () => {
    const supervisor = makeSupervisor();
    bootAll();
    supervisor.configure({ ...base, app: 'broken:app' });
    turn();
    for (let round = 0; round < 4; round++) {
      for (const each of living().filter(({ spec }) => spec.app === 'broken:app')) each.failBoot();
      pass(2_000);
    }
    expect(takers(supervisor)).toEqual([1, 2, 3]);
    expect(supervisor.bootFailure?.reason).toBe('No module named shop');
    expect(children.filter(({ spec }) => spec.app === 'broken:app').length).toBeGreaterThan(2);
    expect(bootFailures).toEqual([]);
  });

  test('meanwhile an old one that dies is replaced by its like', () => {
    const supervisor = makeSupervisor();
    bootAll();
    supervisor.configure({ ...base, app: 'broken:app' });
    turn();
    child(4).failBoot();
    pass(11_000);
    child(1).exit(1);
    turn();
    expect(living().map(({ id, spec }) => `${id} ${spec.app}`)).toContain('6 shop:app');
    child(6).boot();
    expect(takers(supervisor)).toEqual([2, 3, 6]);
  });

  test('taken back before it started returns to the processes that are there', () => {
    const supervisor = makeSupervisor();
    bootAll();
    supervisor.configure({ ...base, app: 'broken:app' });
    turn();
    child(4).failBoot();
    supervisor.configure(base);
    turn();
    expect(takers(supervisor)).toEqual([1, 2, 3]);
    expect(living()).toHaveLength(3);
    expect(supervisor.bootFailure).toBeNull();
    expect(closed).toEqual(['broken:app']);
  });
});

describe('in development', () => {
  test('old code is not served once new code is asked for, not even while the new starts', () => {
    const supervisor = makeSupervisor({ processes: 2 }, true);
    bootAll();
    const busy = serve(taker(supervisor, 1), '/');
    supervisor.reload();
    expect(takers(supervisor)).toEqual([]);
    pass(5);
    expect(living().map(({ id }) => id)).toEqual([1, 3, 4]);
    busy.fake.answer(200);
    bootAll();
    expect(takers(supervisor)).toEqual([3, 4]);
  });

  test('new code that does not start leaves nothing to serve but the failure', () => {
    const supervisor = makeSupervisor({ processes: 1 }, true);
    bootAll();
    supervisor.reload();
    turn();
    expect(supervisor.bootFailure).toBeNull();
    child(2).failBoot();
    turn();
    expect(takers(supervisor)).toEqual([]);
    expect(supervisor.bootFailure?.traceback).toBe('Traceback…');
    supervisor.reload();
    expect(supervisor.bootFailure).toBeNull();
  });
});

describe('recycling', () => {
  test('by requests: the replacement first, and then idle', () => {
    const supervisor = makeSupervisor({ processes: 1, maxRequests: { count: 3, jitter: 2 } });
    bootAll();
    const first = taker(supervisor, 1);
    for (let i = 0; i < 3; i++) {
      expect(living()).toHaveLength(1);
      serve(first, '/').fake.answer(200);
      supervisor.onServed(first);
    }
    turn();
    expect(takers(supervisor)).toEqual([1]);
    const last = serve(first, '/last');
    bootAll();
    expect(takers(supervisor)).toEqual([2]);
    expect(child(1).told).toEqual([]);
    last.fake.answer(200);
    turn();
    expect(child(1).told).toEqual(['stop']);
    expect(causes(supervisor)).toEqual(['max-requests']);
  });

  test('by memory: likewise, but never so soon that it becomes a loop', () => {
    const supervisor = makeSupervisor({ processes: 1, maxMemoryBytes: 1_000 });
    bootAll();
    resident = 2_000;
    pass(25_000);
    expect(children).toHaveLength(1);
    pass(10_000);
    expect(children).toHaveLength(2);
    bootAll();
    pass(5);
    expect(causes(supervisor)).toEqual(['max-memory']);
    expect(supervisor.snapshot().deaths[0]?.message).toMatch(/2.0 KiB/);
  });
});

describe('a request past its deadline', () => {
  test('takes its process out, a replacement starts now, neighbours finish, then it is killed with its stacks', () => {
    const supervisor = makeSupervisor({ processes: 1, threads: 2 });
    bootAll();
    const first = taker(supervisor, 1);
    const hung = serve(first, '/hang');
    const neighbour = serve(first, '/fine');
    supervisor.onTimeout(first, hung.request, 30_000);
    turn();
    expect(takers(supervisor)).toEqual([]);
    expect(living().map(({ id }) => id)).toEqual([1, 2]);
    pass(5_000);
    expect(child(1).told).toEqual([]);
    neighbour.fake.answer(200);
    turn();
    expect(child(1).told).toEqual(['dump']);
    expect(supervisor.snapshot().deaths[0]).toMatchObject({
      cause: 'timeout',
      message: expect.stringMatching(/GET \/hang took longer than 30 s/),
    });
  });

  test('that blocks the event loop of its process takes nobody with it for longer than needed', () => {
    const supervisor = makeSupervisor({ processes: 1, threads: 2 });
    bootAll();
    child(1).blocksAsOne = true;
    const first = taker(supervisor, 1);
    const hung = serve(first, '/hang');
    serve(first, '/blocked');
    supervisor.onTimeout(first, hung.request, 30_000);
    pass(490);
    expect(child(1).told).toEqual([]);
    pass(20);
    expect(child(1).told).toEqual(['dump']);
  });

  test('that gives its slot back shows that the event loop turns: the others finish', () => {
    const supervisor = makeSupervisor({ processes: 1, threads: 2 });
    bootAll();
    child(1).blocksAsOne = true;
    const first = taker(supervisor, 1);
    const slow = serve(first, '/slow');
    serve(first, '/other');
    supervisor.onTimeout(first, slow.request, 30_000);
    slow.fake.consumer?.onFailed('aborted', 'cancelled');
    pass(5_000);
    expect(child(1).told).toEqual([]);
  });

  test('that ends after all lets its process leave in peace', () => {
    const supervisor = makeSupervisor({ processes: 1, threads: 2 });
    bootAll();
    const first = taker(supervisor, 1);
    const late = serve(first, '/late');
    const neighbour = serve(first, '/fine');
    supervisor.onTimeout(first, late.request, 30_000);
    late.fake.answer(200);
    turn();
    expect(child(1).told).toEqual([]);
    neighbour.fake.answer(200);
    turn();
    expect(child(1).told).toEqual(['stop']);
  });

  test('does not hold up the replacement of the next', () => {
    const supervisor = makeSupervisor({ processes: 1 });
    bootAll();
    for (let id = 1; id <= 4; id++) {
      const process = taker(supervisor, id);
      supervisor.onTimeout(process, serve(process, '/hang').request, 1_000);
      turn();
      expect(living().map((each) => each.id)).toEqual([id + 1]);
      bootAll();
    }
  });
});

describe('health checks', () => {
  test('a process takes requests when the first check passed', () => {
    const supervisor = makeSupervisor({ processes: 1, health });
    bootAll();
    expect(takers(supervisor)).toEqual([]);
    expect(child(1).slots[0]?.request).toMatchObject({ method: 'GET', target: '/healthz' });
    child(1).slots[0]?.answer(503);
    expect(takers(supervisor)).toEqual([]);
    pass(600);
    child(1).slots[0]?.answer(302);
    expect(takers(supervisor)).toEqual([1]);
  });

  test('one that never passes is late, and what it said is told', () => {
    const supervisor = makeSupervisor({ processes: 1, health });
    bootAll();
    child(1).slots[0]?.answer(500);
    pass(60_100);
    expect(supervisor.snapshot().deaths[0]).toMatchObject({ cause: 'boot-timeout' });
    expect(bootFailures[0]?.reason).toMatch(/\/healthz/);
  });

  const answerAll = (status: number): void => {
    for (const each of living()) for (const slot of each.slots) if (slot.consumer) slot.answer(status);
  };

  test('failing checks in a row replace a process; one that passes starts the count anew', () => {
    const supervisor = makeSupervisor({ processes: 2, health });
    bootAll();
    answerAll(200);
    expect(takers(supervisor)).toEqual([1, 2]);
    for (const status of [500, 500, 200, 500, 500]) {
      pass(10_000);
      child(1).slots[0]?.answer(status);
      child(2).slots[0]?.answer(200);
    }
    expect(takers(supervisor)).toEqual([1, 2]);
    pass(10_000);
    child(1).slots[0]?.answer(500);
    turn();
    expect(takers(supervisor)).toEqual([2]);
    turn();
    expect(supervisor.snapshot().deaths[0]).toMatchObject({
      cause: 'unhealthy',
      message: expect.stringMatching(/\/healthz answered 500/),
    });
  });

  test('a check that is not answered fails, holds its slot, and ends with its process', () => {
    const supervisor = makeSupervisor({ processes: 2, health });
    bootAll();
    answerAll(200);
    for (let i = 0; i < 3; i++) {
      pass(10_000);
      child(2).slots[0]?.answer(200);
    }
    pass(6_000);
    expect(takers(supervisor)).toEqual([2]);
    expect(child(1).told).toEqual(['dump']);
  });

  test('a busy process is not asked', () => {
    const supervisor = makeSupervisor({ processes: 1, health });
    bootAll();
    answerAll(200);
    serve(taker(supervisor, 1), '/long');
    pass(200_000);
    expect(takers(supervisor)).toEqual([1]);
  });
});

describe('stop', () => {
  test('asks all, waits for all, and ends what the runtime held', async () => {
    const supervisor = makeSupervisor();
    bootAll();
    child(1).obedient = false;
    let done = false;
    const stopped = supervisor.stop(20_000).then(() => {
      done = true;
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(children.map(({ told }) => told)).toEqual([['stop'], ['stop'], ['stop']]);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(10_001);
    await stopped;
    expect(child(1).told).toEqual(['stop', 'kill']);
    expect(children).toHaveLength(3);
    expect(closed).toEqual(['shop:app']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a second one with less time shortens the first', async () => {
    const supervisor = makeSupervisor();
    bootAll();
    child(1).obedient = false;
    const first = supervisor.stop(20_000);
    await vi.advanceTimersByTimeAsync(100);
    const second = supervisor.stop(0);
    await vi.advanceTimersByTimeAsync(10);
    await Promise.all([first, second]);
    expect(child(1).told).toEqual(['stop', 'kill']);
  });

  test('abandon kills at once', () => {
    const supervisor = makeSupervisor();
    bootAll();
    supervisor.abandon();
    expect(living()).toEqual([]);
    turn();
    expect(children).toHaveLength(3);
  });
});

test('what is served now is told, the longest first, without queries', () => {
  const supervisor = makeSupervisor({ processes: 1, threads: 3 });
  bootAll();
  const first = taker(supervisor, 1);
  serve(first, '/a?token=x');
  pass(500);
  serve(first, '/b');
  pass(100);
  expect(supervisor.snapshot().handles[0]?.running()).toEqual([
    { method: 'GET', path: '/a', ms: 600 },
    { method: 'GET', path: '/b', ms: 100 },
  ]);
  expect(first.busy).toBe(2);
});

test('the slot that was freed last is taken first', () => {
  const supervisor = makeSupervisor({ processes: 1, threads: 3 });
  bootAll();
  const first = taker(supervisor, 1);
  const [a, b] = [serve(first, '/a'), serve(first, '/b')];
  a.fake.answer(200);
  b.fake.answer(200);
  expect(serve(first, '/c').fake).toBe(b.fake);
});
