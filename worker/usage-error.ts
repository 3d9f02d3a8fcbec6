import { CodedError } from '../core/errors.ts';

/** The command line cannot be understood: what is wrong, and what to write instead. */
export class UsageError extends CodedError<'USAGE'> {
  readonly reason: string;
  readonly mend: string;
  constructor(reason: string, mend: string) {
    super('USAGE', `${reason} ${mend}`);
    this.reason = reason;
    this.mend = mend;
  }
}
