// Pods of a WebApp, as tests look at them.
import type { RealCluster } from '../cluster/real-cluster.ts';

export interface PodView {
  readonly name: string;
  readonly uid: string;
  /** Seconds since 1970, whole ones. */
  readonly madeAt: number;
  /** Undefined: not scheduled yet. */
  readonly node: string | undefined;
  readonly ip: string | undefined;
  readonly ready: boolean;
  /** Of the first container: the application's or the proxy's. */
  readonly image: string;
  /** Of all containers. */
  readonly restarts: number;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** @returns those that are not being deleted, by name */
export async function podsOf(
  { api }: RealCluster,
  namespace: string,
  webApp: string,
  component?: 'worker' | 'proxy',
): Promise<PodView[]> {
  const labels = [
    `webapp-operator.io/webapp=${webApp}`,
    ...(component ? [`app.kubernetes.io/component=${component}`] : []),
  ];
  const selector = encodeURIComponent(labels.join(','));
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
  const { items } = await api.json<{ items: Pod[] }>('GET', path);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(viewOf)
    .sort((a, b) => a.name.localeCompare(b.name));
}

function viewOf({ metadata: { name, uid, creationTimestamp }, spec, status }: Pod): PodView {
  return {
    name,
    uid,
    madeAt: Date.parse(creationTimestamp) / 1000,
    node: spec.nodeName,
    ip: status.podIP,
    ready: (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    image: spec.containers[0]?.image ?? '',
    restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
  };
}

export const uidsOf = (pods: readonly PodView[]): string[] => pods.map(({ uid }) => uid).sort();
