// Values of command lines that programs share: what is wrong with one becomes a problem beside those of the others, so that all are told at once.
import type { Problem } from '../core/errors.ts';
import { MAX_TIMEOUT_MS, parseDuration } from '../core/quantity.ts';
import { AddressError, type ListenAddress, parseAddress } from './address.ts';

/** @param field the flag with its dashes. @returns milliseconds; 0 when it is a problem */
export function readDuration(field: string, value: string, problems: Problem[]): number {
  try {
    const ms = parseDuration(value);
    if (ms <= MAX_TIMEOUT_MS) return ms;
    problems.push({ field, value, message: 'is longer than a day', mend: 'write a duration such as 5s' });
  } catch {
    problems.push({ field, value, message: 'is not a duration', mend: 'write a duration such as 5s or 1m30s' });
  }
  return 0;
}

/** @returns an empty path when it is a problem */
export function readAddress(field: string, value: string, problems: Problem[]): ListenAddress {
  try {
    return parseAddress(value);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    problems.push({ field, value, message: error.reason, mend: error.mend });
    return { path: '' };
  }
}
