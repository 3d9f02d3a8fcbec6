// The command line against a cluster, as a plugin of the real kubectl: a WebApp whose pods kwok plays and one of which a real worker answers for, on its address.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { buildProgram } from '../cluster/build.ts';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { condition, eventually, isComplete, makeRig, type Rig, writeKubeconfig } from './rig.ts';

/** Local on this machine for as long as the test runs: an address of a pod that loopback answers. */
const POD_RANGE = '10.253.0.0/16';
const getCluster = useCluster({ kwok: { nodes: 1, podCidr: POD_RANGE } });
const folder = mkdtempSync(join(tmpdir(), 'command-line-'));
const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
let rig: Rig;
let operator: OperatorProcess;
let worker: ChildProcess | undefined;

beforeAll(async () => {
  execFileSync('ip', ['route', 'replace', 'local', POD_RANGE, 'dev', 'lo']);
  installPlugin();
  rig = await makeRig(getCluster());
  operator = await startOperator({ kubeconfig: rig.kubeconfig, flags: ['--status-interval', '2s'] });
  await rig.apply('shop', { image: 'shop:1', app: 'hello:app', replicas: 1, workers: { processes: 2 } });
  await rig.settled('shop', 'serving', (one) => condition(one, 'Ready') === 'True/Serving');
  await startWorker();
});
afterAll(async () => {
  const ended = worker && new Promise((resolve) => worker?.on('exit', resolve));
  worker?.kill('SIGTERM');
  await ended;
  await operator?.stop();
  execFileSync('ip', ['route', 'del', 'local', POD_RANGE, 'dev', 'lo']);
  rmSync(folder, { recursive: true, force: true });
});

/** As npm installs it: a program of that name in the PATH, which leads to the command. */
function installPlugin(): void {
  mkdirSync(join(folder, 'lib'));
  mkdirSync(join(folder, 'bin'));
  symlinkSync(main, join(folder, 'lib', 'kubectl-webapp'));
  const script = join(folder, 'bin', 'kubectl-webapp');
  writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'lib', 'kubectl-webapp')}' "$@"\n`);
  chmodSync(script, 0o755);
}

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function said(program: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Said> {
  return new Promise((resolve) => {
    execFile(program, words, { timeout: 120_000, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

/** `kubectl webapp …`: the real one, which finds the plugin in the PATH and allows no flag before its name. */
async function kubectlWebapp(...words: string[]): Promise<Said> {
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}`,
    KUBECONFIG: rig.cluster.kubeconfig,
  };
  return said(join(await buildProgram('kubernetes'), 'kubectl'), ['webapp', ...words], env);
}

/** In the namespace of the test. */
const plugin = (...words: string[]): Promise<Said> => kubectlWebapp(...words, '-n', rig.namespace);
const webapp = (...words: string[]): Promise<Said> => said(process.execPath, [main, ...words]);

async function workerDocument(): Promise<string> {
  const configMap = (await rig.children('shop')).find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('shop-worker-'),
  );
  return (configMap?.['data'] as Record<string, string> | undefined)?.['worker.json'] ?? '';
}

function deliver(document: string): void {
  const file = join(folder, 'config', 'worker.json');
  writeFileSync(`${file}.new`, document);
  renameSync(`${file}.new`, file);
}

async function startWorker(): Promise<void> {
  const selector = 'webapp-operator.io/webapp=shop,app.kubernetes.io/component=worker';
  const address = await rig.cluster.kubectlOk([
    ...['get', 'pods', '-n', rig.namespace, '-l', selector],
    ...['-o', 'jsonpath={.items[0].status.podIP}'],
  ]);
  for (const name of ['config', 'app']) mkdirSync(join(folder, name));
  const app = 'def app(environ, start):\n    start("200 OK", [])\n    return [b"hello"]\n';
  writeFileSync(join(folder, 'app', 'hello.py'), app);
  deliver(await workerDocument());
  const flags = ['--config', join(folder, 'config/worker.json'), '--directory', '.'];
  const listen = ['--listen', `${address}:8000`, '--admin', `${address}:9000`];
  worker = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../worker/main.ts', import.meta.url)), ...flags, ...listen],
    {
      cwd: join(folder, 'app'),
      env: { ...process.env, WEBAPP_PYTHON: inject('python') },
      stdio: 'ignore',
    },
  );
  await rig.settled('shop', 'at 2 workers', (one) => one.status?.workers?.summary === '2/2');
}

test('kubectl webapp status: how it is, its conditions, pods and processes, the latter through the API server', async () => {
  const { code, stdout, stderr } = await plugin('status', 'shop');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^shop {2}namespace /);
  expect(stdout).toMatch(/Ready +True +Serving/);
  expect(stdout).toMatch(/shop-worker-\S+ +worker +ready +0 /);
  expect(stdout).toContain('Processes: 2 of 2 ready');
  expect(stdout).toMatch(/1 +\d+ +free +.*\n.* 2 +\d+ +free/);
  expect(stdout).toMatch(/worker shop-worker-\S+: [0-9a-f]+, applied /);
  expect(stdout).not.toContain('\u001b');
});

test('kubectl webapp status without a name, and top, are tables; -o json and yaml are the same for software', async () => {
  const status = await plugin('status');
  expect(status.stdout).toMatch(/^NAME +PROCESSES/m);
  expect(status.stdout).toMatch(/^shop +2\/2 +1\/1 /m);
  const top = await plugin('top');
  expect(top.stdout).toMatch(/shop-worker-\S+ +1 +\d+ +free/);
  const json = await plugin('status', 'shop', '-o', 'json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    kind: 'WebAppSight',
    picture: { name: 'shop' },
    resource: { pods: '1/1' },
  });
  const all = await kubectlWebapp('status', '-A', '-o', 'yaml');
  expect(all.stdout).toContain(`namespace: ${rig.namespace}`);
});

test('webapp resize: the process count is applied in place', async () => {
  const resized = await webapp('resize', 'shop', '4', '--kubeconfig', rig.cluster.kubeconfig, '-n', rig.namespace);
  expect(resized.stdout).toMatch(/^shop: workers\.processes 2 → 4\. /);
  await eventually(
    async () => (await workerDocument()).includes('"processes":4'),
    () => 'the document does not follow',
  );
  deliver(await workerDocument());
  await rig.settled('shop', 'at 4 workers', (one) => one.status?.workers?.summary === '4/4');
  const { spec, metadata } = await rig.webApp('shop');
  expect(spec['workers']).toMatchObject({ processes: 4 });
  expect(spec['replicas']).toBe(1);
  expect(metadata.name).toBe('shop');
});

test('logs that the kubelets do not give are one clear error', async () => {
  const { code, stdout, stderr } = await plugin('logs', 'shop', '--tail', '5');
  expect(`${code} ${stdout}`).toBe('1 ');
  expect(stderr).toMatch(/^✗ no log can be read: .*containerLogs.*\n {2}→ webapp status shop .*\n$/);
});

test('a name that is not there is answered with those that are', async () => {
  const { code, stderr } = await plugin('status', 'shoop');
  expect(code).toBe(1);
  expect(stderr).toContain(`✗ there is no WebApp shoop in namespace ${rig.namespace}`);
  expect(stderr).toContain('→ there are: shop');
});

test('who may not ask pods is told so, and shown what the status has', async () => {
  const { cluster, namespace } = rig;
  const role = ['--verb=get,list', '--resource=webapps.webapp-operator.io,pods,events', '-n', namespace];
  await cluster.kubectlOk(['create', 'role', 'looks', ...role]);
  const access = await cluster.accessFor(namespace, 'looker');
  await cluster.kubectlOk([
    'create',
    'rolebinding',
    'looks',
    '--role=looks',
    `--serviceaccount=${namespace}:looker`,
    '-n',
    namespace,
  ]);
  const { authorization = '' } = (await access.headers()) as Record<string, string>;
  const file = writeKubeconfig(
    join(folder, 'looker'),
    cluster.server,
    String(access.tls().ca),
    authorization.replace('Bearer ', ''),
  );
  const { code, stdout, stderr } = await webapp('status', 'shop', '-n', namespace, '--kubeconfig', file);
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(stdout).toContain('you may not get pods/portforward in this namespace');
  expect(stdout).toContain('The operator tells of 4/4 processes ready.');
  expect(stdout).toMatch(/Ready +True +Serving/);
  const refused = await webapp('restart', 'shop', '-n', namespace, '--kubeconfig', file);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/✗ you may not do this: .*cannot patch resource "webapps"/);
});

test('a cluster that cannot be reached is one clear error', async () => {
  const file = writeKubeconfig(join(folder, 'nowhere'), new URL('https://127.0.0.1:1'), 'x', 'x');
  const { code, stderr } = await webapp('status', '--kubeconfig', file);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^✗ .*\n {2}→ .*\n$/);
  const none = await webapp('status', '--kubeconfig', join(folder, 'missing'));
  expect(none.code).toBe(1);
  expect(none.stderr).toMatch(/^✗ kubeconfig .*missing cannot be read.*\n {2}→ .*\n$/);
});

test('kubectl webapp restart replaces every pod, new ones first', async () => {
  const podNames = async (): Promise<string[]> => {
    const names = await rig.cluster.kubectlOk([
      ...['get', 'pods', '-n', rig.namespace, '-l', 'webapp-operator.io/webapp=shop'],
      ...['-o', 'jsonpath={.items[*].metadata.name}'],
    ]);
    return names.split(' ').filter(Boolean);
  };
  const before = await podNames();
  const { stdout } = await plugin('restart', 'shop');
  expect(stdout).toMatch(/^shop: every pod is replaced/);
  await rig.settled('shop', 'restarted', isComplete);
  await eventually(
    async () => (await podNames()).every((name) => !before.includes(name)),
    () => `some of ${before} stay`,
  );
});
