// Why the operator does not start: for the log's last line, and as an exit code. Pure.
import { ProblemsError } from '../core/errors.ts';
import { AddressError } from '../http/address.ts';
import { KubeError } from '../kube/errors.ts';

export interface StartFailure {
  readonly exitCode: number;
  readonly code: string;
  readonly reason: string;
  readonly mend: string;
}

export const EXIT_INTERNAL = 70;

export function describeFailure(error: unknown): StartFailure {
  if (error instanceof AddressError) return { exitCode: 1, code: error.code, reason: error.reason, mend: error.mend };
  if (error instanceof ProblemsError) {
    const mend = error.problems.map((problem) => problem.mend).join('; ');
    return { exitCode: 2, code: 'USAGE', reason: error.message, mend };
  }
  if (error instanceof KubeError) {
    const mend = 'Give --kubeconfig and --context, or run it in a pod whose ServiceAccount token is mounted.';
    return { exitCode: 2, code: error.code, reason: error.message, mend };
  }
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: EXIT_INTERNAL,
    code: 'INTERNAL',
    reason,
    mend: 'See the reason; when it says nothing to you, report it.',
  };
}
