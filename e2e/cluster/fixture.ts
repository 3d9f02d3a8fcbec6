// For vitest: one cluster for a test file. Where none can be had, its tests are skipped with the reason, or fail where the project's
// configuration says that a cluster is a must (CI).
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
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
 */
export function useCluster(options: ClusterOptions = {}): () => Cluster {
  const missing = whyNoCluster();
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    if (missing === undefined) cluster = await startCluster(options);
    else if (inject('clusterIsMust')) throw new Error(`no cluster: ${missing}`);
  }, BUILD_AND_START_MS);
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(`no cluster: ${missing}`);
  });
  afterAll(() => cluster?.close());
  return () => {
    if (cluster === undefined) throw new Error('the cluster is there in tests and hooks only');
    return cluster;
  };
}
