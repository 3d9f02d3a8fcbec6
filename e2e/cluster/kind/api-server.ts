// The API server of kind, a static pod: ended in the middle of what it does, and kept from coming back.
import type { Api } from '../api.ts';
import { until } from '../until.ts';
import type { Command } from './command.ts';
import {
  apiServerContainers,
  apiServerPods,
  killTask,
  linesOf,
  putManifestBack,
  takeManifestAway,
} from './node-commands.ts';

/** Resolves when it is gone, and the kubelet knows that it shall be. Again is safe. */
export async function stopApiServer(docker: Command, node: string): Promise<void> {
  await docker(takeManifestAway(node));
  await until('end of the API server', async () => {
    // Again and again: before the kubelet notices that the manifest is gone it starts a new container.
    const containers = linesOf(await docker(apiServerContainers(node)));
    for (const id of containers) await docker(killTask(node, id, 'SIGKILL')).catch(ignoreGone);
    const pods = linesOf(await docker(apiServerPods(node)));
    return containers.length + pods.length === 0;
  });
}

/** Resolves when it is ready; at once when it is. */
export async function startApiServer(docker: Command, node: string, api: Api): Promise<void> {
  await docker(putManifestBack(node));
  await until('API server that is ready', () => isReady(api));
}

async function isReady(api: Api): Promise<boolean> {
  return api.call('GET', '/readyz').then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** The kubelet ends it at the same time. */
function ignoreGone(error: Error): void {
  if (!/not found|already finished/.test(error.message)) throw error;
}
