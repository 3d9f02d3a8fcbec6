// `npm run bench:operator [-- --webapps 1000 --fleet 5000 --quiet 600 --edits 200 --write]`: the operator on a real kube-apiserver and etcd.
// 1. WebApps from apply to all children applied and statuses written, beside a bare loop that applies the same objects.
// 2. A fleet at rest: memory, and writes in a quiet time with a resync and a restart in it. 3. One edit among the fleet.
// --write puts the table into bench/operator/README.md.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { makeCrd } from '../../core/app/crd.ts';
import { type Cluster, startCluster } from '../../e2e/cluster/control-plane.ts';
import { untilEstablished } from '../../e2e/cluster/established.ts';
import { type InCluster, type OperatorProcess, startOperator as start } from '../../e2e/operator/operator-process.ts';
import type { KubeObject } from '../../kube/object.ts';
import { MEMORY_ENV } from '../../operator/install/workload.ts';
import { KINDS, WEBAPP } from '../../operator/webapp/kinds.ts';
import { cpuMicros, rssOf } from '../process-tree.ts';
import { benchClient, childrenOf, forEach, makeWebApp, nameOf, resourceOf, watch } from './fleet.ts';

const { values } = parseArgs({
  options: {
    webapps: { type: 'string', default: '1000' },
    fleet: { type: 'string', default: '5000' },
    quiet: { type: 'string', default: '600' },
    edits: { type: 'string', default: '200' },
    write: { type: 'boolean', default: false },
  },
});
const webApps = Math.min(10_000, Number(values.webapps));
const fleet = Math.min(20_000, Number(values.fleet));
const quietSeconds = Math.min(3_600, Number(values.quiet));
const edits = Math.min(2_000, Number(values.edits));

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'dist/webapp-operator.mjs');
execFileSync('node', ['scripts/build.ts'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

/** Workers are not asked for their state: there are no pods. */
const FLAGS = ['--status-interval', '0s'];
const WRITES = 'webapp_operator_api_writes_total';
const WRITE_VERBS = ['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE'];

const cluster = await startCluster();
/** As in a pod: a token and the CA. */
let account: InCluster;
try {
  await cluster.kubectlOk(['apply', '--server-side', '-f', '-'], { input: stringify(makeCrd()) });
  await untilEstablished(cluster.kubectlOk, 'crd/webapps.webapp-operator.io');
  for (const name of ['bare', 'scale', 'webapp-operator']) await cluster.kubectlOk(['create', 'namespace', name]);
  account = await makeAccount(cluster);
  const lines = [...(await measureApply(cluster)), ...(await measureFleet(cluster))];
  const report = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}, etcd, kube-apiserver and benchmark on the same CPUs; Node ${process.versions.node}, Kubernetes 1.36.3.\n\n| what | measured | goal |\n|---|---|---|\n${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
  console.log(report);
  if (values.write) writeReport(report);
} finally {
  await cluster.close();
}

function startOperator(flags: readonly string[]): Promise<OperatorProcess> {
  return start({ kubeconfig: account, program: [program], flags, env: MEMORY_ENV });
}

/** May do everything: RBAC is the tests' business. */
async function makeAccount(on: Cluster): Promise<InCluster> {
  const access = await on.accessFor('webapp-operator', 'webapp-operator');
  const binding = ['create', 'clusterrolebinding', 'bench', '--clusterrole=cluster-admin'];
  await on.kubectlOk([...binding, '--serviceaccount=webapp-operator:webapp-operator']);
  const folder = join(on.folder, 'account');
  mkdirSync(folder);
  const { authorization = '' } = await access.headers();
  writeFileSync(join(folder, 'token'), authorization.replace('Bearer ', ''));
  writeFileSync(join(folder, 'ca.crt'), String(access.tls().ca));
  return { server: on.server, folder };
}

type Line = readonly [what: string, measured: string, goal: string];

async function measureApply(on: Cluster): Promise<Line[]> {
  const client = benchClient(on);
  const model = makeWebApp('bare', 0);
  const objects = childrenOf(model);
  const bareSeconds = await seconds(() =>
    forEach(webApps, async (index) => {
      const rename = (object: KubeObject): KubeObject =>
        JSON.parse(JSON.stringify(object).replaceAll(model.metadata.name, nameOf(index))) as KubeObject;
      await client.apply(WEBAPP, rename(model));
      for (const object of objects) await client.apply(resourceOf(object), rename(inNamespace(object, 'bare')));
      const status = { observedGeneration: 1, state: 'RollingOut' };
      const { apiVersion, kind, metadata } = rename(model);
      await client.apply(WEBAPP, { apiVersion, kind, metadata, status }, { subresource: 'status' });
    }),
  );
  const writes = webApps * (objects.length + 2);
  note(`bare loop: ${writes} writes in ${bareSeconds.toFixed(1)} s`);

  const operator = await startOperator(['--namespaces', 'scale', ...FLAGS]);
  const seen = await watch(on, WEBAPP, 'scale');
  const cpuBefore = cpuMicros([operator.pid]);
  const ours = await seconds(async () => {
    await forEach(webApps, (index) => client.apply(WEBAPP, makeWebApp('scale', index)));
    await seen.until('every status written', () => seen.reported() === webApps);
  });
  const cpuMs = (cpuMicros([operator.pid]) - cpuBefore) / 1000 / webApps;
  const written = await operator.metric(WRITES);
  note(`operator: ${written} writes in ${ours.toFixed(1)} s, ${cpuMs.toFixed(1)} ms CPU each WebApp`);
  await assertChildren(on, webApps, objects);
  seen.close();
  await operator.stop();
  client.transport.close();
  return [
    [
      `bare loop, ${webApps} × ${objects.length + 2} objects and statuses`,
      `${bareSeconds.toFixed(1)} s, ${(writes / bareSeconds).toFixed(0)} writes/s`,
      '',
    ],
    [
      `operator, ${webApps} WebApps to all children applied and statuses written`,
      `${ours.toFixed(1)} s, ratio ${(ours / bareSeconds).toFixed(2)}, ${(written / webApps).toFixed(1)} writes and ${cpuMs.toFixed(1)} ms CPU each`,
      '≤ 1.5, < 60 s',
    ],
  ];
}

/** What was measured must have happened. */
async function assertChildren(on: Cluster, count: number, objects: readonly KubeObject[]): Promise<void> {
  for (const kind of new Set(objects.map((object) => object.kind))) {
    const resource = resourceOf({ apiVersion: '', kind, metadata: { name: '' } });
    const all = await watch(on, resource, 'scale');
    const expected = count * objects.filter((object) => object.kind === kind).length;
    // A namespace has a ConfigMap and a ServiceAccount of its own once controllers run; here none do.
    if (all.count() !== expected) throw new Error(`${all.count()} of ${kind} instead of ${expected}`);
    all.close();
  }
}

async function measureFleet(on: Cluster): Promise<Line[]> {
  const client = benchClient(on);
  const flags = [
    '--namespaces',
    'scale',
    '--resync-interval',
    `${Math.max(1, Math.floor(quietSeconds / 10))}s`,
    ...FLAGS,
  ];
  let operator = await startOperator(flags);
  const seen = await watch(on, WEBAPP, 'scale');
  await forEach(fleet - webApps, (index) => client.apply(WEBAPP, makeWebApp('scale', webApps + index)));
  await seen.until('every status written', () => seen.reported() === fleet);
  note(`${fleet} WebApps settled`);
  const edited = await measureEdits(on, client);
  await settle(operator);
  const grown = rssOf(operator.pid);

  const before = await writesSeen(on);
  await sleep((quietSeconds * 1000) / 2);
  const ownWrites = await operator.metric(WRITES);
  const passes = await operator.metric('controller_runtime_reconcile_total');
  await operator.stop();
  operator = await startOperator(flags);
  await sleep((quietSeconds * 1000) / 2);
  const quietWrites = writesBetween(before, await writesSeen(on));
  const again = await operator.metric('controller_runtime_reconcile_total');
  note(
    `quiet: ${quietWrites} writes seen by the API server, ${passes} and ${again} passes before and after the restart`,
  );
  const fresh = rssOf(operator.pid);
  seen.close();
  await operator.stop();
  client.transport.close();
  return [
    [
      `${fleet} WebApps: resident memory after their making and ${edits} edits; after a restart, resyncs included`,
      `${mib(grown)}; ${mib(fresh)} MiB (own writes: ${ownWrites})`,
      '≤ 256 MiB',
    ],
    [
      `${fleet} WebApps, ${quietSeconds} quiet seconds with resyncs (${passes} + ${again} passes) and a restart: writes that the API server saw`,
      `${quietWrites}`,
      '0',
    ],
    [
      `one edit among ${fleet}: until its child changed`,
      `p50 ${edited.p50.toFixed(0)} ms, p95 ${edited.p95.toFixed(0)} ms of ${edits}`,
      'p95 ≤ 200 ms',
    ],
  ];
}

/**
 * Everything has been looked at once without a write. A new WebApp's Deployments are in its status from the pass after the one that made them, which here,
 * without a Deployment controller to wake it, is the next resync's.
 */
async function settle(operator: OperatorProcess): Promise<void> {
  const passes = (): Promise<number> => operator.metric('controller_runtime_reconcile_total');
  for (let before = -1, now = await operator.metric(WRITES); now !== before; now = await operator.metric(WRITES)) {
    before = now;
    const enough = (await passes()) + 2 * fleet;
    while ((await passes()) < enough) await sleep(200);
  }
}

/** By resource; Leases are how replicas and servers say that they live. */
async function writesSeen(on: Cluster): Promise<Map<string, number>> {
  const writes = new Map<string, number>();
  for (const { labels, value } of await on.metric('apiserver_request_total')) {
    const { verb = '', resource = '' } = labels;
    if (WRITE_VERBS.includes(verb) && resource !== 'leases') writes.set(resource, (writes.get(resource) ?? 0) + value);
  }
  return writes;
}

/** @returns such as `0`, or `12 (events 12)` */
function writesBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string {
  const grown = [...after]
    .map(([resource, count]) => [resource, count - (before.get(resource) ?? 0)] as const)
    .filter(([, count]) => count !== 0);
  const sum = grown.reduce((total, [, count]) => total + count, 0);
  return sum === 0 ? '0' : `${sum} (${grown.map(([resource, count]) => `${resource} ${count}`).join(', ')})`;
}

/** From the answer to the edit until the benchmark's own watch sees the ConfigMap changed. */
async function measureEdits(
  on: Cluster,
  client: ReturnType<typeof benchClient>,
): Promise<{ p50: number; p95: number }> {
  const configMaps = await watch(on, KINDS.ConfigMap, 'scale');
  const times: number[] = [];
  for (let edit = 0; edit < edits; edit++) {
    const name = nameOf(Math.floor((edit * 7919) % fleet));
    const changed = new Promise<number>((resolve) => {
      const stop = configMaps.onUpdate((configMap) => {
        if (!configMap.startsWith(`${name}-worker-`)) return;
        stop();
        resolve(performance.now());
      });
    });
    const spec = { workers: { threads: 2 + Math.floor(edit / fleet) } };
    await client.patch(WEBAPP, { namespace: 'scale', name }, { spec });
    const begin = performance.now();
    times.push(Math.max(0, (await changed) - begin));
    await sleep(20);
  }
  configMaps.close();
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(times.length / 2)] ?? 0, p95: times[Math.floor(times.length * 0.95)] ?? 0 };
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

async function seconds(act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await act();
  return (performance.now() - begin) / 1000;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function note(text: string): void {
  console.error(text);
}

function writeReport(text: string): void {
  const file = join(root, 'bench/operator/README.md');
  const [before = '', rest = ''] = readFileSync(file, 'utf8').split('<!-- begin measured -->');
  const after = rest.split('<!-- end measured -->')[1] ?? '\n';
  writeFileSync(file, `${before}<!-- begin measured -->\n${text}<!-- end measured -->${after}`);
}
