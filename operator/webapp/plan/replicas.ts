// How many worker pods, and who says so.
import type { WebAppSpec } from '../../../core/app/schema.ts';
import type { LiveDeployment } from './live-deployment.ts';

export interface Replicas {
  /** undefined: an autoscaler's, left out of what we apply. */
  readonly replicas: number | undefined;
  /** Number to be held by another field manager before we let go: a field that nobody owns any more falls back to its default, 1. */
  readonly handOver: number | undefined;
}

export function planReplicas(
  { suspend, autoscaling, replicas }: Pick<WebAppSpec, 'suspend' | 'autoscaling' | 'replicas'>,
  live: LiveDeployment | undefined,
): Replicas {
  if (suspend) return { replicas: 0, handOver: undefined };
  if (autoscaling === undefined) return { replicas, handOver: undefined };
  // An autoscaler needs a while to find a new Deployment: it begins with its least number, not with one pod.
  if (live === undefined) return { replicas: autoscaling.minReplicas, handOver: undefined };
  const owned = live.replicasBy === 'operator';
  return { replicas: undefined, handOver: owned ? Math.max(live.desired, autoscaling.minReplicas) : undefined };
}
