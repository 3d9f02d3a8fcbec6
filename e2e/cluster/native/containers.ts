// Containers as the machine sees them: processes.
import type { Api } from '../api.ts';
import type { ContainerToKill } from './control.ts';
import type { Node } from './node.ts';

interface Pod {
  readonly spec: { readonly nodeName?: string };
  readonly status?: {
    readonly containerStatuses?: readonly { readonly name: string; readonly containerID?: string }[];
  };
}

/** From outside the pod: nothing in it can hold the signal back, process 1 included. */
export async function killContainer(
  api: Api,
  nodes: readonly Node[],
  { namespace, pod, container, signal }: ContainerToKill,
): Promise<void> {
  const { spec, status } = await api.json<Pod>('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`);
  const node = nodes.find(({ place }) => place.name === spec.nodeName);
  const id = status?.containerStatuses
    ?.find(({ name }) => name === container)
    ?.containerID?.replace('containerd://', '');
  if (node === undefined || !id) throw new Error(`${namespace}/${pod} has no container ${container} that runs`);
  process.kill(await pidOf(node, id), signal);
}

/** All nodes' processes are in the process namespace of the caller. */
async function pidOf(node: Node, id: string): Promise<number> {
  const row = (await node.ctr('tasks', 'list')).split('\n').find((line) => line.startsWith(id));
  const pid = Number(row?.split(/\s+/)[1]);
  if (!(pid > 1)) throw new Error(`container ${id} does not run`);
  return pid;
}
