// What is to be done for one WebApp: observed world and clock in; changes, status, events and requeue out. Pure: a pass can be replayed from its input.
import type { WebAppStatus } from '../../../core/status/webapp.ts';
import type { Plan } from '../changes.ts';
import type { Observed } from '../observed.ts';
import { judgeDegraded, judged, makeCondition } from './conditions.ts';
import { decide } from './decide.ts';
import { tellEvents } from './events.ts';
import { certificateDueAt } from './problems/certificate-problems.ts';
import { arrange } from './problems/degraded.ts';
import { findProblems } from './problems/find-problems.ts';
import { deathEvents, deathsEndAt } from './problems/process-deaths.ts';
import { waitEndsAt } from './problems/requests-wait.ts';
import { lastGood, makeStatus } from './status.ts';
import { currentConfigs, wantedChanges } from './wanted-changes.ts';
import { readWorld } from './world.ts';

export { tellFailures } from './events.ts';
export { withFailures } from './failures.ts';

/** @param wall milliseconds since the epoch */
export function planWebApp(observed: Observed, wall: number): Plan {
  const { webApp, invalid } = observed;
  // Its children go with it, by their owner.
  if (webApp.metadata.deletionTimestamp !== undefined) return { changes: [], status: webApp.status ?? {}, events: [] };
  if (invalid.length > 0) return planInvalid(observed, wall);
  const world = readWorld(observed);
  const decision = decide(world, wall);
  const configs = currentConfigs(world, decision);
  const { changes, nextAt } = wantedChanges(world, decision, configs, lastGood(world), wall);
  const problems = findProblems(world, decision, wall);
  const workers = new Map(configs.map(({ revision, config }) => [revision.id, config.hash]));
  const hashes = { workers, proxy: decision.proxyConfig?.hash };
  const status = makeStatus(world, decision, problems, hashes, wall);
  const events = [...tellEvents(world.before, status, changes), ...deathEvents(world.reports, problems, wall)];
  const certificateAt = observed.certificate && certificateDueAt(observed.certificate, wall);
  const deathsAt = deathsEndAt(world.reports, problems, wall);
  const waitAt = waitEndsAt(world.reports, problems, wall);
  const dueAt = Math.min(...[nextAt, decision.holdEndsAt, certificateAt, deathsAt, waitAt].map((at) => at ?? Infinity));
  return { changes, status, events, ...(dueAt !== Infinity && { requeueAfterMs: dueAt - wall }) };
}

/** A spec that this operator does not understand is no reason to touch what runs. */
function planInvalid({ webApp, invalid }: Observed, wall: number): Plan {
  const { metadata, status: before = {} } = webApp;
  const problems = arrange(
    invalid.map(({ field, value, message, mend }) => ({
      type: 'Invalid',
      field,
      message: value === undefined ? message : `${value}: ${message}`,
      mend,
    })),
  );
  const moment = { before: before.conditions, generation: metadata.generation, wall };
  const message = 'The spec cannot be understood by this operator; nothing is changed.';
  const conditions = [
    makeCondition(judged('Ready', 'Invalid', message), moment),
    makeCondition(judged('Progressing', 'Invalid', message), moment),
    makeCondition(judgeDegraded(problems), moment),
    ...(before.conditions ?? []).filter(({ type }) => type === 'ConfigApplied'),
  ];
  const status: WebAppStatus = {
    ...before,
    observedGeneration: metadata.generation,
    state: 'Invalid',
    conditions,
    problems,
  };
  return { changes: [], status, events: tellEvents(webApp.status, status, []) };
}
