// The provider with kind itself, on a Docker and an API server that only play along: what is called, in which order, and what kind makes
// of its configuration. No container runs here.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { buildProgram, whyNoCluster } from '../build.ts';
import { skipWhatFollows } from '../fixture.ts';
import type { ClusterState, RealCluster } from '../real-cluster.ts';
import { kindProvider } from './provider.ts';
import { type FakeApi, startFakeApi } from './testing/fake-api.ts';

const FAKE_DOCKER = fileURLToPath(new URL('testing/fake-docker.ts', import.meta.url));

const missing = whyNoCluster();
if (missing !== undefined) skipWhatFollows(missing);

let place: string;
let api: FakeApi;

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'kind-'));
  for (const folder of ['bin', 'tmp', 'docker', 'pki']) mkdirSync(join(place, folder));
  await buildProgram('kind'); // before PATH and TMPDIR are others
  program('docker', `exec "${process.execPath}" "${FAKE_DOCKER}" "$@"`);
  program('kubectl', `echo "$*" >>"$FAKE_DOCKER/kubectl"; echo '{"clientVersion":{"gitVersion":"v1.36.3"}}'`);
  program('kind', 'echo kind v0.1.0 go1.20 linux/amd64');
  vi.stubEnv('PATH', `${join(place, 'bin')}:${process.env['PATH']}`);
  vi.stubEnv('TMPDIR', join(place, 'tmp'));
  vi.stubEnv('FAKE_DOCKER', join(place, 'docker'));
  vi.stubEnv('KUBERNETES_MINOR', '1.37');
});

afterEach(() => {
  api?.close();
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true, force: true });
});

test('two nodes are made of the pinned image, and the cluster is complete before it is handed over', async () => {
  const state = await start('v1.37.0', 2);
  const name = state.folder.split('/').at(-1);
  expect(
    calls('run')
      .map((args) => [args[2], args.at(-1)])
      .sort(),
  ).toEqual(
    ['control-plane', 'worker'].map((role) => [
      `${name}-${role}`,
      expect.stringMatching(/^kindest\/node:v1\.37\.\d+@sha256:[0-9a-f]{64}$/),
    ]),
  );
  expect(calls('pull')).toHaveLength(1);
  expect(kubectlCalls().at(-1)).toMatch(/apply --kustomize .*metrics-server$/);
  expect(api.asked).toEqual(expect.arrayContaining(['/apis/metrics.k8s.io/v1beta1/nodes']));
  expect(readFileSync(join(state.folder, 'kubeconfig'), 'utf8')).toContain(`https://127.0.0.1:${api.port}`);
});

test.each([
  ['v1.37.0', 'kubeadm.k8s.io/v1beta4'],
  ['v1.35.8', 'kubeadm.k8s.io/v1beta3'],
])('kind understands every patch: kubeadm of %s is told all of it', async (version, apiVersion) => {
  const { folder } = await start(version, 1);
  const config = kubeadmConfig(`${folder.split('/').at(-1)}-control-plane`);
  expect(config['ClusterConfiguration']).toMatchObject({ apiVersion });
  const { extraArgs } = (config['ClusterConfiguration'] as { controllerManager: { extraArgs: object } })
    .controllerManager;
  const flag = 'horizontal-pod-autoscaler-sync-period';
  const told = Array.isArray(extraArgs)
    ? extraArgs
    : Object.entries(extraArgs).map(([key, value]) => ({ name: key, value }));
  expect(told).toEqual(expect.arrayContaining([{ name: flag, value: '5s' }]));
  expect(told).toEqual(expect.arrayContaining([{ name: 'enable-hostpath-provisioner', value: 'true' }]));
  expect(config['InitConfiguration']).toMatchObject({ nodeRegistration: { taints: [] } });
  expect(config['KubeletConfiguration']).toMatchObject({ nodeStatusUpdateFrequency: '1s', failSwapOn: false });
});

test('it is found again, told apart, filled and closed', async () => {
  const state = await start('v1.37.0', 2);
  const cluster = await kindProvider.open(state);
  const [first, second] = cluster.nodes;
  expect([first, second]).toEqual([expect.stringMatching(/-control-plane$/), expect.stringMatching(/-worker$/)]);
  expect(await cluster.versions()).toMatchObject({
    kubernetes: 'v1.37.0',
    etcd: '3.6.16-0',
    kind: 'v0.33.0',
    docker: '28.2.2',
  });
  expect(await cluster.versions()).not.toHaveProperty('kube-apiserver');

  const archive = join(place, 'images.tar');
  writeFileSync(archive, 'an archive');
  await cluster.loadImages(archive);
  for (const node of [first, second]) expect(writtenInto(node, 'images_import')).toEqual(['an archive']);

  await cluster.close();
  expect(readdirSync(join(place, 'docker', 'containers'))).toEqual([]);
  expect(existsSync(state.folder)).toBe(false);
  await cluster.close();
});

test('a container is killed on its node, by its id', async () => {
  const cluster = await opened();
  await cluster.killContainer({ namespace: 'web', pod: 'shop-1', container: 'app' }, 'SIGSTOP');
  expect(calls('exec').at(-1)?.join(' ')).toBe(
    `exec ${cluster.nodes[1]} ctr --namespace k8s.io tasks kill --signal SIGSTOP 0123abcd`,
  );
  const kill = (container: string) => cluster.killContainer({ namespace: 'web', pod: 'shop-1', container }, 'SIGKILL');
  await expect(kill('waiting')).rejects.toThrow('it does not run');
  await expect(kill('other')).rejects.toThrow('pod web/shop-1 has no container other that was started');
});

test('the API server is killed until the kubelet lets it be, and comes back', async () => {
  const cluster = await opened();
  writeFileSync(join(place, 'docker', 'api-server'), 'c1');
  await cluster.stopApiServer();
  await cluster.startApiServer();
  const steps = calls('exec').map((args) => args.slice(2).join(' '));
  const steady = steps
    .slice(steps.findIndex((step) => step.startsWith('mv ')))
    .filter((step) => !step.startsWith('crictl'));
  expect(steady).toEqual([
    'mv /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/kube-apiserver.yaml.aside',
    'ctr --namespace k8s.io tasks kill --signal SIGKILL c1',
    'ctr --namespace k8s.io tasks kill --signal SIGKILL c2',
    'mv /etc/kubernetes/kube-apiserver.yaml.aside /etc/kubernetes/manifests/kube-apiserver.yaml',
  ]);
  expect(api.asked.at(-1)).toBe('/readyz');
});

test('what goes wrong is told in the words of Docker, and nothing is left', async () => {
  writeFileSync(join(place, 'docker', 'broken'), '');
  await expect(start('v1.37.0', 2)).rejects.toThrow('the kubelet is not healthy');
  expect(readdirSync(join(place, 'docker', 'containers'))).toEqual([]);
  expect(readdirSync(join(place, 'tmp')).filter((name) => name.startsWith('webapp-kind-'))).toEqual([]);
});

test.each([0, 4, 1.5, Number.NaN])('%d nodes are refused', async (nodes) => {
  await expect(kindProvider.start({ nodes })).rejects.toThrow('write a number from 1 to 3');
});

test('without a daemon, it says so', () => {
  program('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
  expect(kindProvider.whyNot()).toContain('no Docker daemon answers');
});

function program(name: string, script: string): void {
  const path = join(place, 'bin', name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

async function start(version: string, nodes: number): Promise<ClusterState> {
  api = await startFakeApi(join(place, 'pki'), () => createdNodes());
  const docker = join(place, 'docker');
  writeFileSync(join(docker, 'version'), version);
  writeFileSync(join(docker, 'port'), String(api.port));
  writeFileSync(join(docker, 'admin.conf'), readFileSync(api.kubeconfig));
  return kindProvider.start({ nodes });
}

const opened = async (): Promise<RealCluster> => kindProvider.open(await start('v1.37.0', 2));

/** Not in the order in which they were made. */
const createdNodes = (): string[] =>
  readdirSync(join(place, 'docker', 'containers'))
    .sort()
    .reverse();

function calls(command: string): string[][] {
  const lines = readFileSync(join(place, 'docker', 'calls.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as string[]).filter(([first]) => first === command);
}

const kubectlCalls = (): string[] =>
  readFileSync(join(place, 'docker', 'kubectl'), 'utf8')
    .trim()
    .split('\n');

/** What commands of a node were given on stdin. */
function writtenInto(node: string | undefined, command: string): string[] {
  const folder = join(place, 'docker', 'nodes', node ?? '');
  const files = readdirSync(folder).filter((file) => file.replaceAll(' ', '_').includes(command));
  return files.map((file) => readFileSync(join(folder, file), 'utf8'));
}

/** Kind → document. */
function kubeadmConfig(node: string): Record<string, unknown> {
  const [text = ''] = writtenInto(node, 'kubeadm.conf');
  const documents = parseAllDocuments(text).map((document) => document.toJS() as { readonly kind: string });
  return Object.fromEntries(documents.map((document) => [document.kind, document]));
}
