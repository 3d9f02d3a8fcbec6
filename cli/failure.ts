import { CodedError } from '../core/errors.ts';

/** Everything that ends a command, besides the end that was asked for. Only USAGE ends with another exit code than 1. */
export type FailureCode =
  | 'USAGE'
  | 'FILE_MISSING'
  | 'FILE_EXISTS'
  | 'MANIFEST_INVALID'
  | 'NO_APPLICATION'
  | 'NO_PYTHON'
  | 'NODE_TOO_OLD'
  | 'NO_NODE_PACKAGES'
  | 'INSTALL_FAILED'
  | 'ADDRESS_UNUSABLE'
  | 'PROGRAM_FAILED'
  | 'APPLICATION_FAILED'
  | 'INTERRUPTED'
  | 'UNKNOWN_NAME'
  | 'NOT_RUNNING'
  | 'REFUSED'
  | 'CLUSTER';

/** One clear message for a person: what is wrong, how to mend it, and what the program concerned said itself. */
export class Failure extends CodedError<FailureCode> {
  /** What to do, '' when there is nothing. */
  readonly mend: string;
  /** Lines to show above the message, such as a traceback; '' for none. */
  readonly detail: string;
  constructor(code: FailureCode, message: string, mend = '', detail = '') {
    super(code, message);
    this.mend = mend;
    this.detail = detail;
  }
}
