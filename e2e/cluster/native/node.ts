// One node: its sandbox (node.sh), containerd, kubelet, kube-proxy and what enforces NetworkPolicies in it. Runs inside the cluster's namespaces.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Daemon, spawnDaemon } from '../daemons.ts';
import { untilReady } from '../until.ts';
import { CLUSTER_DOMAIN, DNS_SERVICE, type NodePlace } from './addresses.ts';
import { makeCgroup } from './cgroups.ts';
import { run } from './command.ts';
import { firewallFlags, kubeletFlags } from './flags.ts';
import { CONTAINERD_SOCKET, cniConfig, containerdConfig, kubeletConfig, kubeProxyConfig } from './node-config.ts';
import { filesOfNode, type NodeFiles } from './node-files.ts';

export interface NodeOptions {
  readonly place: NodePlace;
  /** The other nodes, to which it needs a way. */
  readonly others: readonly NodePlace[];
  /** Its own, made by it. */
  readonly folder: string;
  /** Their folders. */
  readonly programs: { readonly kubernetes: string; readonly 'kube-router': string };
  readonly caFile: string;
  /** Paths, with the right to be this node, its kube-proxy and its firewall. */
  readonly kubeconfigs: { readonly kubelet: string; readonly proxy: string; readonly firewall: string };
  /** Name of the cgroup in every hierarchy. */
  readonly cgroup: string;
}

export interface Node {
  readonly place: NodePlace;
  /** An archive of images, into the store that its pods are started from. */
  loadImages(archive: string): Promise<void>;
  /** containerd's own client, on Kubernetes' containers. @returns stdout */
  ctr(...args: string[]): Promise<string>;
  /** Starts what makes it a node, once the API server is ready. */
  join(): readonly Daemon[];
  /** Starts what enforces NetworkPolicies, once the API server knows the node: before, it ends at once. */
  enforce(): Daemon;
}

/** @returns when its containerd takes images; pods run after `join` */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { place, folder, programs, kubeconfigs } = options;
  const files = writeFiles(options);
  const pid = await startSandbox(options);
  const inside = ['--target', String(pid), '--mount', '--net', `--wdns=${folder}`, '--'];
  const start = (path: string, args: readonly string[]): Daemon =>
    spawnDaemon(
      `${path.slice(path.lastIndexOf('/') + 1)}-${place.name}`,
      'nsenter',
      [...inside, path, ...args],
      folder,
    );
  const ctr: Node['ctr'] = (...args) =>
    run('nsenter', [...inside, 'ctr', '--address', CONTAINERD_SOCKET, '--namespace', 'k8s.io', ...args]);

  const containerd = start('containerd', ['--config', files.containerdConfig]);
  await untilReady(containerd, 'answers', async () => (await ctr('version')) !== '');
  return {
    place,
    ctr,
    loadImages: async (archive) => void (await ctr('images', 'import', archive)),
    join: () => [
      start(join(programs.kubernetes, 'kubelet'), kubeletFlags(files, kubeconfigs.kubelet, place)),
      start(join(programs.kubernetes, 'kube-proxy'), [`--config=${files.proxyConfig}`]),
    ],
    enforce: () => start(join(programs['kube-router'], 'kube-router'), firewallFlags(kubeconfigs.firewall, place)),
  };
}

function writeFiles({ place, folder, caFile, kubeconfigs, cgroup }: NodeOptions): NodeFiles {
  const files = filesOfNode(folder);
  mkdirSync(files.cniFolder, { recursive: true });
  makeCgroup(cgroup);
  writeFileSync(files.kubeletConfig, JSON.stringify(kubeletConfig(files, caFile, `/${cgroup}`)));
  writeFileSync(files.proxyConfig, JSON.stringify(kubeProxyConfig(kubeconfigs.proxy, place)));
  writeFileSync(files.containerdConfig, containerdConfig(files));
  writeFileSync(join(files.cniFolder, 'pods.conflist'), JSON.stringify(cniConfig(place)));
  // For pods that want the node's own resolver: it knows no more than the cluster's.
  writeFileSync(files.resolvConf, `nameserver ${DNS_SERVICE}\nsearch ${CLUSTER_DOMAIN}\n`);
  return files;
}

/** @returns the process that holds the node's namespaces */
function startSandbox({ place, others, folder }: NodeOptions): Promise<number> {
  const script = fileURLToPath(new URL('node.sh', import.meta.url));
  const routes = others.flatMap(({ address, podRange }) => [address, podRange]);
  const args = ['--mount', '--net', 'sh', script, folder, String(place.index), ...routes];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
    child.stdout.on('data', () => resolve(child.pid ?? 0));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the sandbox of ${place.name} ended with ${code}: ${said}`)));
  });
}
