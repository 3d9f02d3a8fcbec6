// Why the program cannot start, as its last log line and its exit code. Pure.
import { CodedError, formatProblem, type Problem, ProblemsError } from '../core/errors.ts';
import { AddressError } from '../http/address.ts';
import { CopyError } from './copy-static/copy.ts';
import { UsageError } from './usage-error.ts';

export interface StartFailure {
  readonly exitCode: number;
  readonly code: string;
  readonly reason: string;
  readonly mend: string;
  /** All that is wrong with the document. */
  readonly problems?: readonly Problem[];
}

/** EX_SOFTWARE of sysexits.h: an error inside the program. */
export const EXIT_INTERNAL = 70;

const COPY_EXIT = { STATIC_MISSING: 3, COPY_FAILED: 4 } as const;

export function describeFailure(error: unknown): StartFailure {
  if (error instanceof UsageError) return { exitCode: 2, code: error.code, reason: error.reason, mend: error.mend };
  if (error instanceof AddressError) return { exitCode: 1, code: error.code, reason: error.reason, mend: error.mend };
  if (error instanceof CopyError)
    return { exitCode: COPY_EXIT[error.code], code: error.code, reason: error.reason, mend: error.mend };
  if (error instanceof ProblemsError) return fromProblems(error);
  const code = error instanceof CodedError ? String(error.code) : 'INTERNAL';
  const reason = error instanceof Error ? error.message : String(error);
  return { exitCode: EXIT_INTERNAL, code, reason, mend: 'See the reason; when it says nothing to you, report it.' };
}

function fromProblems({ message, problems }: ProblemsError): StartFailure {
  const [only, ...more] = problems;
  const mend = only === undefined || more.length > 0 ? 'Mend each field that is named.' : only.mend;
  const reason = only === undefined || more.length > 0 ? message : formatProblem(only).trim();
  return { exitCode: 2, code: 'CONFIG_INVALID', reason, mend, problems };
}
