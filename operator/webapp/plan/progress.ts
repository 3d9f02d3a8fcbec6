// How far what is wanted has come: the reason and message of the condition Progressing, as an ordered list of small checks of which the first that speaks decides.
import type { ReasonOf } from '../../../core/app/conditions.ts';
import type { Condition, WebAppStatus } from '../../../core/status/webapp.ts';
import type { Decision } from './decide.ts';
import { isUnheard } from './gates.ts';
import { isLate, isRolledOut, type LiveDeployment } from './live-deployment.ts';
import type { World } from './world.ts';

export interface Progress {
  readonly reason: ReasonOf<'Progressing'>;
  readonly message: string;
}

type Check = (world: World, decision: Decision) => Progress | undefined;

/**
 * What the person asked for goes before what a rollout waits for, that before the Deployments' own progress. A hold tells why nothing rolls, so it goes before what
 * the version that serves meanwhile does.
 */
export const PROGRESS_CHECKS: readonly { readonly name: string; readonly check: Check }[] = [
  { name: 'suspended', check: suspended },
  { name: 'unheard', check: unheard },
  { name: 'late proxy', check: lateProxy },
  { name: 'held', check: held },
  { name: 'rolled back', check: rolledBack },
  { name: 'late', check: late },
  { name: 'rolling out', check: rollingOut },
  { name: 'proxy', check: proxyRollingOut },
  { name: 'scaling', check: scaling },
];

export function judgeProgress(world: World, decision: Decision): Progress {
  for (const { check } of PROGRESS_CHECKS) {
    const progress = check(world, decision);
    if (progress) return progress;
  }
  return { reason: 'Complete', message: 'What is wanted runs.' };
}

function suspended({ webApp }: World): Progress | undefined {
  return webApp.spec.suspend ? { reason: 'Suspended', message: 'spec.suspend is set: no worker pods run.' } : undefined;
}

/** An operator that has just started has not heard of Secrets yet: what was said last still holds for the same spec. */
function unheard({ observed, webApp, before, worker }: World): Progress | undefined {
  if (worker === undefined || !isUnheard(observed.references)) return undefined;
  const last = lastProgress(before);
  if (last === undefined || last.observedGeneration !== webApp.metadata.generation) return undefined;
  return { reason: last.reason as Progress['reason'], message: last.message };
}

/** Workers wait for a proxy that does not come up. */
function lateProxy({ proxy, webApp }: World, { hold }: Decision): Progress | undefined {
  if (hold?.gate !== 'statics' || proxy === undefined || !isLate(proxy)) return undefined;
  const { progressDeadline } = webApp.spec.rollout;
  return { reason: 'DeadlineExceeded', message: `New proxy pods were not ready within ${progressDeadline}.` };
}

function held(_: World, { hold }: Decision): Progress | undefined {
  return hold && { reason: hold.reason, message: hold.message };
}

function rolledBack({ worker }: World, { failed, target }: Decision): Progress | undefined {
  if (failed === undefined || worker === undefined || worker.revision !== target?.id || !isRolledOut(worker))
    return undefined;
  return { reason: 'RolledBack', message: `Version ${failed} failed; version ${target.id} was put back.` };
}

function late({ worker, webApp }: World, { deployed }: Decision): Progress | undefined {
  if (worker === undefined || worker.revision !== deployed?.id || !isLate(worker)) return undefined;
  const { progressDeadline } = webApp.spec.rollout;
  return {
    reason: 'DeadlineExceeded',
    message: `The pods of version ${deployed.id} were not ready within ${progressDeadline}.`,
  };
}

function rollingOut({ worker, before }: World, { deployed }: Decision): Progress | undefined {
  const isWanted = worker !== undefined && worker.revision === (deployed?.id ?? worker.revision);
  if (isWanted && isSettled(worker, before) && (worker.observed || worker.revision === before?.revision))
    return undefined;
  const version = deployed === undefined ? 'A version' : `Version ${deployed.id} (${deployed.image})`;
  const last = before?.revision !== undefined && before.revision !== deployed?.id ? before.revision : undefined;
  return {
    reason: 'RollingOut',
    message: last === undefined ? `${version} comes up.` : `${version} takes the place of ${last}.`,
  };
}

/** Until the controller has looked, a rollout goes on, and what was at rest has changed beside its template only. */
function isSettled(live: LiveDeployment, before: WebAppStatus | undefined): boolean {
  return live.observed ? isRolledOut(live) : lastProgress(before)?.reason !== 'RollingOut';
}

function lastProgress(before: WebAppStatus | undefined): Condition | undefined {
  return before?.conditions?.find(({ type }) => type === 'Progressing');
}

function proxyRollingOut({ proxy, proxyVersions, webApp, before }: World, decision: Decision): Progress | undefined {
  const wanted = decision.proxy?.id ?? proxy?.revision;
  if (proxy !== undefined && isLate(proxy)) {
    const { progressDeadline } = webApp.spec.rollout;
    return { reason: 'DeadlineExceeded', message: `New proxy pods were not ready within ${progressDeadline}.` };
  }
  if (proxy !== undefined && proxy.revision === wanted && isSettled(proxy, before)) return undefined;
  const hadOthers = proxyVersions.some(({ revision }) => revision.id !== wanted);
  const message = hadOthers ? 'Proxy pods of a new version take the place of old ones.' : 'The proxy pods come up.';
  return { reason: 'RollingOut', message };
}

/** Begins with a change of the wanted number, not with a pod that is lost; ends when all are available, which may be seen first. */
function scaling({ worker, before }: World, { replicas: { replicas } }: Decision): Progress | undefined {
  if (worker === undefined) return undefined;
  const { desired, total, available, observed } = worker;
  const wanted = replicas ?? desired;
  const isThere = wanted === desired && observed && total === desired && available >= desired;
  const hasBegun =
    wanted !== desired ||
    (before?.pods !== undefined && before.pods.desired !== desired) ||
    lastProgress(before)?.reason === 'Scaling';
  return hasBegun && !isThere
    ? { reason: 'Scaling', message: `The number of worker pods becomes ${wanted}.` }
    : undefined;
}
