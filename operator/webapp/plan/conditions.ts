// The conditions, from what was judged: each keeps its time until its status flips.
import { type ConditionType, type ReasonOf, statusOf } from '../../../core/app/conditions.ts';
import type { Condition, StatusProblem } from '../../../core/status/webapp.ts';
import { cutEnd } from './bounded-text.ts';
import { degradedReason } from './problems/degraded.ts';

export interface Judged<T extends ConditionType = ConditionType> {
  readonly type: T;
  readonly reason: ReasonOf<T>;
  readonly message: string;
}

/** Keeps the reason checked against its own type. */
export function judged<T extends ConditionType>(type: T, reason: ReasonOf<T>, message: string): Judged<T> {
  return { type, reason, message };
}

export interface Moment {
  readonly before: readonly Condition[] | undefined;
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly wall: number;
}

const MAX_MESSAGE = 4096;

export function makeCondition<T extends ConditionType>(
  { type, reason, message }: Judged<T>,
  moment: Moment,
): Condition {
  const status = statusOf(type, reason);
  const last = moment.before?.find((one) => one.type === type);
  return {
    type,
    status,
    observedGeneration: moment.generation,
    lastTransitionTime: last?.status === status ? last.lastTransitionTime : inSeconds(moment.wall),
    reason,
    message: cutEnd(message, MAX_MESSAGE),
  };
}

/** RFC 3339 without fractions, as metav1.Time has it. */
function inSeconds(wall: number): string {
  return new Date(wall).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** @param problems arranged: the first of the reason speaks */
export function judgeDegraded(problems: readonly StatusProblem[]): Judged<'Degraded'> {
  const reason = degradedReason(problems);
  const first = problems.find(({ type }) => type === reason);
  if (first === undefined) return judged('Degraded', 'AsExpected', 'Nothing is known to be wrong.');
  return judged('Degraded', reason, `${first.field}: ${first.message}\n→ ${first.mend}`);
}

export function reasonOf(conditions: readonly Condition[] | undefined, type: ConditionType): string | undefined {
  return conditions?.find((one) => one.type === type)?.reason;
}
