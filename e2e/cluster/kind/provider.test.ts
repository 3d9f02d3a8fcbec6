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
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
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
let api: FakeApi | undefined;

async function makePlace(): Promise<void> {
  await buildProgram('kind'); // before PATH and TMPDIR are others
  place = mkdtempSync(join(tmpdir(), 'kind-'));
  for (const folder of ['bin', 'tmp', 'docker', 'pki']) mkdirSync(join(place, folder));
  program('docker', `exec "${process.execPath}" "${FAKE_DOCKER}" "$@"`);
  program('kubectl', `echo "$*" >>"$FAKE_DOCKER/kubectl"; echo '{"clientVersion":{"gitVersion":"v1.36.3"}}'`);
  program('kind', 'echo kind v0.1.0 go1.20 linux/amd64');
  vi.stubEnv('PATH', `${join(place, 'bin')}:${process.env['PATH']}`);
  vi.stubEnv('TMPDIR', join(place, 'tmp'));
  vi.stubEnv('FAKE_DOCKER', join(place, 'docker'));
  vi.stubEnv('KUBERNETES_MINOR', '1.37');
}

function removePlace(): void {
  api?.close();
  api = undefined;
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true, force: true });
}

// One after the other: the last ends it.
describe('a cluster of two nodes', () => {
  let state: ClusterState;
  let cluster: RealCluster;
  beforeAll(async () => {
    await makePlace();
    state = await start('v1.37.0', 2);
    cluster = await kindProvider.open(state);
  });
  afterAll(removePlace);

  test('is made of the pinned image, and complete before it is handed over', () => {
    const name = basename(state.folder);
    const made = calls('run').map((args) => [args[2], args.at(-1)]);
    const image = expect.stringMatching(/^kindest\/node:v1\.37\.\d+@sha256:[0-9a-f]{64}$/);
    expect(made.sort()).toEqual(['control-plane', 'worker'].map((role) => [`${name}-${role}`, image]));
    expect(calls('pull')).toHaveLength(1);
    expect(kubectlCalls()).toContainEqual(expect.stringMatching(/apply --kustomize .*metrics-server$/));
    expect(api?.asked).toEqual(expect.arrayContaining(['/apis/metrics.k8s.io/v1beta1/nodes']));
    expect(readFileSync(join(state.folder, 'kubeconfig'), 'utf8')).toContain(`https://127.0.0.1:${api?.port}`);
  });

  test('has the settings that make waiting short', () => {
    expectPatched(state, 'kubeadm.k8s.io/v1beta4');
  });

  test('names its nodes, the one to be left alone first, and its versions', async () => {
    expect(cluster.nodes).toEqual([expect.stringMatching(/-control-plane$/), expect.stringMatching(/-worker$/)]);
    const versions = await cluster.versions();
    expect(versions).toMatchObject({ kubernetes: 'v1.37.0', etcd: '3.6.16-0', kind: 'v0.33.0', docker: '28.2.2' });
    expect(versions).not.toHaveProperty('kube-apiserver');
  });

  test('takes images into every node', async () => {
    const archive = join(place, 'images.tar');
    writeFileSync(archive, 'an archive');
    await cluster.loadImages(archive);
    for (const node of cluster.nodes) expect(writtenInto(node, 'images_import')).toEqual(['an archive']);
  });

  test('has a container killed on its node, by its id', async () => {
    const kill = (container: string) =>
      cluster.killContainer({ namespace: 'web', pod: 'shop-1', container }, 'SIGSTOP');
    await kill('app');
    expect(calls('exec').at(-1)?.join(' ')).toBe(
      `exec ${cluster.nodes[1]} ctr --namespace k8s.io tasks kill --signal SIGSTOP 0123abcd`,
    );
    await expect(kill('waiting')).rejects.toThrow('it does not run');
    await expect(kill('other')).rejects.toThrow('pod web/shop-1 has no container other that was started');
  });

  test('has its API server killed until the kubelet lets it be, and back again', async () => {
    writeFileSync(join(place, 'docker', 'api-server'), 'c1');
    await cluster.stopApiServer();
    await cluster.startApiServer();
    await cluster.startApiServer();
    const steps = calls('exec').map((args) => args.slice(2).join(' '));
    const there = '/etc/kubernetes/manifests/kube-apiserver.yaml';
    const aside = '/etc/kubernetes/kube-apiserver.yaml.aside';
    const from = steps.findIndex((step) => step.startsWith('sh '));
    expect(steps.slice(from).filter((step) => !step.startsWith('crictl'))).toEqual([
      `sh -c test ! -e ${there} || mv ${there} ${aside}`,
      'ctr --namespace k8s.io tasks kill --signal SIGKILL c1',
      'ctr --namespace k8s.io tasks kill --signal SIGKILL c2',
      `sh -c test ! -e ${aside} || mv ${aside} ${there}`,
      `sh -c test ! -e ${aside} || mv ${aside} ${there}`,
    ]);
    expect(api?.asked.at(-1)).toBe('/readyz');
  });

  test('is closed with all that it left, twice', async () => {
    await cluster.close();
    expect(readdirSync(join(place, 'docker', 'containers'))).toEqual([]);
    expect(existsSync(state.folder)).toBe(false);
    await cluster.close();
  });
});

describe('otherwise', () => {
  beforeEach(makePlace);
  afterEach(removePlace);

  test('kubeadm before Kubernetes 1.36 has an older format, and is told the same', async () => {
    expectPatched(await start('v1.35.8', 1), 'kubeadm.k8s.io/v1beta3');
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
});

/** kind understood every patch, and lost nothing of its own. */
function expectPatched({ folder }: ClusterState, apiVersion: string): void {
  const config = kubeadmConfig(`${basename(folder)}-control-plane`);
  const { controllerManager } = config['ClusterConfiguration'] as { readonly controllerManager: { extraArgs: object } };
  expect(config['ClusterConfiguration']).toMatchObject({ apiVersion });
  expect(flagsOf(controllerManager.extraArgs)).toMatchObject({
    'horizontal-pod-autoscaler-sync-period': '5s',
    'horizontal-pod-autoscaler-cpu-initialization-period': '10s',
    'horizontal-pod-autoscaler-initial-readiness-delay': '5s',
    'enable-hostpath-provisioner': 'true',
  });
  expect(config['InitConfiguration']).toMatchObject({ nodeRegistration: { taints: [] } });
  expect(config['KubeletConfiguration']).toMatchObject({ nodeStatusUpdateFrequency: '1s', failSwapOn: false });
}

/** A list since v1beta4. */
function flagsOf(extraArgs: object): Readonly<Record<string, unknown>> {
  if (!Array.isArray(extraArgs)) return { ...extraArgs };
  return Object.fromEntries((extraArgs as { name: string; value: string }[]).map(({ name, value }) => [name, value]));
}

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
