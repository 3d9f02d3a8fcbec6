// What goes wrong around the operator while WebApps are edited: watches cut every second, the API server restarted, etcd compacted, a network
// that hangs, a leader killed. It converges each time, misses nothing, writes nothing twice and does not run hot.
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorOptions, type OperatorProcess, startOperator } from './operator-process.ts';
import {
  eventually,
  makeRig,
  OPERATOR_NAMESPACE,
  operatorToken,
  type Rig,
  untilQuiet,
  writeKubeconfig,
} from './rig.ts';
import { makeWireCutter } from './wire-cutter.ts';

const getCluster = useCluster();
let rig: Rig;
const running: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  rig = await makeRig(getCluster());
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const FLAGS = ['--status-interval', '0s'];
async function start(options: Partial<OperatorOptions> = {}): Promise<OperatorProcess> {
  const operator = await startOperator({
    kubeconfig: rig.kubeconfig,
    ...options,
    flags: [...FLAGS, ...(options.flags ?? [])],
  });
  running.push(operator);
  return operator;
}

const NAMES = Array.from({ length: 8 }, (_, index) => `app-${index}`);

/** Every WebApp is edited over and over; the last edit of each is what must be there in the end. */
async function churn(rounds: number, between: (round: number) => Promise<void>): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    for (const name of NAMES)
      await withRetry(() => rig.apply(name, { image: 'shop:1', app: 'shop:app', workers: { threads: round } }));
    await between(round);
  }
}

/** kubectl goes the straight way, but the API server may be the one that is away. */
async function withRetry(act: () => Promise<void>): Promise<void> {
  await eventually(
    () =>
      act().then(
        () => true,
        () => false,
      ),
    () => 'kubectl could not apply within a minute',
  );
}

async function threadsOf(name: string): Promise<number | undefined> {
  const revision = (await rig.webApp(name)).status?.observedGeneration;
  const configMap = (await rig.children(name)).find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith(`${name}-worker-`),
  );
  const document = (configMap?.['data'] as Record<string, string> | undefined)?.['worker.json'];
  return document === undefined || revision === undefined
    ? undefined
    : (JSON.parse(document) as { threads: number }).threads;
}

async function converged(rounds: number, operator: OperatorProcess): Promise<void> {
  for (const name of NAMES) {
    await eventually(
      async () =>
        (await threadsOf(name)) === rounds &&
        (await rig.webApp(name)).status?.observedGeneration === (await rig.webApp(name)).metadata.generation,
      () => `${name} did not follow; the operator's last lines:\n${lastLines(operator)}`,
    );
  }
}

const lastLines = ({ log }: OperatorProcess): string =>
  log
    .slice(-40)
    .map((line) => JSON.stringify(line).slice(0, 300))
    .join('\n');

/** Nothing more is asked for than watches and leases need: below five requests a second over three seconds. */
async function notHot(operator: OperatorProcess): Promise<void> {
  await untilQuiet(() => operator.metric('webapp_operator_api_writes_total'));
  const before = await operator.metric('rest_client_requests_total');
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect((await operator.metric('rest_client_requests_total')) - before).toBeLessThan(15);
}

test('watches cut every second', async () => {
  const wire = await makeWireCutter(rig.cluster.server);
  running.push({ stop: () => wire.close() });
  const path = join(rig.cluster.folder, 'cut.kubeconfig');
  const operator = await start({ kubeconfig: writeKubeconfig(path, wire.url, ...(await operatorToken(rig.cluster))) });
  const timer = setInterval(() => wire.cut(), 1_000);
  try {
    await churn(8, () => new Promise((resolve) => setTimeout(resolve, 400)));
    await converged(8, operator);
  } finally {
    clearInterval(timer);
  }
  await notHot(operator);
});

test('a network that hangs, connections and all', async () => {
  const wire = await makeWireCutter(rig.cluster.server);
  running.push({ stop: () => wire.close() });
  const path = join(rig.cluster.folder, 'hang.kubeconfig');
  const operator = await start({ kubeconfig: writeKubeconfig(path, wire.url, ...(await operatorToken(rig.cluster))) });
  await churn(2, async () => {
    wire.hang();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    wire.mend();
  });
  await converged(2, operator);
  await notHot(operator);
});

test('the API server killed, etcd compacted behind its back', async () => {
  const operator = await start();
  await churn(3, async () => {
    await rig.cluster.killApiServer();
    await rig.cluster.startApiServer();
    await rig.cluster.compactEtcd();
    await rig.cluster.restartApiServer();
  });
  await converged(3, operator);
  await notHot(operator);
});

test('a leader that was held up writes nothing when it comes back: another leads since', async () => {
  const lease = ['--leader-election-namespace', OPERATOR_NAMESPACE];
  const held = await start({ flags: [...lease, '--identity', 'held'] });
  const next = await start({ flags: [...lease, '--identity', 'next'], standby: true });
  await churn(1, async () => {});
  await converged(1, held);
  process.kill(held.pid, 'SIGSTOP');
  await churn(3, async () => {});
  await eventually(
    () => next.log.some(({ msg }) => msg === 'reconciling'),
    () => 'the next does not lead',
  );
  await converged(3, next);
  const changes = held.log.filter(({ msg }) => msg === 'changing').length;
  process.kill(held.pid, 'SIGCONT');
  expect(await held.ended).toBe(1);
  expect(held.log.filter(({ msg }) => msg === 'changing').length).toBe(changes);
  expect(held.log.at(-1)).toMatchObject({ code: 'LEASE_LOST' });
});

test('leaders killed under churn: another goes on, and no intent is applied twice over another', async () => {
  const lease = ['--leader-election-namespace', OPERATOR_NAMESPACE];
  const first = await start({ flags: [...lease, '--identity', 'first'] });
  const second = await start({ flags: [...lease, '--identity', 'second'], standby: true });
  await churn(3, async (round) => {
    if (round === 2) await first.kill();
  });
  await converged(3, second);
  expect(second.log.some(({ msg }) => msg === 'reconciling')).toBe(true);
  const writes = await untilQuiet(() => second.metric('webapp_operator_api_writes_total'));
  expect(await second.metric('webapp_operator_api_writes_total')).toBe(writes);
  // SIGTERM gives the Lease back: the third leads without waiting for it to run out.
  const third = await start({ flags: [...lease, '--identity', 'third'], standby: true });
  await second.stop();
  await eventually(
    () => third.log.some(({ msg }) => msg === 'reconciling'),
    () => 'the third does not lead',
  );
});
