// Events for people: told when a condition changes and when something of note is done, never for what merely goes on.
import type { Condition, WebAppStatus } from '../../../core/status/webapp.ts';
import type { Change, PlannedEvent } from '../changes.ts';
import { cutEnd } from './bounded-text.ts';
import { DRIFTED } from './children.ts';

const MAX_EVENTS = 8;
const MAX_NOTE = 1_024;

/**
 * @param before the status written last; undefined: none yet
 * @param changes that go with it
 */
export function tellEvents(
  before: WebAppStatus | undefined,
  after: WebAppStatus,
  changes: readonly Change[],
): PlannedEvent[] {
  return [
    ...progressEvents(before, after),
    ...servingEvents(before, after),
    ...degradedEvents(before, after, changes),
    ...scaleEvents(before, after),
    ...configEvents(before, after),
    ...driftEvents(changes),
  ]
    .slice(0, MAX_EVENTS)
    .map((event) => ({ ...event, note: cutEnd(event.note, MAX_NOTE) }));
}

const find = (status: WebAppStatus | undefined, type: Condition['type']) =>
  status?.conditions?.find((condition) => condition.type === type);
const normal = (reason: string, action: string, note: string): PlannedEvent => ({
  type: 'Normal',
  reason,
  action,
  note,
});
const warning = (reason: string, action: string, note: string): PlannedEvent => ({
  type: 'Warning',
  reason,
  action,
  note,
});

/** Reason and action of the event for each reason of Progressing that is worth one. */
const STARTS: Readonly<Record<string, readonly [reason: string, action: string]>> = {
  RollingOut: ['RolloutStarted', 'RollOut'],
  Migrating: ['Migrating', 'Migrate'],
  PreparingProxy: ['PreparingProxy', 'RollOut'],
  Suspended: ['Suspended', 'Suspend'],
};
const FAILURES: Readonly<Record<string, string>> = { DeadlineExceeded: 'RollOut', RolledBack: 'RollBack' };

/** A rollout's message names its version: another one is another rollout. */
function progressEvents(before: WebAppStatus | undefined, after: WebAppStatus): PlannedEvent[] {
  const was = find(before, 'Progressing');
  const is = find(after, 'Progressing');
  if (is === undefined || (was?.reason === is.reason && was.message === is.message)) return [];
  const start = STARTS[is.reason];
  const action = FAILURES[is.reason];
  return [
    ...(was?.reason === 'Suspended' && is.reason !== 'Suspended' && is.reason !== 'Invalid'
      ? [normal('Resumed', 'Resume', 'spec.suspend is no longer set: worker pods come back.')]
      : []),
    ...(was?.reason === 'Migrating' &&
    !['Migrating', 'MigrationFailed', 'Suspended', 'WaitingForReference'].includes(is.reason)
      ? [normal('Migrated', 'Migrate', 'The migration is complete.')]
      : []),
    ...(start ? [normal(start[0], start[1], is.message)] : []),
    ...(action && was?.reason !== is.reason ? [warning(is.reason, action, is.message)] : []),
  ];
}

function servingEvents(before: WebAppStatus | undefined, after: WebAppStatus): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  if (after.revision !== undefined && after.revision !== before?.revision)
    events.push(normal('RolloutComplete', 'RollOut', `Version ${after.revision} (${after.image ?? ''}) serves.`));
  const was = find(before, 'Ready');
  const is = find(after, 'Ready');
  if (was?.status === 'True' && is?.status === 'False' && ['NoReadyWorker', 'NoReadyProxy'].includes(is.reason))
    events.push(warning(is.reason, 'Serve', is.message));
  if (was?.status === 'False' && is?.status === 'True') events.push(normal('Serving', 'Serve', is.message));
  return events;
}

/** Reasons that only an answer of the API server can give: a plan does not know whether it will give it again. */
const ANSWERS = ['Refused', 'NameTaken', 'QuotaExceeded'];

/** RolledBack is told with the progress. */
function degradedEvents(
  before: WebAppStatus | undefined,
  after: WebAppStatus,
  changes: readonly Change[],
): PlannedEvent[] {
  const was = find(before, 'Degraded');
  const is = find(after, 'Degraded');
  if (is === undefined || was?.reason === is.reason) return [];
  const asksAgain = changes.some(({ verb }) => verb === 'apply');
  if (asksAgain && was !== undefined && ANSWERS.includes(was.reason)) return [];
  if (is.status === 'True') return is.reason === 'RolledBack' ? [] : [warning(is.reason, 'Observe', is.message)];
  return was?.status === 'True' ? [normal('Recovered', 'Observe', `No longer: ${was.reason}.`)] : [];
}

/** What `withFailures` made of the status, told once. @param before the status written last @param after with the failures in it */
export function tellFailures(before: WebAppStatus | undefined, after: WebAppStatus): PlannedEvent[] {
  return degradedEvents(before, after, []).filter(({ type, reason }) => type === 'Warning' && ANSWERS.includes(reason));
}

function scaleEvents(before: WebAppStatus | undefined, after: WebAppStatus): PlannedEvent[] {
  const was = before?.pods?.desired;
  const is = after.pods?.desired;
  const suspends = [before, after].some((status) => find(status, 'Ready')?.reason === 'Suspended');
  if (was === undefined || is === undefined || was === is || suspends) return [];
  return [normal('Scaled', 'Scale', `The number of worker pods goes from ${was} to ${is}.`)];
}

function configEvents(before: WebAppStatus | undefined, after: WebAppStatus): PlannedEvent[] {
  const was = find(before, 'ConfigApplied')?.reason;
  const is = find(after, 'ConfigApplied');
  if (is?.reason !== 'Applied' || (was !== 'Applying' && was !== 'Refused')) return [];
  return [normal('ConfigApplied', 'Configure', is.message)];
}

/** What another changed by hand and gets back as it was. */
function driftEvents(changes: readonly Change[]): PlannedEvent[] {
  const corrected = changes.flatMap((change) =>
    change.verb === 'apply' && change.why.startsWith(DRIFTED)
      ? [`${change.object.kind}/${change.object.metadata.name} ${change.why.slice(DRIFTED.length)}`]
      : [],
  );
  if (corrected.length === 0) return [];
  return [normal('Corrected', 'Apply', `Changed by another, and put back: ${corrected.slice(0, 5).join(', ')}.`)];
}
