// For vitest: one cluster for a test file. Where none can be had, its tests are skipped and the reason is told, or fail where the
// project's configuration says that a cluster is a must (CI).
import { afterAll, beforeAll, inject, TestRunner } from 'vitest';
import { type Cluster, type ClusterOptions, startCluster, whyNoCluster } from './control-plane.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Tests that need a cluster fail, rather than be skipped, where none can be had. */
    clusterIsMust: boolean;
  }
}

/** The first build takes minutes; on a machine of two busy cores, many. */
const BUILD_AND_START_MS = 40 * 60_000;

/**
 * Called at the top of a test file (or of a describe). The cluster starts before its first test and ends after its last.
 * @returns a function that gives the cluster, for use inside tests and hooks
 * @throws Error where there can be none and there must be one
 */
export function useCluster(options: ClusterOptions = {}): () => Cluster {
  let cluster: Cluster | undefined;
  const missing = whyNoCluster();
  if (missing !== undefined) skipWhatFollows(missing);
  beforeAll(async () => {
    cluster = await startCluster(options);
  }, BUILD_AND_START_MS);
  afterAll(() => cluster?.close());
  return () => {
    if (cluster === undefined) throw new Error('the cluster is there in tests and hooks only');
    return cluster;
  };
}

/**
 * The tests of this file or describe take `skip` from it, so that no hook of theirs runs either: skipping inside a hook
 * comes too late for the next hook.
 */
export function skipWhatFollows(reason: string): void {
  if (inject('clusterIsMust')) throw new Error(`no cluster: ${reason}`);
  console.warn(`skipped, no cluster: ${reason}`);
  const suite = TestRunner.getCurrentSuite();
  suite.options = { ...suite.options, skip: true };
}
