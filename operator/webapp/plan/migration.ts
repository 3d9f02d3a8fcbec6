// Where the migration of the current image and command stands, and what is to be done with the Jobs of others. A migration that runs is never cut short by
// a newer one, and two never run side by side.
import { withIntentHash } from '../../../kube/drift.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { ANNOTATION, names } from '../names.ts';
import type { Pod } from '../observed.ts';
import { migrationKey, type RenderInput, renderMigrateJob } from '../render/render.ts';
import { lastLines } from './bounded-text.ts';
import { type ChildKey, type Children, intentOf, isLeaving, keyOfChild } from './children.ts';
import { conditionOf } from './json-fields.ts';

/**
 * - `none`: nothing is to be migrated, or it was done.
 * - `due`: the Job is to be made. `busy`: an earlier one runs, or is being deleted.
 * - `stale`: it failed, and the Job would be another now (its environment, its timeout): it gets another try.
 */
export type MigrationState = 'none' | 'due' | 'busy' | 'running' | 'complete' | 'failed' | 'stale';

export interface Migration {
  readonly state: MigrationState;
  readonly key: string | undefined;
  /** The Job as it would be made now. */
  readonly job: KubeObject | undefined;
  /** Jobs not to be deleted. */
  readonly kept: readonly ChildKey[];
  /** Why it failed: the condition's message. */
  readonly reason?: string;
  /** Of a failed one: its last log lines. */
  readonly output?: string;
}

export function judgeMigration(
  input: RenderInput,
  children: Children,
  pods: readonly Pod[],
  migrated: readonly string[],
): Migration {
  const key = migrationKey(input.webApp);
  const name = key === undefined ? undefined : names.migrate(input.webApp.metadata.name, key);
  const jobs = children.of('Job');
  const own = jobs.find(({ metadata }) => metadata.name === name);
  const others = jobs.filter((job) => job !== own && runs(job, pods));
  const kept = (...more: KubeObject[]): ChildKey[] => [...others, ...more].map(keyOfChild);
  if (key === undefined || migrated.includes(key))
    return { state: 'none', key, job: undefined, kept: kept(...(own ? [own] : [])) };
  const job = renderMigrateJob(input, key);
  const state = stateOf(own, job, others.length > 0);
  return {
    state,
    key,
    job,
    kept: kept(...(own && state !== 'stale' ? [own] : [])),
    ...(state === 'failed' && own && { reason: conditionOf(own, 'Failed')?.message ?? '', ...outputOf(own, pods) }),
  };
}

function stateOf(own: KubeObject | undefined, job: KubeObject, othersRun: boolean): MigrationState {
  if (own === undefined) return othersRun ? 'busy' : 'due';
  if (isLeaving(own)) return 'busy';
  if (isTrue(own, 'Complete')) return 'complete';
  if (!isTrue(own, 'Failed')) return 'running';
  return intentOf(own) === intentOf(withIntentHash(job, ANNOTATION.intent)) ? 'failed' : 'stale';
}

function isTrue(job: KubeObject, type: string): boolean {
  return conditionOf(job, type)?.status === 'True';
}

/** A Job whose pod never began (its image cannot be had, no node takes it) is not worth waiting for. */
function runs(job: KubeObject, pods: readonly Pod[]): boolean {
  if (isLeaving(job) || isTrue(job, 'Complete') || isTrue(job, 'Failed')) return false;
  return podsOf(job, pods).some(({ phase }) => phase === 'Running');
}

/** The Job controller names its pods after the Job. */
function podsOf({ metadata }: KubeObject, pods: readonly Pod[]): Pod[] {
  return pods.filter((pod) => pod.component === 'migrate' && pod.metadata.name.startsWith(`${metadata.name}-`));
}

function outputOf(job: KubeObject, pods: readonly Pod[]): { output?: string } {
  for (const pod of podsOf(job, pods).reverse()) {
    const message = pod.containers.find(({ terminated }) => (terminated?.exitCode ?? 0) !== 0)?.terminated?.message;
    if (message !== undefined && message.trim() !== '') return { output: lastLines(message, 20, 2_000) };
  }
  return {};
}
