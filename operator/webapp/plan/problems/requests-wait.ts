// Requests that wait long for a free process, as the workers tell. Written when it begins and when it is over; names no number, since each would be another at
// the next look.
import { REASONS } from '../../../../core/app/conditions.ts';
import { WAIT_MEND } from '../../../../core/status/waiting.ts';
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import type { WorkerReport } from '../../observed.ts';
import { isLasting, overAt } from '../../waits.ts';
import type { Found } from './degraded.ts';

const TYPE = 'RequestsWait';

/** @param before problems told last @param isCatchingUp workers are being asked anew: what was told still holds */
export function waitProblems(
  reports: readonly WorkerReport[],
  before: readonly StatusProblem[],
  isCatchingUp: boolean,
  wall: number,
): Found[] {
  const goesOn = isTold(before) && (isCatchingUp || latestOver(reports) > wall);
  if (!goesOn && !reports.some(({ waits }) => isLasting(waits, wall))) return [];
  return [{ type: TYPE, message: REASONS.Degraded.RequestsWait.meaning, ...WAIT_MEND }];
}

/** @returns when the problem is over unless a worker tells of it again, in milliseconds since the epoch; undefined: there is none */
export function waitEndsAt(
  reports: readonly WorkerReport[],
  problems: readonly StatusProblem[],
  wall: number,
): number | undefined {
  const at = latestOver(reports);
  return isTold(problems) && at > wall ? at : undefined;
}

const isTold = (problems: readonly StatusProblem[]): boolean => problems.some(({ type }) => type === TYPE);

/** @returns -Infinity: none ever told of it */
function latestOver(reports: readonly WorkerReport[]): number {
  return Math.max(...reports.flatMap(({ waits }) => (waits ? [overAt(waits)] : [])));
}
