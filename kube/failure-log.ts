// Failures in the log: what software decides by, in fields of their own, and never more lines than a bound, however many objects
// fail together. What was left out is counted on the next line.
import { inspect } from 'node:util';
import type { Clock } from '../core/clock.ts';
import type { Log, LogFields } from '../core/log.ts';
import { KubeError } from './errors.ts';

export interface FailureLog {
  /** One line: warn for a KubeError, error with the stack for anything else. */
  say(message: string, error: unknown, fields?: LogFields): void;
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
  let left = burst;
  let refilledAt = clock.now();
  let leftOut = 0;
  const mayWrite = (): boolean => {
    const now = clock.now();
    left = Math.min(burst, left + (now - refilledAt) / everyMs);
    refilledAt = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
  return {
    say(message, error, fields = {}) {
      if (!mayWrite()) {
        leftOut += 1;
        return;
      }
      const line = { ...fields, ...failureFields(error), ...(leftOut > 0 && { leftOut }) };
      leftOut = 0;
      if (error instanceof KubeError) log.warn(message, line);
      else log.error(message, line);
    },
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
