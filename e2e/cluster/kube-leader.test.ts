// Leader election and Events against a real API server: that it takes our Leases and Events as they are, and that candidates which are
// killed, stopped and held up never lead at the same time.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { type Client, makeClient } from '../../kube/client.ts';
import { EVENTS } from '../../kube/event-object.ts';
import { type EventRecorder, makeEventRecorder } from '../../kube/events.ts';
import { leaseTransport, makeLeaderElection } from '../../kube/leader.ts';
import { LEASES } from '../../kube/lease.ts';
import { type KubeObject, pathOf, type Resource } from '../../kube/object.ts';
import { makeTransport } from '../../kube/transport.ts';
import { useCluster } from './fixture.ts';

const cluster = useCluster();
const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
/** Generous: two busy cores carry the cluster and all candidates. */
const PATIENCE = { timeout: 60_000, interval: 50 };

let client: Client;
let namespace: string;
let lines: Record<string, unknown>[];
const log = makeLog((line) => lines.push(JSON.parse(line)), systemClock.wall);
beforeEach(async () => {
  lines = [];
  namespace = await cluster().makeNamespace();
  const transport = makeTransport({ access: cluster().access(), log, clock: systemClock, userAgent: 'e2e' });
  client = makeClient({ transport, fieldManager: 'e2e', metricPrefix: 'e2e' });
});
afterEach(() => client.transport.close());

test('the API server takes the Lease as we claim, renew and release it', async () => {
  const election = makeLeaderElection({
    client: { ...client, transport: leaseTransport(client.transport) },
    namespace,
    name: 'alone',
    identity: 'me',
    retryMs: 100,
    onElected: () => undefined,
    onLost: () => undefined,
    log,
    clock: systemClock,
  });
  election.start();
  await vi.waitFor(() => expect(election.isLeader()).toBe(true), PATIENCE);
  const claimed = await client.get(LEASES, { namespace, name: 'alone' });
  expect(claimed['spec']).toMatchObject({ holderIdentity: 'me', leaseDurationSeconds: 15, leaseTransitions: 0 });
  await vi.waitFor(async () => {
    const { metadata } = await client.get(LEASES, { namespace, name: 'alone' });
    expect(metadata.resourceVersion).not.toBe(claimed.metadata.resourceVersion);
  }, PATIENCE);
  await election.stop();
  const released = await client.get(LEASES, { namespace, name: 'alone' });
  expect(released['spec']).toMatchObject({ leaseDurationSeconds: 1, leaseTransitions: 0 });
  expect(released['spec']).not.toMatchObject({ holderIdentity: 'me' });
  expect(lines.filter(({ level }) => level !== 'info')).toEqual([]);
});

// ---- Three processes ----------------------------------------------------------------------------------------------------------------

const TIMES_MS = ['3000', '2000', '400'];

class Candidates {
  readonly alive = new Map<string, ChildProcess>();
  #born = 0;

  /** Those who have lost leave: others take their places. */
  populate(): void {
    while (this.alive.size < 3) this.#start(`candidate-${++this.#born}`);
  }

  kill(identity: string, signal: NodeJS.Signals): void {
    this.alive.get(identity)?.kill(signal);
  }

  async end(): Promise<void> {
    const ended = [...this.alive.values()].map((child) => once(child, 'exit'));
    for (const identity of this.alive.keys()) this.kill(identity, 'SIGKILL');
    await Promise.all(ended);
  }

  #start(identity: string): void {
    const file = new URL('./candidate.ts', import.meta.url).pathname;
    const args = [file, cluster().kubeconfig, namespace, identity, ...TIMES_MS];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    this.alive.set(identity, child);
    child.once('exit', () => this.alive.delete(identity));
  }
}

/** Tells every writer that the ledger has had, in order: a watch misses no version. @returns stop */
async function readLedger(writers: string[]): Promise<() => Promise<void>> {
  const made = await client.create(CONFIG_MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'ledger' },
  });
  let version = made.metadata.resourceVersion;
  const ending = new AbortController();
  const onLine = (line: string): void => {
    const { object } = JSON.parse(line) as { object: KubeObject & { data?: { writer?: string } } };
    version = object.metadata.resourceVersion;
    const writer = object.data?.writer;
    if (writer !== undefined && writer !== writers.at(-1)) writers.push(writer);
  };
  const read = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const query = { watch: true, resourceVersion: version, fieldSelector: 'metadata.name=ledger' };
      const path = pathOf(CONFIG_MAPS, { namespace });
      // The API server is killed in between: the watch goes on from where it was.
      await client.transport
        .watch({ path, query, idleMs: 60_000, signal: ending.signal, onLine })
        .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const reading = read();
  return () => {
    ending.abort();
    return reading;
  };
}

test('leaders that are released, killed, held up or cut off: the next one leads, and never two write in turns', async () => {
  const writers: string[] = [];
  const candidates = new Candidates();
  const stopReading = await readLedger(writers);
  const heldUp: string[] = [];
  /** @returns the one who writes now, and has not written before `known` */
  const nextWriter = async (known: readonly string[]): Promise<string> => {
    await vi.waitFor(() => {
      candidates.populate();
      expect(known).not.toContain(writers.at(-1));
      expect(writers.length).toBeGreaterThan(0);
    }, PATIENCE);
    return writers.at(-1) ?? '';
  };
  try {
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGSTOP', 'SIGTERM', 'SIGSTOP'] as const) {
      const leader = await nextWriter([...writers.slice(0, -1), ...heldUp]);
      candidates.kill(leader, signal);
      if (signal === 'SIGSTOP') heldUp.push(leader);
      await nextWriter([...writers]);
      // Those who were held up wake while another leads: they must notice by themselves.
      if (signal === 'SIGSTOP') candidates.kill(leader, 'SIGCONT');
    }
    await vi.waitFor(() => expect(heldUp.filter((identity) => candidates.alive.has(identity))).toEqual([]), PATIENCE);
    const before = [...writers];
    await cluster().killApiServer();
    await vi.waitFor(() => expect(candidates.alive.has(before.at(-1) ?? '')).toBe(false), PATIENCE);
    await cluster().startApiServer();
    await nextWriter(before);
  } finally {
    await candidates.end();
    await stopReading();
  }
  expect(writers.length).toBeGreaterThanOrEqual(7);
  // In turns would be: one who writes again after another has.
  expect(writers).toEqual([...new Set(writers)]);
});

// ---- Events -------------------------------------------------------------------------------------------------------------------------

function aRecorder(): EventRecorder {
  const controller = 'webapp-operator.io/operator';
  return makeEventRecorder({ client, controller, instance: 'operator-0_abc', log, clock: systemClock });
}

async function eventsIn(place: string): Promise<KubeObject[]> {
  const path = pathOf(EVENTS, { namespace: place });
  return (await client.transport.request<{ items: KubeObject[] }>({ method: 'GET', path })).items;
}

test('events are taken as they are, in series, and kubectl shows them', async () => {
  const metadata = { namespace, name: 'a' };
  const regarding = await client.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  const recorder = aRecorder();
  const event = { regarding, type: 'Warning', reason: 'ImageMissing', action: 'Rollout' } as const;
  for (let i = 0; i < 3; i++) recorder.record({ ...event, note: 'no such image: shop:1.4' });
  const long = 'W'.repeat(200);
  recorder.record({ ...event, reason: long, action: long, note: 'é'.repeat(2_000) });
  await recorder.close(30_000);
  const events = await eventsIn(namespace);
  expect(events).toHaveLength(2);
  expect(events).toContainEqual(
    expect.objectContaining({
      note: 'no such image: shop:1.4',
      type: 'Warning',
      reportingController: 'webapp-operator.io/operator',
      regarding: expect.objectContaining({ kind: 'ConfigMap', name: 'a', uid: regarding.metadata.uid }),
      series: expect.objectContaining({ count: 3 }),
    }),
  );
  expect(await cluster().kubectlOk(['get', 'events', '-n', namespace])).toMatch(
    /Warning\s+ImageMissing\s+configmap\/a\s+no such image: shop:1\.4/,
  );
  expect(await cluster().kubectlOk(['describe', 'configmap', 'a', '-n', namespace])).toContain(
    'no such image: shop:1.4',
  );
  expect(lines).toEqual([]);
});

test('events of what has no namespace, and of a namespace that is gone', async () => {
  const recorder = aRecorder();
  const about = (kind: string, name: string, place?: string): void =>
    recorder.record({
      regarding: { apiVersion: 'v1', kind, metadata: { name, ...(place !== undefined && { namespace: place }) } },
      type: 'Normal',
      reason: 'Seen',
      action: 'Look',
      note: `saw ${name}`,
    });
  about('Namespace', namespace);
  about('ConfigMap', 'a', 'never-was-there');
  await recorder.close(30_000);
  expect((await eventsIn('default')).map(({ note }) => note)).toContain(`saw ${namespace}`);
  expect(lines).toEqual([]);
});
