// Whether a request whose attempt came to nothing may be sent again. Pure. The rule above all others: a request that may have
// an effect is not sent again once the peer can have seen a byte of it.
import type { WireError } from '../../http/wire/connection.ts';

/** RFC 9110 §9.2.2, of the methods that RFC 9110 defines. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Whether sending a request twice has the effect of sending it once. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** Tries that ended in a connect timeout, each as long as `connectMs`. */
const MAX_TIMEOUTS = 3;
/** Tries in all; a refusal costs next to nothing. */
const MAX_TRIES = 10;

/** What is known of a request and its attempts when one is lost. */
export interface Loss {
  readonly error: WireError;
  /** A byte of a response had come. */
  readonly began: boolean;
  readonly method: string;
  /** The whole of the body that has been taken from the client is at hand; true when there is none. */
  readonly bodyHeld: boolean;
  readonly hasBody: boolean;
  /** The connection was a kept one. */
  readonly reused: boolean;
  /** The peer may have seen a byte of the request. */
  readonly seen: boolean;
  readonly tries: number;
  /** Those of them that were connect timeouts. */
  readonly timeouts: number;
  /** Retries of either kind that have been spent. */
  readonly retriedReused: boolean;
  readonly retriedFresh: boolean;
}

/**
 * elsewhere: no connection could be made, another endpoint may be reached. reused: the kept connection was dead, as every kept
 * connection may be; nobody notices a second try. fresh: a new connection died under a request without effect: the worker has
 * probably been killed.
 */
export type Retry = 'none' | 'elsewhere' | 'reused' | 'fresh';

export function planRetry(loss: Loss): Retry {
  if (loss.began || !loss.bodyHeld || loss.error === 'INVALID') return 'none';
  if (loss.error !== 'CLOSED') return hasAttemptsLeft(loss) ? 'elsewhere' : 'none';
  const harmless = !loss.seen || isIdempotent(loss.method);
  if (loss.reused) return harmless && !loss.retriedReused ? 'reused' : 'none';
  const isPlainRead = (loss.method === 'GET' || loss.method === 'HEAD') && !loss.hasBody;
  return isPlainRead && !loss.retriedFresh ? 'fresh' : 'none';
}

function hasAttemptsLeft(loss: Loss): boolean {
  return loss.tries < MAX_TRIES && loss.timeouts < MAX_TIMEOUTS;
}
