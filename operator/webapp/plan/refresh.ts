// Which pods' kubelets are to be told that a configuration file has changed. A kubelet looks when the pod object changes, and may see the old file still: after
// an outage its own watch of the ConfigMap comes back later than the one of its pods. So it is told again while the pod says that it runs by another file.
import type { Change } from '../changes.ts';
import type { Pod, PodReport, Told } from '../observed.ts';
import { seenOf } from './children.ts';

/** What of a version a pod needs to run by. */
export interface ConfigHashes {
  /** Of the document as it is wanted now. */
  readonly wanted: string;
  /** Of the one that its first pods began with. */
  readonly first: string;
}

export interface Refreshes {
  readonly changes: readonly Change[];
  /** When the next may be due, in milliseconds since the epoch. */
  readonly nextAt: number | undefined;
}

/** Between telling and telling again; after the first time twice as long. A kubelet whose watch has come back follows at once, and is not to wait for the next. */
const AGAIN_MS = 5_000;
/** Two minutes and a half: then the kubelet's own look at its pods, once a minute or two, has done it or nothing does. */
const MOST_TIMES = 16;

/**
 * @param reports what pods told last
 * @param hashesOf those of a pod's version; undefined: its file is nobody's any more
 * @param wall milliseconds since the epoch
 * @returns a refresh for each live pod that was told of another hash last, or was told and did not follow. One that was never told of any began with its version's first.
 */
export function planRefreshes(
  pods: readonly Pod[],
  reports: readonly PodReport[],
  hashesOf: (pod: Pod) => ConfigHashes | undefined,
  wall: number,
): Refreshes {
  const byUid = new Map(reports.map((report) => [report.uid, report]));
  const changes: Change[] = [];
  let nextAt: number | undefined;
  for (const pod of pods) {
    const hashes = hashesOf(pod);
    const report = byUid.get(pod.metadata.uid);
    let next = hashes && nextTold(pod.told, hashes, report);
    if (hashes && next && next.at <= wall) {
      const told = { ...next, at: wall };
      changes.push({ verb: 'refresh', pod: seenOf(pod), told });
      next = nextTold(told, hashes, report);
    }
    if (next) nextAt = Math.min(nextAt ?? Infinity, next.at);
  }
  return { changes, nextAt };
}

/** @returns what is to be told and, as `at`, when it is due; undefined: nothing */
function nextTold(
  told: Told | undefined,
  { wanted, first }: ConfigHashes,
  report: PodReport | undefined,
): Told | undefined {
  if (wanted !== (told?.hash ?? first)) return { hash: wanted, times: 1, at: 0 };
  if (report === undefined || report.status.config.hash === wanted || report.status.config.error !== undefined)
    return undefined;
  const { times, at } = told ?? { times: 0, at: 0 };
  if (times >= MOST_TIMES) return undefined;
  return { hash: wanted, times: times + 1, at: times === 0 ? 0 : at + AGAIN_MS * Math.min(times, 2) };
}
