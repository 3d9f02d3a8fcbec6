import { Failure } from '../failure.ts';
import type { ProgramRecord } from '../terminal/program-line.ts';
import type { Exit } from './program.ts';
import type { ProgramName } from './program-path.ts';

/** Remembers why a program could not start: it says so in its log (ARCHITECTURE.md), then ends. */
export class StartFailure {
  readonly #program: ProgramName;
  #record: ProgramRecord | null = null;

  constructor(program: ProgramName) {
    this.#program = program;
  }

  take(record: ProgramRecord): void {
    if (record.level === 'error' && isText(record.fields['code'])) this.#record = record;
  }

  /** `ADDRESS_IN_USE`, `BOOT_FAILED`, …; '' when it said nothing. */
  get code(): string {
    return this.#said('code');
  }
  get reason(): string {
    return this.#said('reason') || (this.#record?.msg ?? '');
  }
  get mend(): string {
    return this.#said('mend');
  }

  toFailure(exit: Exit): Failure {
    if (!this.#record) {
      const mend = 'what it printed above may say why; with --verbose it says more';
      return new Failure('PROGRAM_FAILED', `the ${this.#program} ${describeExit(exit)} before it could start`, mend);
    }
    if (this.code !== 'BOOT_FAILED') {
      return new Failure('PROGRAM_FAILED', `the ${this.#program} cannot start: ${this.reason}`, this.mend);
    }
    return new Failure('APPLICATION_FAILED', this.reason, this.mend, this.#said('traceback'));
  }

  #said(field: string): string {
    const value = this.#record?.fields[field];
    return isText(value) ? value : '';
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';

export function describeExit({ code, signal }: Exit): string {
  return code === null ? `was ended by ${signal}` : `ended with code ${code}`;
}
