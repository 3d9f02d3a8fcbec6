// Which pods' kubelets are to be told that a configuration file has changed.
import type { Change } from '../changes.ts';
import type { Pod } from '../observed.ts';
import { seenOf } from './children.ts';

/** What of a version a pod needs to run by. */
export interface ConfigHashes {
  /** Of the document as it is wanted now. */
  readonly wanted: string;
  /** Of the one that its first pods began with. */
  readonly first: string;
}

/**
 * @param hashesOf those of a pod's version; undefined: its file is nobody's any more
 * @returns a refresh for each live pod that was told of another hash last. One that was never told of any began with its version's first.
 */
export function refreshPods(pods: readonly Pod[], hashesOf: (pod: Pod) => ConfigHashes | undefined): Change[] {
  return pods.flatMap((pod): Change[] => {
    const hashes = hashesOf(pod);
    if (hashes === undefined || hashes.wanted === (pod.config ?? hashes.first)) return [];
    return [{ verb: 'refresh', pod: seenOf(pod), hash: hashes.wanted }];
  });
}
