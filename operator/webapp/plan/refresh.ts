// Which pods' kubelets are to be told that a configuration file has changed.
import type { Change } from '../changes.ts';
import type { Pod } from '../observed.ts';
import { seenOf } from './children.ts';
import { findVersion } from './versions.ts';
import type { World } from './world.ts';

/**
 * @param workers hash of worker.json by version
 * @param proxy hash of proxy.json
 * @returns a refresh for each live pod that was told of another hash last. One that was never told of any began with its version's.
 */
export function refreshPods(world: World, workers: ReadonlyMap<string, string>, proxy: string): Change[] {
  return world.livePods.flatMap((pod): Change[] => {
    const hash = pod.component === 'worker' ? workers.get(pod.revision) : pod.component === 'proxy' ? proxy : undefined;
    if (hash === undefined || hash === (pod.config ?? firstHash(world, pod))) return [];
    return [{ verb: 'refresh', pod: seenOf(pod), hash }];
  });
}

function firstHash({ workerVersions, proxyVersions }: World, { component, revision }: Pod): string | undefined {
  return findVersion(component === 'worker' ? workerVersions : proxyVersions, revision)?.configHash;
}
