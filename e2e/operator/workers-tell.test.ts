// A real worker program at the address of a pod that kwok plays: the process count is changed in the resource, the worker takes it in place, and
// status.workers says what it tells. The kubelet's part, the file, is played by the test. The worker is asked once an hour: what is told in the meantime is told
// because the operator listens.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { WorkerStatus } from '../../core/status/worker.ts';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { condition, eventually, makeRig, type Rig } from './rig.ts';

/** Local on this machine for as long as the test runs: an address of a pod that loopback answers. */
const POD_RANGE = '10.252.0.0/16';
const getCluster = useCluster({ kwok: { nodes: 1, podCidr: POD_RANGE } });
const folder = mkdtempSync(join(tmpdir(), 'workers-tell-'));
let rig: Rig;
let operator: OperatorProcess;
let worker: ChildProcess | undefined;

beforeAll(async () => {
  execFileSync('ip', ['route', 'replace', 'local', POD_RANGE, 'dev', 'lo']);
  rig = await makeRig(getCluster());
  operator = await startOperator({ kubeconfig: rig.kubeconfig, flags: ['--status-interval', '1h'] });
});
afterAll(async () => {
  const ended = worker && new Promise((resolve) => worker?.on('exit', resolve));
  worker?.kill('SIGTERM');
  await ended;
  await operator?.stop();
  execFileSync('ip', ['route', 'del', 'local', POD_RANGE, 'dev', 'lo']);
  rmSync(folder, { recursive: true, force: true });
});

async function workerDocument(): Promise<string> {
  const configMap = (await rig.children('shop')).find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('shop-worker-'),
  );
  return (configMap?.['data'] as Record<string, string> | undefined)?.['worker.json'] ?? '';
}

async function podText(path: string): Promise<string> {
  const selector = 'webapp-operator.io/webapp=shop,app.kubernetes.io/component=worker';
  return rig.cluster.kubectlOk(['get', 'pods', '-n', rig.namespace, '-l', selector, '-o', `jsonpath=${path}`]);
}

const podAddress = () => podText('{.items[0].status.podIP}');

function deliver(document: string): void {
  const file = join(folder, 'config', 'worker.json');
  writeFileSync(`${file}.new`, document);
  renameSync(`${file}.new`, file);
}

test('processes 2 → 5 are live in the worker and in the status, by the same pod', async () => {
  await rig.apply('shop', { image: 'shop:1', app: 'hello:app', replicas: 1, workers: { processes: 2 } });
  await rig.settled('shop', 'serving', (one) => condition(one, 'Ready') === 'True/Serving');
  const address = await podAddress();
  mkdirSync(join(folder, 'config'));
  mkdirSync(join(folder, 'app'));
  writeFileSync(
    join(folder, 'app', 'hello.py'),
    'def app(environ, start):\n    start("200 OK", [])\n    return [b"hello"]\n',
  );
  deliver(await workerDocument());
  const main = fileURLToPath(new URL('../../worker/main.ts', import.meta.url));
  const flags = [
    '--config',
    join(folder, 'config/worker.json'),
    '--listen',
    `${address}:8000`,
    '--admin',
    `${address}:9000`,
    '--directory',
    '.',
  ];
  worker = spawn(process.execPath, [main, ...flags], {
    cwd: join(folder, 'app'),
    env: { ...process.env, WEBAPP_PYTHON: inject('python') },
    stdio: 'ignore',
  });
  await rig.settled('shop', 'at 2 workers', (one) => one.status?.workers?.summary === '2/2');
  expect(condition(await rig.webApp('shop'), 'ConfigApplied')).toBe('True/Applied');

  await rig.apply('shop', { image: 'shop:1', app: 'hello:app', replicas: 1, workers: { processes: 5 } });
  await rig.settled('shop', 'applying', (one) => condition(one, 'ConfigApplied') === 'False/Applying');
  await eventually(
    async () => (await workerDocument()).includes('"processes":5'),
    () => 'the document does not follow',
  );
  // The file comes late: as long as the worker does not tell of it, the pod's kubelet is told again.
  await eventually(
    async () => (await podText('{.items[0].metadata.annotations.webapp-operator\\.io/config-told}')).startsWith('2@'),
    () => 'the kubelet is not told a second time',
  );
  deliver(await workerDocument());
  const webApp = await rig.settled('shop', 'at 5 workers', (one) => one.status?.workers?.summary === '5/5');
  expect(condition(webApp, 'ConfigApplied')).toBe('True/Applied');
  expect(await podAddress()).toBe(address);
  const columns = await rig.cluster.kubectlOk(['get', 'wa', 'shop', '-n', rig.namespace]);
  expect(columns).toContain('5/5');
});

test('a process that is killed is an event of the WebApp, in the words of its worker', async () => {
  const address = await podAddress();
  const tells = async (): Promise<WorkerStatus> =>
    (await (await fetch(`http://${address}:9000/status`)).json()) as WorkerStatus;
  const [victim] = (await tells()).list;
  if (victim === undefined) throw new Error('the worker tells of no process');
  process.kill(victim.pid, 'SIGKILL');
  let notes: string[] = [];
  await eventually(
    async () => {
      const json = await rig.cluster.kubectlOk(['get', 'events.events.k8s.io', '-n', rig.namespace, '-o', 'json']);
      const { items } = JSON.parse(json) as { items: { reason: string; note: string }[] };
      notes = items.filter(({ reason }) => reason === 'ProcessDied').map(({ note }) => note);
      return notes.length > 0;
    },
    () => 'no event tells of the death',
  );
  const death = (await tells()).deaths.find(({ pid }) => pid === victim.pid);
  expect(death?.cause).toBe('signal');
  expect(notes).toEqual([death?.message]);
  await rig.settled('shop', 'at 5 workers', (one) => one.status?.workers?.summary === '5/5');
  expect((await rig.webApp('shop')).status?.problems).toBeUndefined();
});
