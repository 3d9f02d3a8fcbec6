// A cluster of kind that runs, as tests and people use it.
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Api } from '../api.ts';
import { installForeignApi } from '../foreign-apis.ts';
import { type Kubectl, makeKubectl } from '../kubectl.ts';
import type { RealCluster } from '../real-cluster.ts';
import { makeAdminApi } from './admin.ts';
import { startApiServer, stopApiServer } from './api-server.ts';
import type { Command } from './command.ts';
import { KIND_VERSION, pickMinor } from './config.ts';
import { deleteCluster, loadArchive } from './kind-commands.ts';
import { findKubectl } from './kubectl-program.ts';
import { killTask, runtimeId } from './node-commands.ts';

export interface Tools {
  readonly docker: Command;
  readonly kind: Command;
}

export const kubeconfigIn = (folder: string): string => join(folder, 'kubeconfig');
/** The folder is called as the cluster is. */
export const clusterNameOf = (folder: string): string => basename(folder);
export const firstNodeOf = (folder: string): string => `${clusterNameOf(folder)}-control-plane`;

const LOAD_TIMEOUT_MS = 5 * 60_000;
const DELETE_TIMEOUT_MS = 2 * 60_000;

/** @throws Error when it does not answer */
export async function openCluster(tools: Tools, folder: string): Promise<RealCluster> {
  const { docker, kind } = tools;
  const name = clusterNameOf(folder);
  const node = firstNodeOf(folder);
  const kubeconfig = kubeconfigIn(folder);
  const api = makeAdminApi(kubeconfig, folder);
  const { gitVersion } = await api.json<{ readonly gitVersion: string }>('GET', '/version');
  const minor = pickMinor(gitVersion.split('.').slice(0, 2).join('.'));
  const kubectlProgram = await findKubectl(docker, node, minor, folder);
  const kubectl = makeKubectl(kubectlProgram, kubeconfig, folder);
  const kubectlOk = makeKubectlOk(kubectl);
  return {
    provider: 'kind',
    kubeconfig,
    kubectl,
    kubectlProgram,
    kubectlOk,
    api,
    nodes: await nodeNames(api),
    versions: async () => ({ kind: KIND_VERSION, docker: await dockerVersion(docker), ...(await readVersions(api)) }),
    loadImages: async (archive) => void (await kind(loadArchive(name, archive), { timeoutMs: LOAD_TIMEOUT_MS })),
    killContainer: async ({ namespace, pod, container }, signal) => {
      const { nodeName, id } = await findContainer(api, namespace, pod, container);
      await docker(killTask(nodeName, id, signal));
    },
    stopApiServer: () => stopApiServer(docker, node),
    startApiServer: () => startApiServer(docker, node, api),
    installForeignApi: (foreign) => installForeignApi({ kubectlOk }, foreign),
    close: () => endCluster(tools, folder),
  };
}

/** Twice is safe: kind is content when there is nothing to delete. */
export async function endCluster({ kind }: Tools, folder: string): Promise<void> {
  await kind(deleteCluster(clusterNameOf(folder), kubeconfigIn(folder)), { timeoutMs: DELETE_TIMEOUT_MS });
  rmSync(folder, { recursive: true, force: true });
}

const makeKubectlOk =
  (kubectl: Kubectl): RealCluster['kubectlOk'] =>
  async (args, options) => {
    const { code, stdout, stderr } = await kubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  };

interface Pod {
  readonly spec: { readonly nodeName: string; readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly containerStatuses?: readonly { readonly name: string; readonly containerID?: string }[] };
}

async function findContainer(api: Api, namespace: string, pod: string, container: string) {
  const { spec, status } = await api.json<Pod>('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`);
  const found = status.containerStatuses?.find(({ name }) => name === container);
  if (found === undefined) throw new Error(`pod ${namespace}/${pod} has no container ${container} that was started`);
  return { nodeName: spec.nodeName, id: runtimeId(found.containerID) };
}

interface Node {
  readonly metadata: { readonly name: string };
  readonly status: { readonly nodeInfo: Readonly<Record<string, string>> };
}

/** The one with the API server first. */
async function nodeNames(api: Api): Promise<string[]> {
  const { items } = await api.json<{ readonly items: readonly Node[] }>('GET', '/api/v1/nodes');
  return items.map(({ metadata }) => metadata.name).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

const rank = (name: string): number => (name.endsWith('-control-plane') ? 0 : 1);

async function dockerVersion(docker: Command): Promise<string> {
  return (await docker(['version', '--format', '{{.Server.Version}}'])).trim();
}

/** Of the nodes, and of what runs in kube-system by the tags of its images: etcd, CoreDNS, kindnet and the rest. */
async function readVersions(api: Api): Promise<Record<string, string>> {
  const nodes = await api.json<{ readonly items: readonly Node[] }>('GET', '/api/v1/nodes');
  const pods = await api.json<{ readonly items: readonly Pod[] }>('GET', '/api/v1/namespaces/kube-system/pods');
  const info = nodes.items[0]?.status.nodeInfo ?? {};
  return {
    kubernetes: info['kubeletVersion'] ?? '',
    containers: info['containerRuntimeVersion'] ?? '',
    linux: info['kernelVersion'] ?? '',
    node: info['osImage'] ?? '',
    ...Object.fromEntries(imagesOf(pods.items).map(programAndTag)),
  };
}

/** But those that have Kubernetes' own version. */
const imagesOf = (pods: readonly Pod[]): string[] =>
  pods
    .flatMap(({ spec }) => spec.containers)
    .map(({ image }) => image)
    .filter((image) => !image.includes('/kube-'));

/** @param image such as `registry.k8s.io/coredns/coredns:v1.14.2`, with or without a digest */
export function programAndTag(image: string): [string, string] {
  const [path = ''] = image.split('@');
  const last = path.slice(path.lastIndexOf('/') + 1);
  const [name = '', tag = ''] = last.split(':');
  return [name, tag];
}
