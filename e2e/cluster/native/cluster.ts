// A native cluster from within its own namespaces: what the holder makes, and the orders it takes. Everything it starts ends with it.
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import type { Api } from '../api.ts';
import type { Daemon } from '../daemons.ts';
import { until } from '../until.ts';
import { ADD_ON_DEPLOYMENTS, addOns, FIREWALL_USER } from './add-ons.ts';
import { API_SERVER_PORT, CONTROL_PLANE_ADDRESS, placeOfNode } from './addresses.ts';
import { killContainer } from './containers.ts';
import type { Orders } from './control.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type Node, startNode } from './node.ts';
import { relay } from './relay.ts';

/** What the holder is told by its starter. JSON. */
export interface ClusterPlan {
  /** There, and empty but for logs. */
  readonly folder: string;
  /** Name in every hierarchy, that no other cluster has. */
  readonly cgroup: string;
  readonly nodes: number;
  /** The API server's on the machine. */
  readonly port: number;
  readonly programs: { readonly etcd: string; readonly kubernetes: string; readonly 'kube-router': string };
  /** Path of the archive with the system's own images. */
  readonly images: string;
}

/**
 * @param listener the API server's port on the machine
 * @returns when nodes, DNS and metrics are ready
 */
export async function startNativeCluster(plan: ClusterPlan, listener: Server): Promise<Omit<Orders, 'close'>> {
  const controlPlane = startControlPlane(plan.folder, plan.port, plan.programs);
  const breakConnections = relay(listener, CONTROL_PLANE_ADDRESS, API_SERVER_PORT);
  const [, nodes] = await Promise.all([controlPlane.startApiServer(), startNodes(plan, controlPlane)]);
  const daemons = [...controlPlane.startControllers(), ...nodes.flatMap((node) => node.join())];
  await makeAddOns(controlPlane.api);
  await untilNodesReady(controlPlane.api, nodes, daemons);
  daemons.push(...nodes.map((node) => node.enforce()));
  await untilAddOnsReady(controlPlane.api, nodes, daemons);
  return {
    answer: async () => {},
    startApiServer: controlPlane.startApiServer,
    stopApiServer: async () => {
      await controlPlane.stopApiServer();
      breakConnections();
    },
    loadImages: async ({ archive }) => void (await Promise.all(nodes.map((node) => node.loadImages(archive)))),
    killContainer: (target) => killContainer(controlPlane.api, nodes, target),
  };
}

/** @returns when each has the system's images */
function startNodes(plan: ClusterPlan, { pki, kubeconfig }: ControlPlane): Promise<Node[]> {
  const places = Array.from({ length: plan.nodes }, (_, index) => placeOfNode(index));
  const [proxy, firewall] = [kubeconfig('system:kube-proxy'), kubeconfig(FIREWALL_USER)];
  const start = async (place: (typeof places)[number]): Promise<Node> => {
    const folder = join(plan.folder, place.name);
    mkdirSync(folder);
    const node = await startNode({
      place,
      others: places.filter((other) => other !== place),
      folder,
      programs: plan.programs,
      caFile: pki.caFile,
      kubeconfigs: { kubelet: kubeconfig(`system:node:${place.name}`, 'system:nodes'), proxy, firewall },
      cgroup: `${plan.cgroup}-${place.index}`,
    });
    await node.loadImages(plan.images);
    return node;
  };
  return Promise.all(places.map(start));
}

async function makeAddOns(api: Api): Promise<void> {
  for (const { path, body } of addOns()) await api.json('POST', path, body);
}

/** @throws as `wait` */
async function untilNodesReady(api: Api, nodes: readonly Node[], daemons: readonly Daemon[]): Promise<void> {
  await wait('Ready nodes', daemons, async () => (await readyNodes(api)) === nodes.length);
}

/**
 * One after the other: each look costs the API server, which is busy starting, a handshake.
 * @throws as `wait`
 */
async function untilAddOnsReady(api: Api, nodes: readonly Node[], daemons: readonly Daemon[]): Promise<void> {
  await wait('service accounts', daemons, () => hasServiceAccount(api));
  await wait('DNS and metrics-server', daemons, () => addOnsAvailable(api));
  await wait('metrics of the nodes', daemons, async () => (await metricsOf(api)) === nodes.length);
}

/** @throws Error with the end of a log when a daemon ends before */
function wait(what: string, daemons: readonly Daemon[], look: () => Promise<boolean>): Promise<void> {
  return until(what, () => {
    const ended = daemons.find((daemon) => daemon.ended() !== undefined);
    if (ended) throw new Error(`${ended.name} ended (${ended.ended()}):\n${ended.logTail()}`);
    return look().catch(() => false);
  });
}

interface Conditions {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

const holds = ({ conditions = [] }: Conditions = {}, type: string): boolean =>
  conditions.some((condition) => condition.type === type && condition.status === 'True');

async function readyNodes(api: Api): Promise<number> {
  const { items } = await api.json<{ items: { status?: Conditions }[] }>('GET', '/api/v1/nodes');
  return items.filter(({ status }) => holds(status, 'Ready')).length;
}

/** No pod can be made in a namespace before. */
const hasServiceAccount = async (api: Api): Promise<boolean> =>
  (await api.call('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200;

async function addOnsAvailable(api: Api): Promise<boolean> {
  const path = '/apis/apps/v1/namespaces/kube-system/deployments';
  const { items } = await api.json<{ items: { metadata: { name: string }; status?: Conditions }[] }>('GET', path);
  return ADD_ON_DEPLOYMENTS.every((name) =>
    items.some(({ metadata, status }) => metadata.name === name && holds(status, 'Available')),
  );
}

/** @returns how many nodes metrics are known of */
async function metricsOf(api: Api): Promise<number> {
  const { status, text } = await api.call('GET', '/apis/metrics.k8s.io/v1beta1/nodes');
  return status === 200 ? (JSON.parse(text) as { items: unknown[] }).items.length : 0;
}
