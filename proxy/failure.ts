// Why the proxy does not start: for the log's last line, and as an exit code. Pure.
import { ProblemsError } from '../core/errors.ts';
import { AddressError } from '../http/address.ts';

export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly reason: string;
  readonly mend: string;
}

export const EXIT_INTERNAL = 70;

export function describeFailure(error: unknown): Failure {
  if (error instanceof AddressError) {
    const { code, reason, mend } = error;
    return { exitCode: 1, code, reason, mend };
  }
  if (error instanceof ProblemsError) return describeProblems(error);
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const mend = 'See the reason; when it says nothing to you, report it.';
  return { exitCode: EXIT_INTERNAL, code: 'INTERNAL', reason, mend };
}

/** Flags are named with their dashes, fields of the document never. */
function describeProblems({ message, problems }: ProblemsError): Failure {
  const ofCommandLine = problems.some(({ field }) => field === 'arguments' || field.startsWith('--'));
  const mend = problems.map((problem) => problem.mend).join('; ');
  return { exitCode: 2, code: ofCommandLine ? 'USAGE' : 'CONFIG_INVALID', reason: message, mend };
}
