// What scenarios on the fake cluster begin with and look at.
import type { WebAppStatus } from '../../../../core/status/webapp.ts';
import type { Change, Plan } from '../../changes.ts';
import { LABEL } from '../../names.ts';
import { FakeCluster } from './fake-cluster.ts';

export const IMAGE = (tag: string): string => `registry.example.com/shop:${tag}`;
export const said = (plans: readonly Plan[]): string[] =>
  plans.flatMap(({ events }) => events.map(({ reason }) => reason));
export const list = (changes: readonly Change[]): string[] =>
  changes.map((change) => {
    if (change.verb === 'refresh') return `refresh ${change.pod.name}`;
    if (change.verb === 'delete') return `delete ${change.kind}/${change.seen.name}`;
    const { kind, metadata } = change.object;
    return `${change.verb} ${kind}/${metadata.name}`;
  });
export const conditions = (status: WebAppStatus | undefined): Record<string, string> =>
  Object.fromEntries((status?.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is}/${reason}`]));
export const steady = (spec: object = {}): FakeCluster => {
  const cluster = new FakeCluster(spec);
  cluster.settle();
  return cluster;
};
export const template = (cluster: FakeCluster, name = 'shop-worker'): unknown =>
  (cluster.child('Deployment', name)?.['spec'] as { template: unknown } | undefined)?.template;
export const deployed = (cluster: FakeCluster): string | undefined =>
  (template(cluster) as { metadata: { labels: Record<string, string> } } | undefined)?.metadata.labels[LABEL.revision];
export const replicas = (cluster: FakeCluster): number =>
  (cluster.child('Deployment', 'shop-worker')?.['spec'] as { replicas: number } | undefined)?.replicas ?? -1;
export const progress = (plan: Plan): string | undefined => conditions(plan.status)['Progressing'];
