// A Deployment of ours as the cluster has it: what the Deployment controller tells of its rollout.
import type { KubeObject } from '../../../kube/object.ts';
import { ANNOTATION, LABEL } from '../names.ts';
import { conditionOf, fieldsOf, numberOf, textOf } from './json-fields.ts';

export interface LiveDeployment {
  readonly object: KubeObject;
  readonly leaving: boolean;
  /** Whether the controller has seen the present spec; until then the counts are of an earlier one. */
  readonly observed: boolean;
  /** spec.replicas. */
  readonly desired: number;
  /** Id of the version in its template; '' when it has none. */
  readonly revision: string;
  /** Keys of the migrations that its database stands on, the newest first. */
  readonly migrated: readonly string[];
  readonly replicasBy: string | undefined;
  readonly total: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  /** Reason of the condition Progressing, such as NewReplicaSetAvailable, ReplicaSetUpdated, ProgressDeadlineExceeded. */
  readonly progressing: string;
  /** Why pods are not taken (condition ReplicaFailure, reason FailedCreate). */
  readonly refusal: string | undefined;
}

export function readDeployment(object: KubeObject | undefined): LiveDeployment | undefined {
  if (object === undefined) return undefined;
  const { metadata } = object;
  const spec = fieldsOf(object['spec']);
  const status = fieldsOf(object['status']);
  const labels = fieldsOf(fieldsOf(fieldsOf(spec['template'])['metadata'])['labels']);
  const failure = conditionOf(object, 'ReplicaFailure');
  return {
    object,
    leaving: metadata.deletionTimestamp !== undefined,
    observed: (numberOf(status['observedGeneration']) ?? 0) >= (metadata.generation ?? 1),
    desired: numberOf(spec['replicas']) ?? 1,
    revision: textOf(labels[LABEL.revision]) ?? '',
    migrated: readMigrated(metadata.annotations?.[ANNOTATION.migrated]),
    replicasBy: metadata.annotations?.[ANNOTATION.replicasBy],
    total: numberOf(status['replicas']) ?? 0,
    updated: numberOf(status['updatedReplicas']) ?? 0,
    ready: numberOf(status['readyReplicas']) ?? 0,
    available: numberOf(status['availableReplicas']) ?? 0,
    progressing: conditionOf(object, 'Progressing')?.reason ?? '',
    refusal: failure?.status === 'True' ? failure.message : undefined,
  };
}

/**
 * Whether all its pods are of its version and were available together once: the controller keeps NewReplicaSetAvailable through later crashes
 * and scaling, so that those do not look like a rollout.
 */
export function isRolledOut({ observed, progressing, updated, total }: LiveDeployment): boolean {
  return observed && progressing === 'NewReplicaSetAvailable' && updated === total;
}

export function isLate({ observed, progressing }: LiveDeployment): boolean {
  return observed && progressing === 'ProgressDeadlineExceeded';
}

/** Keys kept in the annotation: more versions are not kept to go back to. */
const MAX_MIGRATED = 20;

function readMigrated(annotation: string | undefined): string[] {
  return (annotation ?? '')
    .split(',')
    .filter((key) => /^[0-9a-f]{1,64}$/.test(key))
    .slice(0, MAX_MIGRATED);
}

/** @returns the annotation with `key` as the newest; undefined: none was ever made */
export function writeMigrated(migrated: readonly string[], key: string | undefined): string | undefined {
  const keys = key === undefined || migrated.includes(key) ? migrated : [key, ...migrated];
  return keys.length === 0 ? undefined : keys.slice(0, MAX_MIGRATED).join(',');
}
