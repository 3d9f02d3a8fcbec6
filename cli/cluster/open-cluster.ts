// A cluster as a place: reached as kubectl reaches it, by the same kubeconfig.
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { kubeconfigAccess, kubeconfigNamespace } from '../../kube/access/kubeconfig.ts';
import { makePodReader } from '../../kube/access/pod-reader.ts';
import { makeTransport } from '../../kube/transport.ts';
import manifest from '../../package.json' with { type: 'json' };
import type { Whereabouts } from '../look-command-line.ts';
import type { Place } from '../show/place.ts';
import { clusterFailure } from './cluster-failure.ts';
import { ClusterPlace } from './cluster-place.ts';

/** @throws Failure CLUSTER */
export async function openCluster(
  where: Extract<Whereabouts, { kind: 'cluster' }>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Place> {
  const { context, namespace } = where;
  const path = where.kubeconfig ?? environment['KUBECONFIG'];
  try {
    const access = await kubeconfigAccess({ path, context });
    const podReader = await makePodReader({ path, context });
    const one = namespace === 'all' ? undefined : (namespace ?? (await kubeconfigNamespace({ path, context })));
    // What fails is told as the command's own failure.
    const log = makeLog(() => {}, systemClock.wall, 'error');
    const userAgent = `webapp/${manifest.version}`;
    const transport = makeTransport({ access, log, clock: systemClock, connections: 16, userAgent });
    return new ClusterPlace({ transport, podReader, namespace: one, server: access.server.origin, clock: systemClock });
  } catch (error) {
    throw clusterFailure(error, '');
  }
}
