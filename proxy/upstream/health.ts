// When an endpoint counts as failing, and for how long: passive health, from what requests meet. Pure.
import { type BackoffPolicy, backoffMs } from '../../core/backoff.ts';

/**
 * unreachable: no connection could be made; the next ones would fail too. closed: a new connection was closed before a byte
 * of the answer; one bad request may do that to a good worker, so only several in a row count.
 */
export type Failure = 'unreachable' | 'closed';

/** Failures in a row that make an endpoint failing. */
const THRESHOLD: Readonly<Record<Failure, number>> = { unreachable: 1, closed: 3 };

/** How long a failing endpoint is passed over before it is looked at again. */
const HOLD: BackoffPolicy = { firstMs: 500, maxMs: 5_000, factor: 2 };

/**
 * @param failures in a row, this one included
 * @returns how long the endpoint is failing now, milliseconds; 0: not yet
 */
export function holdAfter(failure: Failure, failures: number, random: number): number {
  const beyond = failures - THRESHOLD[failure];
  return beyond < 0 ? 0 : backoffMs(HOLD, beyond + 1, random);
}
