// A real operator on a real API server, with pods that kwok plays, and a real Prometheus that gives the operator a namespace of its own, as in a cluster: every
// expression that only an operator answers has data, and each of its alerts fires when its fault is caused, but for a queue that stands still, which
// monitoring/rules/alerts.test.ts plays.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkerStatus } from '../../core/status/worker.ts';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from '../operator/operator-process.ts';
import { POD_STAGES } from '../operator/pod-stages.ts';
import { condition, eventually, makeRig, OPERATOR_NAMESPACE, type Rig } from '../operator/rig.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import {
  dashboardQuestions,
  isOfDiscovery,
  isOfOperator,
  shortenedRules,
  untilAllAnswered,
  untilFires,
} from './shortened.ts';

/** Local on this machine for as long as the test runs. */
const POD_RANGE = '10.249.0.0/16';
const getCluster = useCluster({ kwok: { nodes: 1, podCidr: POD_RANGE, podStages: POD_STAGES } });
const folder = mkdtempSync(join(tmpdir(), 'operator-fills-'));
const app = 'shop:app';
let rig: Rig;
let operator: OperatorProcess;
let prometheus: Prometheus;
let worker: Server | undefined;

beforeAll(async () => {
  execFileSync('ip', ['route', 'replace', 'local', POD_RANGE, 'dev', 'lo']);
  rig = await makeRig(getCluster());
  await holdLease('somebody-else');
  const flags = ['--status-interval', '1s', '--leader-election-namespace', OPERATOR_NAMESPACE];
  operator = await startOperator({ kubeconfig: rig.kubeconfig, flags, standby: true });
  prometheus = await startPrometheus(
    [
      {
        job: 'operator',
        labels: { namespace: OPERATOR_NAMESPACE, pod: 'webapp-operator-0' },
        metrics: async (accept) => {
          const response = await fetch(`http://${operator.admin}/metrics`, { headers: { accept } });
          return { text: await response.text(), type: response.headers.get('content-type') ?? '' };
        },
      },
    ],
    shortenedRules(),
  );
});
afterAll(async () => {
  await prometheus?.stop();
  await operator?.stop();
  worker?.closeAllConnections();
  worker?.close();
  execFileSync('ip', ['route', 'del', 'local', POD_RANGE, 'dev', 'lo']);
  rmSync(folder, { recursive: true, force: true });
});

/** As another replica would. `''`: nobody. */
async function holdLease(holderIdentity: string): Promise<void> {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'webapp-operator', namespace: OPERATOR_NAMESPACE },
    spec: { holderIdentity, leaseDurationSeconds: 3_600, renewTime: new Date().toISOString().replace('Z', '000Z') },
  };
  const args = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
  await rig.cluster.kubectlOk(args, { input: JSON.stringify(lease) });
}

const of = (webapp: string) => ({ namespace: rig.namespace, webapp });

test('another holds the Lease and does nothing: no leader', async () => {
  await untilFires(prometheus, 'WebAppOperatorNotReconciling', { cause: 'no leader', namespace: OPERATOR_NAMESPACE });
  await holdLease('');
  await eventually(
    async () => (await operator.metric('leader_election_master_status')) === 1,
    () => 'the operator does not take the Lease',
  );
});

test('versions that cannot start: crash loop, not ready, a rollout that does not come to an end', async () => {
  await rig.apply('crashing', { image: 'crash:1', app, replicas: 1 });
  const loop = await untilFires(prometheus, 'WebAppCrashLoop', { ...of('crashing'), cause: 'Crashing' });
  expect(loop.annotations['summary']).toBe(`Containers of ${rig.namespace}/crashing end again and again`);
  const down = await untilFires(prometheus, 'WebAppNoReadyProcess', { ...of('crashing'), reason: 'NoReadyWorker' });
  expect(down.annotations['description']).toMatch(/No worker pod is ready\.$/);
  const slow = await untilFires(prometheus, 'WebAppRolloutStuck', { ...of('crashing'), severity: 'warning' });
  expect(slow.annotations['description']).toMatch(/New pods take the place of old ones\.$/);
});

test('a migration that fails: the rollout is stuck', async () => {
  await rig.apply('migrating', {
    image: 'failing:1',
    app,
    replicas: 1,
    migrate: { command: ['flask', 'db', 'upgrade'] },
  });
  const stuck = await untilFires(prometheus, 'WebAppRolloutStuck', { ...of('migrating'), severity: 'critical' });
  expect(stuck.labels['reason']).toBe('MigrationFailed');
});

test('a certificate of one day', async () => {
  await putCertificate(1);
  const tls = { secretName: 'shop-tls' };
  const proxy = { hosts: ['shop.example.com'], expose: { type: 'Ingress' }, tls };
  await rig.apply('shop', { image: 'shop:1', app, replicas: 1, proxy });
  await rig.settled('shop', 'serving', (one) => condition(one, 'Ready') === 'True/Serving');
  for (const severity of ['critical', 'warning'])
    await untilFires(prometheus, 'WebAppCertificateExpires', { ...of('shop'), severity, secret: 'shop-tls' });
});

test('a worker that goes on by an older configuration', async () => {
  worker = await playWorker('shop', 'older');
  const { annotations } = await untilFires(prometheus, 'WebAppConfigNotApplied', {
    ...of('shop'),
    seen_by: 'operator',
  });
  expect(annotations['description']).toMatch(/does not run by the current configuration yet\.$/);
});

test('all that only an operator can answer has an answer', async () => {
  const questions = dashboardQuestions().filter((question) => isOfOperator(question) && !isOfDiscovery(question));
  expect(questions.length).toBeGreaterThan(20);
  await rig.apply('crashing', { image: 'crash:2', app, replicas: 1 });
  await untilAllAnswered(prometheus, questions);
  expect(await prometheus.failedRules()).toEqual([]);
});

async function putCertificate(days: number): Promise<void> {
  const file = (name: string): string => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('tls.key')];
  const out = ['-x509', '-subj', '/CN=shop.example.com', '-days', `${days}`, '-out', file('tls.crt')];
  execFileSync('openssl', ['req', ...key, ...out], { stdio: 'ignore' });
  const files = [`--cert=${file('tls.crt')}`, `--key=${file('tls.key')}`];
  await rig.cluster.kubectlOk(['create', 'secret', 'tls', 'shop-tls', ...files, '-n', rig.namespace]);
}

/** Its status document, at the address of its pod. */
async function playWorker(name: string, hash: string): Promise<Server> {
  const selector = `webapp-operator.io/webapp=${name},app.kubernetes.io/component=worker`;
  const path = 'jsonpath={.items[0].status.podIP}';
  const address = await rig.cluster.kubectlOk(['get', 'pods', '-n', rig.namespace, '-l', selector, '-o', path]);
  const status: WorkerStatus = {
    kind: 'WorkerStatus',
    version: 1,
    name,
    pid: 1,
    startedAt: 0,
    state: 'running',
    config: { hash, appliedAt: 0 },
    processes: { desired: 2, ready: 2, busy: 0, starting: 0, draining: 0 },
    slots: { total: 2, busy: 0 },
    queue: { length: 0, max: 500, oldestMs: 0 },
    requests: { total: 0, inFlight: 0, byClass: {}, faults: {}, redispatched: 0 },
    list: [],
    deaths: [],
  };
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(status)),
  );
  await new Promise<void>((resolve) => server.listen(9_000, address, resolve));
  return server;
}
