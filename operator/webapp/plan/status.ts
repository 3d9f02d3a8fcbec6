// The status of a WebApp, whole. Holds nothing that moves by itself: the same world gives the same status.
import type { ReasonOf } from '../../../core/app/conditions.ts';
import type { Condition, StatusProblem, WebAppStatus } from '../../../core/status/webapp.ts';
import { selectorLabels } from '../names.ts';
import { urlOf } from '../render/render.ts';
import { cutEnd } from './bounded-text.ts';
import { type Judged, judgeDegraded, judged, type Moment, makeCondition } from './conditions.ts';
import type { Decision } from './decide.ts';
import { isRolledOut, type LiveDeployment } from './live-deployment.ts';
import { judgeProgress } from './progress.ts';
import { findVersion } from './versions.ts';
import { type ConfigsWanted, tallyWorkers } from './worker-tally.ts';
import type { World } from './world.ts';

export function makeStatus(
  world: World,
  decision: Decision,
  problems: readonly StatusProblem[],
  hashes: ConfigsWanted,
  wall: number,
): WebAppStatus {
  const { webApp, observed, before, worker, proxy } = world;
  const { metadata } = webApp;
  const progress = judgeProgress(world, decision);
  const { workers, queue, configApplied } = tallyWorkers(world, hashes);
  const moment: Moment = { before: before?.conditions, generation: metadata.generation, wall };
  const conditions = [
    makeCondition(judgeReady(world), moment),
    makeCondition(judged('Progressing', progress.reason, progress.message), moment),
    makeCondition(judgeDegraded(problems), moment),
    makeCondition(configApplied, moment),
  ];
  const good = lastGood(world);
  return withoutUndefined({
    observedGeneration: metadata.generation,
    state: stateOf(conditions),
    url: cutEnd(urlOf(webApp, observed.settings), 512),
    ...serving(world),
    lastGoodRevision: good,
    failedRevision: decision.failed,
    replicas: worker?.total ?? 0,
    selector: selectorText(selectorLabels(metadata.name, 'worker')),
    pods: worker && { ...counts(worker), updated: worker.updated },
    proxies: proxy && counts(proxy),
    workers,
    queue,
    conditions,
    problems: problems.length > 0 ? [...problems] : undefined,
  });
}

/**
 * The state in one word. What was switched off on purpose is said first, then what is wrong, then what is going on, then whether it serves: one look
 * tells whether there is something to do.
 */
export function stateOf(conditions: readonly Condition[]): string {
  const [ready, progressing, degraded] = (['Ready', 'Progressing', 'Degraded'] as const).map((type) =>
    conditions.find((condition) => condition.type === type),
  );
  if (ready?.reason === 'Suspended' || ready?.reason === 'Invalid') return ready.reason;
  if (degraded?.status === 'True') return degraded.reason;
  if (progressing?.status === 'True') return progressing.reason;
  return ready?.reason ?? 'Unknown';
}

function judgeReady({ webApp, worker, proxy }: World): Judged<'Ready'> {
  const { suspend, autoscaling, replicas } = webApp.spec;
  const say = (reason: ReasonOf<'Ready'>, message: string) => judged('Ready', reason, message);
  if (suspend) return say('Suspended', 'spec.suspend is set: the proxy answers with a maintenance page.');
  if (autoscaling === undefined && replicas === 0) return say('ScaledToZero', 'spec.replicas is 0.');
  if ((worker?.ready ?? 0) === 0) return say('NoReadyWorker', 'No worker pod is ready.');
  if ((proxy?.ready ?? 0) === 0) return say('NoReadyProxy', 'No proxy pod is ready.');
  return say('Serving', 'A proxy and a worker are ready.');
}

function counts({ desired, ready }: LiveDeployment): { desired: number; ready: number; summary: string } {
  return { desired, ready, summary: `${ready}/${desired}` };
}

/** The version that serves: during a rollout the one before. */
function serving({ worker, before, workerVersions }: World): Pick<WebAppStatus, 'revision' | 'image'> {
  const revision = worker !== undefined && isRolledOut(worker) ? worker.revision : before?.revision;
  const image =
    findVersion(workerVersions, revision)?.image ?? (revision === before?.revision ? before?.image : undefined);
  return { revision, image: image === undefined ? undefined : cutEnd(image, 512) };
}

/** Whole: every pod of it was there together, and at least one is ready. */
export function lastGood({ worker, before }: World): string | undefined {
  const whole = worker !== undefined && isRolledOut(worker) && worker.ready > 0 && worker.available >= worker.desired;
  return whole && worker.revision !== '' ? worker.revision : before?.lastGoodRevision;
}

function selectorText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** A field that is not there and one that is undefined are not the same to a comparison. */
function withoutUndefined(status: WebAppStatus): WebAppStatus {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}
