// Kubernetes from Go modules and Debian's packages, on this machine, in namespaces of its own (holder.ts). What uses it is here; what
// it is made of runs elsewhere.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeApi } from '../api.ts';
import { buildProgram, whyNoPrograms } from '../build.ts';
import { installForeignApi } from '../foreign-apis.ts';
import { makeKubectl } from '../kubectl.ts';
import { freePorts } from '../ports.ts';
import type { ClusterState, Provider, RealCluster, RealClusterOptions } from '../real-cluster.ts';
import { whyNoSystemPackages } from '../system-packages.ts';
import { until } from '../until.ts';
import { placeOfNode } from './addresses.ts';
import type { ClusterPlan } from './cluster.ts';
import { giveOrder, type Orders } from './control.ts';
import { ADMINISTRATOR, KUBECONFIG } from './control-plane.ts';
import type { Told } from './holder.ts';
import { readDetails, SOCKET, writeDetails } from './state.ts';
import { SYSTEM_PROGRAMS, systemImages } from './system-images.ts';
import { versionsOf } from './versions.ts';

const MOST_NODES = 3;

export const nativeProvider: Provider = { name: 'native', whyNot, start, open };

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'nodes need Linux: use the provider kind, with Docker';
  if (process.getuid?.() !== 0)
    return 'nodes are made of namespaces and cgroups: be root (sudo), or use the provider kind, with Docker';
  return whyNoSystemPackages() ?? whyNoPrograms(['etcd', 'kubernetes', ...SYSTEM_PROGRAMS]);
}

async function start({ nodes = 1 }: RealClusterOptions): Promise<ClusterState> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MOST_NODES)
    throw new Error(`nodes: ${nodes}: write a number from 1 to ${MOST_NODES}`);
  const missing = whyNot();
  if (missing !== undefined) throw new Error(missing);
  const programs = { etcd: await buildProgram('etcd'), kubernetes: await buildProgram('kubernetes') };
  const images = await systemImages();
  const folder = mkdtempSync(join(tmpdir(), 'webapp-cluster-'));
  const cgroup = `webapp-cluster-${randomBytes(5).toString('hex')}`;
  const listener = await listen();
  const { port } = listener.address() as { port: number };
  const names = Array.from({ length: nodes }, (_, index) => placeOfNode(index).name);
  writeDetails(folder, { port, nodes: names, cgroup, kubernetes: programs.kubernetes });
  await startHolder({ folder, cgroup, nodes, port, programs, images }, listener).finally(() => listener.close());
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

/** Resolves when it says that the cluster is ready. @throws Error in its words, when nothing is left of it */
function startHolder(plan: ClusterPlan, listener: Server): Promise<void> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const log = openSync(join(plan.folder, 'holder.log'), 'a', 0o600);
  const child = fork(here('holder.ts'), [], {
    execPath: 'sh',
    execArgv: [here('keeper.sh'), plan.folder, plan.cgroup, process.execPath],
    detached: true,
    cwd: '/',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    let failed: string | undefined;
    child.once('error', reject);
    child.on('message', (told: Told) => {
      if ('failed' in told) {
        failed = told.failed;
        return;
      }
      if (child.connected) child.disconnect();
      child.unref();
      resolve();
    });
    child.once('exit', () => reject(new Error(`the cluster did not start: ${failed ?? 'its holder ended'}`)));
    child.send(plan, listener);
  });
}

async function open(state: ClusterState): Promise<RealCluster> {
  const { folder } = state;
  const details = readDetails(folder);
  if (!existsSync(join(folder, SOCKET)))
    throw new Error(`no cluster runs in ${folder}: start one with npm run cluster up`);
  const kubeconfig = join(folder, KUBECONFIG);
  const kubectl = makeKubectl(join(details.kubernetes, 'kubectl'), kubeconfig, folder);
  const kubectlOk: RealCluster['kubectlOk'] = async (args, options) => {
    const { code, stdout, stderr } = await kubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  };
  const file = (name: string): string => join(folder, name);
  const admin = { certFile: file(ADMINISTRATOR.certFile), keyFile: file(ADMINISTRATOR.keyFile) };
  const api = makeApi(new URL(`https://127.0.0.1:${details.port}`), file(ADMINISTRATOR.caFile), admin);
  const order = <Name extends keyof Orders>(name: Name, ...args: Parameters<Orders[Name]>): Promise<void> =>
    giveOrder(file(SOCKET), name, ...args);
  return {
    provider: 'native',
    kubeconfig,
    kubectl,
    kubectlOk,
    api,
    nodes: details.nodes,
    enforcesNetworkPolicy: false,
    versions: () => versionsOf(api),
    loadImages: (archive) => order('loadImages', { archive }),
    killContainer: (container, signal) => order('killContainer', { ...container, signal }),
    stopApiServer: () => order('stopApiServer'),
    startApiServer: () => order('startApiServer'),
    installForeignApi: (name) => installForeignApi({ kubectlOk }, name),
    close: () => close(folder),
  };
}

/** The keeper removes the folder last. */
async function close(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  // It may be on its way out, by another's word or by itself.
  await giveOrder(join(folder, SOCKET), 'close').catch(() => {});
  await until(`end of the cluster in ${folder}`, () => !existsSync(folder));
}
