// Kubernetes in Docker (https://kind.sigs.k8s.io), for people who have Docker and for public CI. What is made, in which order and with
// which words, is tested with kind itself on a Docker that only plays along (provider.test.ts); containers have never run under it on
// the machines that this was written on, which have no Docker daemon.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterState, Provider, RealClusterOptions } from '../real-cluster.ts';
import { clusterNameOf, endCluster, kubeconfigIn, openCluster, type Tools } from './cluster.ts';
import { makeCommand } from './command.ts';
import { makeKindConfig, pickMinor } from './config.ts';
import { createCluster } from './kind-commands.ts';
import { findKind } from './kind-program.ts';
import { installMetricsServer } from './metrics-server.ts';
import { waitUntilComplete } from './ready.ts';

/** A node image is 0.4 GB to fetch, the first time. */
const CREATE_TIMEOUT_MS = 20 * 60_000;
const MOST_NODES = 3;

export const kindProvider: Provider = {
  name: 'kind',
  whyNot,
  start,
  open: async (state) => openCluster(await findTools(), state.folder),
};

function whyNot(): string | undefined {
  try {
    const format = ['version', '--format', '{{.Server.Version}}'];
    execFileSync('docker', format, { stdio: 'ignore', timeout: 10_000 });
    return undefined;
  } catch {
    return 'no Docker daemon answers `docker version`: start Docker, or use the native provider';
  }
}

/** By variable KUBERNETES_MINOR: one of the three minors that node images are pinned for. */
async function start({ nodes = 1 }: RealClusterOptions): Promise<ClusterState> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MOST_NODES)
    throw new Error(`nodes: ${nodes}: write a number from 1 to ${MOST_NODES}`);
  const minor = pickMinor(process.env['KUBERNETES_MINOR']);
  const tools = await findTools();
  const folder = join(tmpdir(), `webapp-kind-${randomBytes(4).toString('hex')}`);
  mkdirSync(folder, { mode: 0o700 });
  try {
    const config = join(folder, 'kind.json');
    writeFileSync(config, JSON.stringify(makeKindConfig({ nodes, minor }), undefined, 2));
    const creation = { name: clusterNameOf(folder), config, kubeconfig: kubeconfigIn(folder) };
    await tools.kind(createCluster(creation), { timeoutMs: CREATE_TIMEOUT_MS, shown: true });
    const cluster = await openCluster(tools, folder);
    await installMetricsServer(cluster, folder);
    await waitUntilComplete(cluster, nodes);
  } catch (error) {
    await endCluster(tools, folder).catch(() => {}); // the first error is the one that says why
    throw error;
  }
  return { provider: 'kind', folder };
}

/** Docker, though podman may be there too. */
async function findTools(): Promise<Tools> {
  const env = { ...process.env, KIND_EXPERIMENTAL_PROVIDER: 'docker' };
  return { docker: makeCommand('docker'), kind: makeCommand(await findKind(), env) };
}
