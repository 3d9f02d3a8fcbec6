import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { type Client, makeClient } from './client.ts';
import { KubeError } from './errors.ts';
import { type LeaderElection, type LeaderOptions, leaseTransport, makeLeaderElection } from './leader.ts';
import { LEASES } from './lease.ts';
import type { KubeObject } from './object.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { makeTransport, type Transport } from './transport.ts';

// Real requests to a fake API server, on fake time: time moves in steps, and after each step the requests that it caused are awaited.

const PLACE = { namespace: 'system', name: 'operator' };
const STEP_MS = 100;

let server: FakeApiServer;
let candidates: Candidate[] = [];
/** Calls on their way, those that hang not counted. */
let inFlight = 0;
/** Moments at which more than one said that it leads. */
let doubles: string[] = [];

beforeEach(async () => {
  server = await startFakeApiServer({ resources: [LEASES] });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  doubles = [];
  inFlight = 0;
});

afterEach(async () => {
  // Stops are cut short: nobody is awaited who hangs.
  for (const { transport, network, election } of candidates) {
    network.state = 'away';
    void election.stop();
    transport.close();
  }
  await vi.advanceTimersByTimeAsync(60_000);
  candidates = [];
  vi.useRealTimers();
  await server.close();
});

/** How a candidate's calls fare: carried out and answered; never sent; sent, but the answer never comes; refused at once. */
type NetworkState = 'well' | 'hangs' | 'answers lost' | 'answers to writes lost' | 'away';

class Network {
  state: NetworkState = 'well';
}

interface Candidate {
  readonly identity: string;
  readonly election: LeaderElection;
  readonly network: Network;
  readonly transport: Transport;
  readonly registry: Registry;
  readonly lines: Record<string, unknown>[];
  /** `elected`, `lost: REASON`, in order. */
  readonly told: string[];
}

function aCandidate(identity: string, options: Partial<LeaderOptions> = {}): Candidate {
  const network = new Network();
  const lines: Record<string, unknown>[] = [];
  const told: string[] = [];
  const registry = new Registry();
  const log = makeLog((line) => lines.push(JSON.parse(line)), systemClock.wall);
  const transport = makeTransport({ access: server.access(), log, clock: systemClock, userAgent: 'test' });
  const client = makeClient({ transport: leaseTransport(transport), fieldManager: 'test', metricPrefix: 'test' });
  const election = makeLeaderElection({
    client: throughNetwork(client, network),
    ...PLACE,
    identity,
    onElected: () => told.push('elected'),
    onLost: (reason) => told.push(`lost: ${reason}`),
    log,
    clock: systemClock,
    registry,
    ...options,
  });
  const candidate = { identity, election, network, transport, registry, lines, told };
  candidates.push(candidate);
  return candidate;
}

function throughNetwork(client: Client, network: Network): Client {
  const pass = async <T>(call: () => Promise<T>, isWrite = true): Promise<T> => {
    const { state } = network;
    if (state === 'hangs') return new Promise<never>(() => undefined);
    if (state === 'away') throw new KubeError('NETWORK', 'the network is away');
    inFlight++;
    try {
      const answer = await call();
      if (state === 'well' || (state === 'answers to writes lost' && !isWrite)) return answer;
    } finally {
      inFlight--;
    }
    return new Promise<never>(() => undefined);
  };
  return {
    ...client,
    get: (...args) => pass(() => client.get(...args), false),
    create: (...args) => pass(() => client.create(...args)),
    replace: (...args) => pass(() => client.replace(...args)),
  };
}

function start(...identities: string[]): Candidate[] {
  return identities.map((identity) => {
    const candidate = aCandidate(identity);
    candidate.election.start();
    return candidate;
  });
}

/**
 * Lets the requests that were caused come to their ends: turns of the event loop are real, as are the sockets. A request that waits for
 * fake time itself (Retry-After) is given up waiting for.
 */
async function quiet(): Promise<void> {
  for (let idleTurns = 0, turns = 0; idleTurns < 3 && turns < 100; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    idleTurns = inFlight === 0 ? idleTurns + 1 : 0;
  }
}

/** Moves time on. @param until ends it sooner @returns milliseconds that passed */
async function pass(ms: number, until: () => boolean = () => false): Promise<number> {
  await quiet();
  let passed = 0;
  for (; passed < ms && !until(); passed += STEP_MS) {
    await vi.advanceTimersByTimeAsync(STEP_MS);
    noteDoubles();
    await quiet();
    noteDoubles();
  }
  return passed;
}

function noteDoubles(): void {
  const leading = leaders();
  if (leading.length > 1) doubles.push(leading.map(({ identity }) => identity).join(' and '));
}

const leaders = (): Candidate[] => candidates.filter(({ election }) => election.isLeader());
const leaderOf = (): string => leaders()[0]?.identity ?? 'nobody';
const lease = (): KubeObject | undefined => server.get(LEASES, PLACE);
const spec = (): Record<string, unknown> => ({ ...(lease()?.['spec'] as object) });

/** Of all that are there, the one who leads, and the others. */
function roles(): { leader: Candidate; others: Candidate[] } {
  const [leader] = leaders();
  if (leader === undefined) throw new Error('nobody leads');
  return { leader, others: candidates.filter((candidate) => candidate !== leader) };
}

async function masterStatus({ registry }: Candidate): Promise<number | undefined> {
  const values = (await registry.getSingleMetric('leader_election_master_status')?.get())?.values ?? [];
  return values.find(({ labels }) => labels['name'] === 'operator')?.value;
}

describe('who leads', () => {
  test('one of three, told once; the Lease says who, in times that the API takes', async () => {
    start('a', 'b', 'c');
    await pass(20_000);
    const { leader, others } = roles();
    expect([leader.told, ...others.map(({ told }) => told)]).toEqual([['elected'], [], []]);
    expect(spec()).toMatchObject({ holderIdentity: leader.identity, leaseDurationSeconds: 15, leaseTransitions: 0 });
    for (const field of ['acquireTime', 'renewTime'])
      expect(spec()[field]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(await Promise.all([leader, ...others].map(masterStatus))).toEqual([1, 0, 0]);
    // They came at the same time: two of them were answered 409, which is no failure.
    expect(candidates.flatMap(({ lines }) => lines.filter(({ level }) => level !== 'info'))).toEqual([]);
    expect(doubles).toEqual([]);
  });

  test('goes on for as long as it renews, with one write every 2 s and no read', async () => {
    start('a');
    await pass(1_000);
    server.clearLog();
    await pass(60_000);
    expect(leaderOf()).toBe('a');
    expect(server.requests.map(({ method }) => method)).toEqual(Array.from({ length: 30 }, () => 'PUT'));
  });

  test("a live holder's Lease is not taken, however old its times look: clocks differ by hours", async () => {
    const at = (hours: number): Clock => ({
      now: () => systemClock.now() + Math.abs(hours) * 1e7,
      wall: () => systemClock.wall() + hours * 3_600_000,
    });
    for (const [identity, hours] of [
      ['slow', -5],
      ['right', 0],
      ['fast', 5],
    ] as const) {
      aCandidate(identity, { clock: at(hours) }).election.start();
      await pass(1_000);
    }
    await pass(60_000);
    expect([leaderOf(), doubles]).toEqual(['slow', []]);
    const { leader } = roles();
    leader.network.state = 'hangs';
    await pass(30_000, () => leaders().some(({ identity }) => identity !== 'slow'));
    expect([leaderOf() === 'slow', doubles]).toEqual([false, []]);
  });

  test('a Lease that was made by hand, without a holder or a spec, is taken at once', async () => {
    server.put(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: PLACE });
    start('a');
    expect(await pass(10_000, () => leaders().length > 0)).toBe(0);
  });

  test('who starts twice is elected once', async () => {
    const [a] = start('a');
    a?.election.start();
    await pass(5_000);
    expect(a?.told).toEqual(['elected']);
  });
});

describe('when the leader goes', () => {
  test('by stop: it leads no more before the Lease is free, and the next takes it within 3 s', async () => {
    start('a', 'b', 'c');
    await pass(10_000);
    const { leader, others } = roles();
    const stop = leader.election.stop();
    expect([leader.election.isLeader(), leader.election.stop() === stop]).toEqual([false, true]);
    await quiet();
    expect(spec()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    const tookMs = await pass(10_000, () => leaders().length > 0);
    expect(tookMs).toBeLessThanOrEqual(3_000);
    expect(others.map(({ identity }) => identity)).toContain(leaderOf());
    expect(spec()).toMatchObject({ leaseTransitions: 1, leaseDurationSeconds: 15 });
    expect([leader.told, doubles, await masterStatus(leader)]).toEqual([['elected'], [], 0]);
    await stop;
  });

  test.each<NetworkState>(['hangs', 'away', 'answers lost'])(
    'from the network (%s): it gives up after 10 s, the next leads after 15 s',
    async (state) => {
      start('a', 'b');
      await pass(10_000);
      const { leader } = roles();
      leader.network.state = state;
      const gaveUpMs = await pass(60_000, () => leader.told.length > 1);
      expect(gaveUpMs).toBeGreaterThanOrEqual(8_000);
      expect(gaveUpMs).toBeLessThanOrEqual(10_000);
      expect(leader.told).toEqual(['elected', 'lost: not renewed for 10000 ms']);
      const leaderlessMs = await pass(60_000, () => leaders().length > 0);
      expect(leaderlessMs).toBeGreaterThanOrEqual(3_000);
      expect(leaderlessMs).toBeLessThanOrEqual(18_000);
      expect([leaderOf() === leader.identity, doubles]).toEqual([false, []]);
      leader.network.state = 'well';
      await pass(30_000);
      expect([leader.told.length, leader.election.isLeader(), doubles]).toEqual([2, false, []]);
    },
  );

  test('its calls hang for 8 s only: it stays', async () => {
    start('a', 'b');
    await pass(10_000);
    const { leader } = roles();
    leader.network.state = 'hangs';
    await pass(5_000);
    leader.network.state = 'well';
    await pass(30_000);
    expect([leaderOf(), leader.told, doubles]).toEqual([leader.identity, ['elected'], []]);
  });

  test('it was held up (a stopped process): it knows before anything tells it', async () => {
    let heldUpMs = 0;
    const clock: Clock = { now: () => systemClock.now() + heldUpMs, wall: systemClock.wall };
    const held = aCandidate('held', { clock });
    held.election.start();
    await pass(5_000);
    expect(held.election.isLeader()).toBe(true);
    heldUpMs = 10_000;
    expect(held.election.isLeader()).toBe(false);
  });

  test('an answer that comes after the deadline elects nobody', async () => {
    let heldUpMs = 0;
    const clock: Clock = { now: () => systemClock.now() + heldUpMs, wall: systemClock.wall };
    const held = aCandidate('held', { clock });
    server.fail({ method: 'POST' }, { delayMs: 1_000 });
    held.election.start();
    await pass(500);
    heldUpMs = 12_000;
    await pass(1_000);
    expect([spec()['holderIdentity'], held.told]).toEqual(['held', []]);
    await pass(3_000);
    expect(held.told).toEqual(['elected']);
  });

  test('another took the Lease by hand: it is told at once', async () => {
    const [a] = start('a');
    await pass(5_000);
    server.put(LEASES, { ...(lease() as KubeObject), spec: { ...spec(), holderIdentity: 'a person' } });
    await pass(2_500);
    expect(a?.told).toEqual(['elected', 'lost: a person holds the Lease']);
  });
});

describe('what must not end a term', () => {
  test('the Lease was labelled, so that a renewal conflicts', async () => {
    start('a', 'b');
    await pass(5_000);
    const { leader } = roles();
    for (let i = 0; i < 10; i++) {
      const now = lease() as KubeObject;
      server.put(LEASES, { ...now, metadata: { ...now.metadata, labels: { number: String(i) } } });
      await pass(3_000);
    }
    expect([leaderOf(), leader.told, doubles]).toEqual([leader.identity, ['elected'], []]);
    expect(spec()).toMatchObject({ leaseTransitions: 0 });
  });

  test('the Lease was deleted: it is made again', async () => {
    const [a] = start('a');
    await pass(5_000);
    server.remove(LEASES, PLACE);
    await pass(5_000);
    expect([a?.told, spec()['holderIdentity']]).toEqual([['elected'], 'a']);
  });

  test('the API server is away for 8 s', async () => {
    start('a', 'b');
    await pass(5_000);
    const { leader } = roles();
    await server.down();
    await pass(6_000);
    await server.up();
    await pass(20_000);
    expect([leaderOf(), leader.told, doubles]).toEqual([leader.identity, ['elected'], []]);
  });

  test.each([500, 503, 429, 409])('every second renewal is answered %i', async (status) => {
    start('a', 'b');
    await pass(5_000);
    const { leader } = roles();
    for (let i = 0; i < 10; i++) {
      server.fail({ method: 'PUT', path: /leases/ }, { status });
      await pass(4_000);
    }
    expect([leaderOf(), leader.told, doubles]).toEqual([leader.identity, ['elected'], []]);
  });

  test('a renewal was carried out, but its answer was cut off', async () => {
    start('a', 'b');
    await pass(5_000);
    const { leader } = roles();
    for (let i = 0; i < 5; i++) {
      server.fail({ method: 'PUT', path: /leases/ }, { reset: 'after' });
      await pass(4_000);
    }
    expect([leaderOf(), leader.told, doubles]).toEqual([leader.identity, ['elected'], []]);
  });
});

describe('the API server is away', () => {
  test('for long: nobody leads; then one of those who are left', async () => {
    start('a', 'b', 'c');
    await pass(5_000);
    const { leader } = roles();
    await server.down();
    await pass(60_000);
    expect([leaders(), leader.told.length]).toEqual([[], 2]);
    await server.up();
    await pass(30_000, () => leaders().length > 0);
    expect([leaderOf() === leader.identity, leaders().length, doubles]).toEqual([false, 1, []]);
  });

  test('for minutes: a handful of lines in the log', async () => {
    const [a] = start('a');
    if (a === undefined) return;
    a.network.state = 'away';
    await pass(300_000);
    const failures = a.lines.filter(({ msg }) => msg === 'the Lease could not be read or written');
    expect(failures.length).toBeGreaterThan(3);
    expect(failures.length).toBeLessThanOrEqual(9);
    expect(failures.at(-1)).toMatchObject({ level: 'warn', code: 'NETWORK', leftOut: expect.any(Number) });
  });
});

describe('a claim whose answer was lost', () => {
  test('is found to be ours by the next look', async () => {
    const [a] = start('a');
    if (a === undefined) return;
    server.fail({ method: 'POST', path: /leases/ }, { reset: 'after' });
    await pass(5_000);
    expect([a.told, spec()['leaseTransitions']]).toEqual([['elected'], 0]);
  });

  test('is released by a stop, though nobody was elected', async () => {
    const a = aCandidate('a');
    a.network.state = 'answers to writes lost';
    a.election.start();
    await pass(10_000, () => spec()['holderIdentity'] === 'a');
    a.network.state = 'well';
    const stop = a.election.stop();
    await pass(10_000, () => spec()['holderIdentity'] === '');
    await stop;
    expect([a.told, spec()['holderIdentity']]).toEqual([[], '']);
  });
});

describe('stop', () => {
  test("leaves another's Lease alone", async () => {
    start('a', 'b');
    await pass(10_000);
    const { leader, others } = roles();
    const before = lease();
    server.clearLog();
    await Promise.all([...others.map(({ election }) => election.stop()), quiet()]);
    expect([leaderOf(), lease(), server.requests]).toEqual([leader.identity, before, []]);
  });

  test('after it was lost, leaves the Lease to run out: what was led may still be ending', async () => {
    const [a] = start('a');
    if (a === undefined) return;
    await pass(5_000);
    a.network.state = 'hangs';
    await pass(12_000);
    a.network.state = 'well';
    await Promise.all([a.election.stop(), quiet()]);
    expect(spec()['holderIdentity']).toBe('a');
  });

  test('ends in time though every call hangs', async () => {
    const [a] = start('a');
    if (a === undefined) return;
    await pass(5_000);
    a.network.state = 'hangs';
    await pass(2_500);
    let stopped = false;
    void a.election.stop().then(() => {
      stopped = true;
    });
    await pass(20_000, () => stopped);
    expect([stopped, a.told, vi.getTimerCount()]).toEqual([true, ['elected'], 0]);
  });

  test('while it looks: it claims nothing any more', async () => {
    server.fail({ method: 'GET' }, { delayMs: 1_000 });
    const [a] = start('a');
    await pass(500);
    const stop = a?.election.stop();
    await pass(3_000);
    await stop;
    expect([a?.told, server.writes]).toEqual([[], []]);
  });

  test('while its claim is on the way: it is not elected, and the Lease is free again', async () => {
    server.fail({ method: 'POST' }, { delayMs: 1_000 });
    const [a] = start('a');
    await pass(500);
    const stop = a?.election.stop();
    await pass(3_000);
    await stop;
    await pass(15_000);
    expect([a?.told, spec()['holderIdentity']]).toEqual([[], '']);
  });

  test('frees no Lease that another took, though it may have been ours', async () => {
    const a = aCandidate('a');
    a.network.state = 'answers to writes lost';
    a.election.start();
    await pass(10_000, () => spec()['holderIdentity'] === 'a');
    server.put(LEASES, { ...(lease() as KubeObject), spec: { ...spec(), holderIdentity: 'b' } });
    a.network.state = 'well';
    const stop = a.election.stop();
    await pass(10_000);
    await stop;
    expect(spec()['holderIdentity']).toBe('b');
  });

  test('before the start', async () => {
    const a = aCandidate('a');
    await a.election.stop();
    a.election.start();
    await pass(5_000);
    expect([a.told, lease()]).toEqual([[], undefined]);
  });
});

describe('many faults at once', () => {
  /** Deterministic, so that a failure can be had again (Park and Miller). */
  function dice(seed: number): (count: number) => number {
    let state = seed;
    return (count) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % count;
    };
  }

  test.each([11, 22, 33, 44])('seed %i: never two leaders, and one again once all is well', async (seed) => {
    const roll = dice(seed);
    let born = 0;
    const populate = (): void => {
      const alive = candidates.filter(({ told }) => told.length < 2);
      for (let i = alive.length; i < 3; i++) start(`candidate-${born++}`);
    };
    populate();
    for (let round = 0; round < 40; round++) {
      const candidate = candidates[roll(candidates.length)];
      const states: NetworkState[] = ['well', 'well', 'hangs', 'away', 'answers lost', 'answers to writes lost'];
      if (candidate !== undefined) candidate.network.state = states[roll(states.length)] ?? 'well';
      if (roll(3) === 0) server.fail({ path: /leases/ }, { reset: roll(2) === 0 ? 'before' : 'after' });
      if (roll(3) === 0) server.fail({ path: /leases/, times: 2 }, { status: [409, 429, 500][roll(3)] ?? 500 });
      if (roll(8) === 0) {
        const [leader] = leaders();
        if (leader !== undefined) {
          void leader.election.stop();
          leader.told.push('stopped');
        }
      }
      await pass(500 + roll(40) * 100);
      populate();
    }
    expect(doubles).toEqual([]);
    server.heal();
    for (const { network } of candidates) network.state = 'well';
    await pass(20_000);
    expect([leaders().length, doubles]).toEqual([1, []]);
    expect(candidates.filter(({ told }) => told.includes('elected')).length).toBeGreaterThan(1);
  });
});

test.each([
  { leaseMs: 10_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
  { leaseMs: 15_000, renewDeadlineMs: 2_000, retryMs: 2_000 },
  { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 0 },
  { leaseMs: Number.NaN, renewDeadlineMs: 10_000, retryMs: 2_000 },
])('times that cannot work are refused: %o', (times) => {
  expect(() => aCandidate('a', times)).toThrow(RangeError);
});
