// Which of several problems the condition Degraded names.
import type { DegradedReason } from '../../../../core/app/conditions.ts';
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import { cutEnd } from '../bounded-text.ts';

/** A problem before it is bounded for the status. */
export interface Found extends StatusProblem {
  readonly type: DegradedReason;
}

/**
 * The most telling first: what keeps the operator from working at all; what was done about a failure; what a rollout waits for, in the order of its gates; why
 * pods do not come, in the order in which a pod comes; at last what an application can serve with.
 */
export const DEGRADED_ORDER = [
  'Invalid',
  'Refused',
  'NameTaken',
  'RolledBack',
  'ReferenceMissing',
  'MigrationFailed',
  'QuotaExceeded',
  'PodsRefused',
  'Unschedulable',
  'ImagePull',
  'Crashing',
  'NotReady',
  'Certificate',
  'ProcessesDie',
  'RequestsWait',
  'ConfigRefused',
  'ApiMissing',
] as const satisfies readonly DegradedReason[];

const MAX_PROBLEMS = 32;
const MAX = { field: 512, type: 64, message: 4096, mend: 1024 } as const;

/** @returns `problems` by weight, each once, bounded as the status has to be */
export function arrange(problems: readonly StatusProblem[]): StatusProblem[] {
  const seen = new Set<string>();
  return problems
    .map(bounded)
    .filter((problem) => {
      const key = JSON.stringify(problem);
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => weightOf(a) - weightOf(b))
    .slice(0, MAX_PROBLEMS);
}

/** @returns the reason of Degraded that `problems`, arranged, give */
export function degradedReason(problems: readonly StatusProblem[]): DegradedReason | 'AsExpected' {
  return DEGRADED_ORDER.find((reason) => problems.some(({ type }) => type === reason)) ?? 'AsExpected';
}

function weightOf({ type }: StatusProblem): number {
  const index = (DEGRADED_ORDER as readonly string[]).indexOf(type);
  return index < 0 ? DEGRADED_ORDER.length : index;
}

function bounded({ field, type, message, mend }: StatusProblem): StatusProblem {
  return {
    field: cutEnd(field, MAX.field),
    type: cutEnd(type, MAX.type),
    message: cutEnd(message, MAX.message),
    mend: cutEnd(mend, MAX.mend),
  };
}
