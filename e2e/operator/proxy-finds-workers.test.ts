// The proxy watches the EndpointSlices of a real API server with the rights that it is given and no others, while real workers
// come and go at addresses that are made local to this machine: the API server takes no slice with a loopback address.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type ProxyProcess, startProxy } from '../../proxy/promises/rig.ts';
import { WorkerUnderTest } from '../../worker/worker-under-test.ts';
import { until as untilTrue } from '../cluster/control-plane.ts';
import { useCluster } from '../cluster/fixture.ts';
import { type Load, startLoad } from '../load.ts';

const RANGE = '10.251.0.0/16';
const PORT = 8000;
const ACCOUNT = 'shop-proxy';
const getCluster = useCluster();

let namespace: string;
let folder: string;
let flags: string[];
let proxy: ProxyProcess | undefined;
let load: Load | undefined;
const pods: Pod[] = [];
let made = 0;

beforeAll(() => execFileSync('ip', ['route', 'replace', 'local', RANGE, 'dev', 'lo']));
afterAll(() => execFileSync('ip', ['route', 'del', 'local', RANGE, 'dev', 'lo']));

beforeEach(async () => {
  const cluster = getCluster();
  namespace = await cluster.makeNamespace();
  folder = mkdtempSync(join(tmpdir(), 'proxy-finds-'));
  const access = await cluster.accessFor(namespace, ACCOUNT);
  const [shown = ''] = Object.values(await access.headers());
  writeFileSync(join(folder, 'token'), shown.replace('Bearer ', ''));
  writeFileSync(join(folder, 'ca.crt'), String(access.tls().ca));
  const files = ['--api-token-file', join(folder, 'token'), '--api-ca-file', join(folder, 'ca.crt')];
  flags = ['--api-server', cluster.server.origin, ...files, '--access-log', 'off'];
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
  await proxy?.close();
  for (const { worker } of pods) await worker.close();
  pods.length = 0;
  rmSync(folder, { recursive: true });
});

/** A worker at an address of its own, and what the control plane says of it. */
interface Pod {
  readonly ip: string;
  readonly worker: WorkerUnderTest;
  conditions: { ready: boolean; serving: boolean; terminating: boolean };
}

const READY = { ready: true, serving: true, terminating: false };
const TERMINATING = { ready: false, serving: true, terminating: true };
const APP = `require('node:http').createServer((request, response) => setTimeout(() => response.end('hello'), 10)).listen(8000);`;

async function startPod(): Promise<Pod> {
  const ip = `10.251.0.${++made}`;
  const args = ['--bind', `${ip}:${PORT}`, '--admin', '127.0.0.1:0', '-w', '1', '--drain-delay', '1s', 'app.js'];
  const worker = await new WorkerUnderTest({ files: { 'app.js': APP }, args }).ready(1);
  const pod = { ip, worker, conditions: READY };
  pods.push(pod);
  return pod;
}

/** As the endpoint slice controller writes it. */
async function publish(...listed: readonly Pod[]): Promise<void> {
  const labels = { 'kubernetes.io/service-name': 'shop-workers' };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'shop-workers-1', namespace, labels },
    addressType: 'IPv4',
    endpoints: listed.map(({ ip, conditions }) => ({ addresses: [ip], conditions })),
    ports: [{ name: 'http', port: PORT, protocol: 'TCP' }],
  };
  await getCluster().kubectlOk(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: stringify(slice) });
}

/** What the operator gives the proxy's ServiceAccount. */
async function grant(): Promise<void> {
  const metadata = { name: ACCOUNT, namespace };
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata,
    rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] }],
  };
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: ACCOUNT },
    subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace }],
  };
  const input = [role, binding].map((object) => stringify(object)).join('---\n');
  await getCluster().kubectlOk(['apply', '--server-side', '-f', '-'], { input });
}

async function startFinding(): Promise<ProxyProcess> {
  const discover = { namespace, service: 'shop-workers', port: 'http' };
  return startProxy([], { groups: [{ name: 'current', weight: 1, endpoints: [], discover }], flags });
}

/** Within a minute. */
const until = (holds: () => Promise<boolean> | boolean, what: string): Promise<void> => untilTrue(what, holds);
const known = async (of: ProxyProcess): Promise<string[]> =>
  (await of.status()).groups.flatMap(({ endpoints }) =>
    endpoints.filter(({ state }) => state !== 'draining').map(({ address }) => address),
  );
const served = async ({ worker }: Pod): Promise<number> => (await worker.status()).requests.total;
const takesRequests = async (pod: Pod): Promise<void> => {
  const before = await served(pod);
  await until(async () => (await served(pod)) > before + 5, `requests at ${pod.ip}`);
};
const startedLoad = (of: ProxyProcess): Load =>
  startLoad({ url: `http://127.0.0.1:${of.port}/`, perSecond: 100, expect: 'hello' });

/** As a pod is deleted: it is told of in the slices, asked to leave, and gone. */
async function remove(pod: Pod, others: readonly Pod[], of: ProxyProcess): Promise<void> {
  pod.conditions = TERMINATING;
  await publish(pod, ...others);
  pod.worker.kill('SIGTERM');
  expect(await pod.worker.ended()).toBe(0);
  await publish(...others);
  await until(async () => !(await known(of)).includes(`${pod.ip}:${PORT}`), `${pod.ip} out of use`);
}

test('without the right to look it is not ready and says so; with it, by the least Role, it serves', async () => {
  const pod = await startPod();
  await publish(pod);
  proxy = await startFinding();
  const { log } = proxy;
  await until(() => log.some((line) => line['status'] === 403), 'a refusal in the log');
  expect((await proxy.admin('/readyz')).status).toBe(503);
  await grant();
  const ready = proxy;
  await until(async () => (await ready.admin('/readyz')).status === 200, 'ready');
  expect(await known(proxy)).toEqual([`${pod.ip}:${PORT}`]);
  expect((await fetch(`http://127.0.0.1:${proxy.port}/`)).status).toBe(200);
  const as = `system:serviceaccount:${namespace}:${ACCOUNT}`;
  for (const what of ['pods', 'secrets', 'configmaps', 'services'])
    expect((await getCluster().kubectl(['auth', 'can-i', 'list', what, '-n', namespace], { as })).stdout.trim()).toBe(
      'no',
    );
});

test('workers are replaced one by one under load: the new take requests, the old leave, none fails', async () => {
  await grant();
  let serving = [await startPod(), await startPod()];
  await publish(...serving);
  proxy = await startFinding();
  const running = proxy;
  await until(async () => (await known(running)).length === 2, 'both workers');
  load = startedLoad(proxy);
  for (let round = 0; round < 4; round++) {
    const [oldest, ...others] = serving;
    if (oldest === undefined) break;
    const next = await startPod();
    serving = [...others, next];
    await publish(oldest, ...serving);
    await takesRequests(next);
    await remove(oldest, serving, proxy);
  }
  const { sent, ok, failures } = await load.stop();
  expect(failures).toEqual({});
  expect([ok, ok > 300]).toEqual([sent, true]);
});

test('the API server is killed for ten seconds: every request is served, and what changed is seen when it is back', async () => {
  await grant();
  const [first, second] = [await startPod(), await startPod()];
  await publish(first, second);
  proxy = await startFinding();
  const running = proxy;
  await until(async () => (await known(running)).length === 2, 'both workers');
  load = startedLoad(proxy);
  await getCluster().killApiServer();
  const killedAt = performance.now();
  await until(() => performance.now() - killedAt > 10_000, 'ten seconds');
  expect(await known(proxy)).toHaveLength(2);
  expect((await proxy.admin('/readyz')).status).toBe(200);
  await getCluster().startApiServer();
  const third = await startPod();
  await publish(first, second, third);
  // The longest pause between two tries is half a minute.
  await until(async () => (await known(running)).length === 3, 'the third worker');
  await takesRequests(third);
  await remove(first, [second, third], proxy);
  const { sent, ok, failures } = await load.stop();
  expect(failures).toEqual({});
  expect(ok).toBe(sent);
});
