// Nodes that are none: kwok keeps them Ready, and the pods that the scheduler puts there, by Stages and without running anything.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Api } from './api.ts';
import type { Daemons } from './daemons.ts';
import { kwokFlags } from './flags.ts';
import { untilReady } from './until.ts';

export interface NodeOptions {
  readonly nodes: number;
  /** Where pods get their addresses from. Default 10.0.0.0/16. */
  readonly podCidr?: string;
  /** Of each node. Default: 32 CPU, 256Gi, 1000 pods. */
  readonly capacity?: Readonly<Record<string, string>>;
  /** YAML of kwok Stages in place of those that make every pod Ready at once and end every pod of a Job with success. */
  readonly podStages?: string;
}

/** @param folder where kwok and its Stages lie */
export async function startNodes(
  daemons: Daemons,
  folder: string,
  kubeconfig: string,
  api: Api,
  options: NodeOptions,
): Promise<void> {
  const stages = stageFiles(join(folder, 'stages'), daemons.folder, options);
  const flags = kwokFlags(kubeconfig, stages, options.podCidr ?? '10.0.0.0/16');
  const kwok = daemons.start(join(folder, 'kwok'), flags, { HOME: daemons.folder });
  const resources = options.capacity ?? { cpu: '32', memory: '256Gi', pods: '1000' };
  await Promise.all(Array.from({ length: options.nodes }, (_, index) => makeNode(api, index, resources)));
  await untilReady(kwok, 'makes every node Ready', async () => (await readyNodes(api)) >= options.nodes);
}

function stageFiles(folder: string, place: string, { podStages }: NodeOptions): string[] {
  const nodes = ['node/fast/node-initialize.yaml', 'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml'];
  const pods = ['pod/fast/pod-ready.yaml', 'pod/fast/pod-complete.yaml', 'pod/fast/pod-delete.yaml'];
  if (podStages === undefined) return [...nodes, ...pods].map((file) => join(folder, file));
  const own = join(place, 'pod-stages.yaml');
  writeFileSync(own, podStages);
  return [...nodes.map((file) => join(folder, file)), own];
}

/** In three zones by turns. */
function makeNode(api: Api, index: number, resources: Readonly<Record<string, string>>): Promise<unknown> {
  const name = `node-${index}`;
  return api.json('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': `zone-${index % 3}`,
      },
    },
    status: { allocatable: resources, capacity: resources },
  });
}

interface NodeList {
  readonly items: readonly {
    readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
  }[];
}

async function readyNodes(api: Api): Promise<number> {
  const { items } = await api.json<NodeList>('GET', '/api/v1/nodes');
  return items.filter((node) => node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
    .length;
}
