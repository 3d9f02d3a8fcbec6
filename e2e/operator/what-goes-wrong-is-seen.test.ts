// What the operator tells of WebApps to Prometheus and in their status: metrics as the table has them, both ways; application processes that die, requests that
// wait, and a certificate that ends, on a real API server. The worker's status document is played at the address of a pod that kwok plays.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONDITION_TYPES, REASONS } from '../../core/app/conditions.ts';
import { OPERATOR_METRICS } from '../../core/metrics.ts';
import { WAIT_MEND } from '../../core/status/waiting.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { condition, eventually, makeRig, OPERATOR_NAMESPACE, type Rig, untilQuiet } from './rig.ts';

/** Local on this machine for as long as the test runs. */
const POD_RANGE = '10.250.0.0/16';
const getCluster = useCluster({ kwok: { nodes: 1, podCidr: POD_RANGE } });
const SPEC = {
  image: 'shop:1',
  app: 'shop:app',
  replicas: 1,
  proxy: { hosts: ['shop.example.com'], expose: { type: 'Ingress' }, tls: { secretName: 'shop-tls' } },
};
const folder = mkdtempSync(join(tmpdir(), 'what-goes-wrong-'));
let rig: Rig;
let leader: OperatorProcess;
let standby: OperatorProcess;
let worker: Server | undefined;
let deaths: WorkerStatus['deaths'] = [];
let oldestMs = 0;

beforeAll(async () => {
  execFileSync('ip', ['route', 'replace', 'local', POD_RANGE, 'dev', 'lo']);
  rig = await makeRig(getCluster());
  const flags = ['--status-interval', '1s', '--leader-election-namespace', OPERATOR_NAMESPACE];
  leader = await startOperator({ kubeconfig: rig.kubeconfig, flags });
  standby = await startOperator({ kubeconfig: rig.kubeconfig, flags, standby: true });
  await putCertificate(365);
  await rig.apply('shop', SPEC);
  await rig.settled('shop', 'serving', (one) => condition(one, 'Ready') === 'True/Serving');
  worker = await playWorker();
  await rig.settled('shop', 'told of', (one) => one.status?.workers?.summary === '2/2');
});
afterAll(async () => {
  await standby?.stop();
  await leader?.stop();
  worker?.closeAllConnections();
  worker?.close();
  execFileSync('ip', ['route', 'del', 'local', POD_RANGE, 'dev', 'lo']);
  rmSync(folder, { recursive: true, force: true });
});

const kubectl = (...args: string[]) => rig.cluster.kubectlOk([...args, '-n', rig.namespace]);

/** @param days until it ends; less than 0: it has */
async function putCertificate(days: number): Promise<void> {
  const file = (name: string): string => join(folder, name);
  const stdio: ['ignore', 'ignore', 'ignore'] = ['ignore', 'ignore', 'ignore'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('tls.key')];
  execFileSync('openssl', ['req', ...key, '-subj', '/CN=shop.example.com', '-out', file('tls.csr')], { stdio });
  const signed = ['-req', '-in', file('tls.csr'), '-signkey', file('tls.key'), '-days', `${days}`];
  execFileSync('openssl', ['x509', ...signed, '-out', file('tls.crt')], { stdio });
  const data = (name: string): string => readFileSync(file(name)).toString('base64');
  const input = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'shop-tls', namespace: rig.namespace },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': data('tls.crt'), 'tls.key': data('tls.key') },
  });
  await rig.cluster.kubectlOk(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input });
}

async function playWorker(): Promise<Server> {
  const configMap = (await rig.children('shop')).find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('shop-worker-'),
  );
  const data = configMap?.['data'] as Record<string, string> | undefined;
  const { hash } = JSON.parse(data?.['worker.json'] ?? '{}') as { hash: string };
  const selector = 'app.kubernetes.io/component=worker';
  const address = await kubectl('get', 'pods', '-l', selector, '-o', 'jsonpath={.items[0].status.podIP}');
  const server = createServer((_request, response) => {
    const status: WorkerStatus = {
      kind: 'WorkerStatus',
      version: 1,
      name: 'shop',
      pid: 1,
      startedAt: 0,
      state: 'running',
      config: { hash, appliedAt: 0 },
      processes: { desired: 2, ready: 2, busy: 0, starting: 0, draining: 0 },
      slots: { total: 2, busy: 0 },
      queue: { length: oldestMs > 0 ? 3 : 0, max: 500, oldestMs },
      requests: { total: 0, inFlight: 0, byClass: {}, faults: {}, redispatched: 0 },
      list: [],
      deaths,
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(status));
  });
  await new Promise<void>((resolve) => server.listen(9_000, address, resolve));
  return server;
}

function die(): void {
  const id = deaths.length + 1;
  const message = `Process ${id} (pid 1${id}) was killed by the kernel because the container ran out of memory (256 MiB).`;
  deaths = [{ id, pid: 10 + id, at: Date.now(), cause: 'oom', message }, ...deaths];
}

interface Told {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly string[];
}

/** What is of WebApps in the metrics of `operator`, by name. */
async function scrape(operator: OperatorProcess): Promise<Map<string, Told>> {
  const text = await (await fetch(`http://${operator.admin}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.includes('webapp_operator_'));
  const names = lines.flatMap((line) => /^# TYPE (webapp_operator_\S+)/.exec(line)?.[1] ?? []);
  return new Map(
    names.map((name) => [
      name,
      {
        type:
          lines
            .find((line) => line.startsWith(`# TYPE ${name} `))
            ?.split(' ')
            .at(-1) ?? '',
        help: lines.find((line) => line.startsWith(`# HELP ${name} `))?.slice(`# HELP ${name} `.length) ?? '',
        samples: lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
      },
    ]),
  );
}

async function events(reason: string): Promise<string[]> {
  const text = await kubectl('get', 'events.events.k8s.io', '-o', 'json');
  const { items } = JSON.parse(text) as { items: { reason: string; note: string; type: string }[] };
  return items.filter((event) => event.reason === reason).map(({ type, note }) => `${type}: ${note}`);
}

const problemsOf = async (): Promise<string[]> =>
  (await rig.webApp('shop')).status?.problems?.map(({ type }) => type) ?? [];

test('the metrics are those of the table, all of them, with their labels; only the one that leads tells of WebApps', async () => {
  // A problem, so that none is without a sample.
  await rig.apply('absent', { image: 'shop:1', app: 'shop:app', envFrom: [{ secretRef: { name: 'nowhere' } }] });
  await rig.settled('absent', 'degraded', (one) => condition(one, 'Degraded') === 'True/ReferenceMissing');
  const told = await scrape(leader);
  expect([...told.keys()].sort()).toEqual(Object.keys(OPERATOR_METRICS).sort());
  for (const [name, { type, help, labels = {} }] of Object.entries(OPERATOR_METRICS as Record<string, Row>)) {
    const seen = told.get(name);
    expect(seen, name).toMatchObject({ type, help });
    expect(seen?.samples.length, name).toBeGreaterThan(0);
    for (const sample of seen?.samples ?? []) expect(labelsOf(sample), sample).toEqual(Object.keys(labels).sort());
  }
  const own = `namespace="${rig.namespace}",webapp="shop"`;
  expect(told.get('webapp_operator_condition')?.samples.filter((line) => line.includes(own))).toHaveLength(
    CONDITION_TYPES.length,
  );
  expect(told.get('webapp_operator_condition')?.samples).toContain(
    `webapp_operator_condition{${own},type="Ready",status="True",reason="Serving"} 1`,
  );
  expect(told.get('webapp_operator_processes')?.samples).toContain(`webapp_operator_processes{${own},state="ready"} 2`);
  const [expiry = ''] = told.get('webapp_operator_certificate_expiry_timestamp_seconds')?.samples ?? [];
  expect(Math.abs(Number(expiry.split(' ').at(-1)) - Date.now() / 1_000 - 365 * 86_400)).toBeLessThan(3_600);

  const quiet = await scrape(standby);
  expect([...quiet.values()].flatMap(({ samples }) => samples)).toEqual(['webapp_operator_webapps_untold 0']);
});

interface Row {
  readonly type: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
}

function labelsOf(sample: string): string[] {
  return [...sample.matchAll(/[{,]([a-z_]+)="/g)].map(([, name]) => name ?? '').sort();
}

test('a process that dies is an event in the worker’s words; three are a problem, in status and metrics; then nothing is written', async () => {
  die();
  await eventually(
    async () => (await events('ProcessDied')).length === 1,
    () => 'no event tells of the death',
  );
  const [first] = deaths;
  expect(await events('ProcessDied')).toEqual([`Warning: ${first?.message}`]);
  expect(await problemsOf()).toEqual([]);
  die();
  die();
  const webApp = await rig.settled('shop', 'degraded', (one) => condition(one, 'Degraded') === 'True/ProcessesDie');
  expect(webApp.status?.problems).toMatchObject([
    {
      field: 'spec.resources.limits.memory',
      message: expect.stringContaining('ran out of memory (256 MiB).'),
      mend: 'raise it, or lower spec.workers.processes',
    },
  ]);
  const problems = (await scrape(leader)).get('webapp_operator_problems')?.samples;
  expect(problems).toContain(
    `webapp_operator_problems{namespace="${rig.namespace}",webapp="shop",type="ProcessesDie"} 1`,
  );
  await eventually(
    async () => (await events('ProcessesDie')).length === 1,
    () => 'no event tells of the problem',
  );
  const writes = await untilQuiet(() => leader.metric('webapp_operator_api_writes_total'));
  die();
  die();
  expect(await untilQuiet(() => leader.metric('webapp_operator_api_writes_total'), 20)).toBe(writes);
});

test('it is over when it is: no death is recent any more', async () => {
  deaths = [];
  await rig.settled('shop', 'well', (one) => condition(one, 'Degraded') === 'False/AsExpected');
  await eventually(
    async () => (await events('Recovered')).length === 1,
    () => 'no event tells that it is over',
  );
});

test('a certificate that has ended, none at all, and a new one', async () => {
  await putCertificate(-1);
  const webApp = await rig.settled('shop', 'degraded', (one) => condition(one, 'Degraded') === 'True/Certificate');
  expect(webApp.status?.problems).toMatchObject([
    {
      type: 'Certificate',
      field: 'spec.proxy.tls.secretName',
      message: expect.stringMatching(/^The certificate in Secret shop-tls expired at \d{4}-.*Z\.$/),
    },
  ]);
  const { samples = [] } = (await scrape(leader)).get('webapp_operator_certificate_expiry_timestamp_seconds') ?? {};
  expect(Number(samples[0]?.split(' ').at(-1))).toBeLessThan(Date.now() / 1_000);
  await kubectl('delete', 'secret', 'shop-tls');
  await rig.settled(
    'shop',
    'without a Secret',
    (one) => one.status?.problems?.[0]?.message === 'There is no Secret shop-tls.',
  );
  await putCertificate(90);
  await rig.settled('shop', 'well', (one) => condition(one, 'Degraded') === 'False/AsExpected');
});

test('requests that wait for a free process are a problem when it lasts', async () => {
  oldestMs = 900;
  const webApp = await rig.settled('shop', 'degraded', (one) => condition(one, 'Degraded') === 'True/RequestsWait');
  expect(webApp.status?.problems).toEqual([
    { type: 'RequestsWait', message: REASONS.Degraded.RequestsWait.meaning, ...WAIT_MEND },
  ]);
});
