// Failures in the log: what software decides by, in fields of their own, and never more lines than a bound, however many objects
// fail together. What was left out is counted on the next line.
import { inspect } from 'node:util';
import type { Clock } from '../core/clock.ts';
import type { Log, LogFields } from '../core/log.ts';
import { KubeError } from './errors.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface FailureLog {
  /** One line: warn for a KubeError, error with the stack for anything else. */
  say(message: string, error: unknown, fields?: LogFields): void;
  /** One line for what went wrong without an error. */
  warn(message: string, fields: LogFields): void;
}

export interface FailureLogOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Lines that may come at once. */
  readonly burst: number;
  /** Afterwards one line in so long, in milliseconds. */
  readonly everyMs: number;
}

export function makeFailureLog({ log, clock, burst, everyMs }: FailureLogOptions): FailureLog {
  const allowance = new TokenBuckets({ burst, refillMs: everyMs, keys: 1 });
  let leftOut = 0;
  const write = (level: 'warn' | 'error', message: string, fields: () => LogFields): void => {
    if (!allowance.take('', clock.now())) {
      leftOut += 1;
      return;
    }
    log[level](message, { ...fields(), ...(leftOut > 0 && { leftOut }) });
    leftOut = 0;
  };
  return {
    say: (message, error, fields) =>
      write(error instanceof KubeError ? 'warn' : 'error', message, () => ({ ...fields, ...failureFields(error) })),
    warn: (message, fields) => write('warn', message, () => fields),
  };
}

/** @returns what a log says of an error; a KubeError is told by the server or the network, so its stack says nothing */
export function failureFields(error: unknown): LogFields {
  if (!(error instanceof KubeError)) return { error: error instanceof Error ? error : inspect(error) };
  const { code, status, reason, message, retryAfterMs } = error;
  return {
    code,
    ...(status !== 0 && { status }),
    ...(reason !== '' && { reason }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    error: message,
  };
}
