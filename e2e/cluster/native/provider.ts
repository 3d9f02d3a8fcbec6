// Kubernetes from Go modules and Debian's packages, on this machine, in namespaces of its own: how it is started (start-holder.ts) and
// used (handle.ts).
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram, whyNoPrograms } from '../build.ts';
import { freePorts } from '../ports.ts';
import type { ClusterState, Provider, RealClusterOptions } from '../real-cluster.ts';
import { whyNoSystemPackages } from '../system-packages.ts';
import { placeOfNode } from './addresses.ts';
import { openCluster } from './handle.ts';
import { sweep } from './leftovers.ts';
import { startHolder } from './start-holder.ts';
import { FOLDER_PREFIX, writeDetails } from './state.ts';
import { SYSTEM_PROGRAMS, systemImages } from './system-images.ts';

const MOST_NODES = 3;
/** Those that are no images. */
const PROGRAMS = ['etcd', 'kubernetes', 'kube-router'] as const;

export const nativeProvider: Provider = { name: 'native', whyNot, start, open: openCluster };

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'nodes need Linux: use the provider kind, with Docker';
  if (process.getuid?.() !== 0)
    return 'nodes are made of namespaces and cgroups: be root (sudo), or use the provider kind, with Docker';
  return whyNoSystemPackages() ?? whyNoPrograms([...PROGRAMS, ...SYSTEM_PROGRAMS]);
}

async function start({ nodes = 1 }: RealClusterOptions): Promise<ClusterState> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MOST_NODES)
    throw new Error(`nodes: ${nodes}: write a number from 1 to ${MOST_NODES}`);
  const missing = whyNot();
  if (missing !== undefined) throw new Error(missing);
  // One after the other: one of them fills two cores.
  const programs = {
    etcd: await buildProgram('etcd'),
    kubernetes: await buildProgram('kubernetes'),
    'kube-router': await buildProgram('kube-router'),
  };
  const images = await systemImages();
  await sweep();
  const listener = await listen();
  const { port } = listener.address() as { port: number };
  const folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  const cgroup = `webapp-cluster-${randomBytes(5).toString('hex')}`;
  const names = Array.from({ length: nodes }, (_, index) => placeOfNode(index).name);
  const ready = startHolder({ folder, cgroup, nodes, port, programs, images }, listener);
  writeDetails(folder, { port, nodes: names, cgroup, kubernetes: programs.kubernetes });
  await ready.finally(() => listener.close());
  return { provider: 'native', folder };
}

/** A socket of the machine's network, for the holder to accept from in its own. */
async function listen(): Promise<Server> {
  const [port] = await freePorts(1);
  const listener = createServer();
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, '127.0.0.1', () => resolve(listener));
  });
}
