// Whether a container ends again and again, and what to say of it.
import type { ContainerState } from '../../observed.ts';
import { type LastWords, readLastWords } from './last-words.ts';

/**
 * The kubelet waits before another start (CrashLoopBackOff), or it has been started again at least twice and is not ready: between two ends it runs for a
 * while, which does not take the problem back. One end alone is not told: a container may need what is not up yet.
 */
export function isCrashing({ ready, restarts, waiting, terminated, init }: ContainerState): boolean {
  if (waiting?.reason === 'CrashLoopBackOff') return true;
  const failed = terminated !== undefined && (terminated.exitCode !== 0 || !init);
  return failed && !ready && restarts >= 2;
}

export function isOutOfMemory({ terminated }: ContainerState): boolean {
  return terminated?.reason === 'OOMKilled';
}

export function lastWordsOf({ terminated, waiting }: ContainerState): LastWords {
  return readLastWords(terminated?.message ?? (waiting?.reason === 'CrashLoopBackOff' ? undefined : waiting?.message));
}

/** @returns how it ended, such as `exits with code 3`; without what changes from one end to the next */
export function endOf({ terminated }: ContainerState): string {
  if (terminated === undefined) return 'ends again and again';
  const { exitCode, reason } = terminated;
  if (reason === 'OOMKilled') return 'was killed because it used more memory than its limit';
  if (reason === 'StartError' || reason === 'ContainerCannotRun') return 'cannot be started';
  if (exitCode > 128 && exitCode < 160) return `is ended by signal ${exitCode - 128}`;
  return `ends with exit code ${exitCode}`;
}
