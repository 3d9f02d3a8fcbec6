// What becomes of attempts and requests: how a connection's error is counted, and what the client is answered for it.
import type { WireError } from '../../http/wire/connection.ts';
import type { UpstreamFault } from './client.ts';

type Outcome = keyof Counts['attempts'];

export const FAULT_OF: Readonly<Record<WireError, UpstreamFault>> = {
  REFUSED: 'UPSTREAM_REFUSED',
  CONNECT_TIMEOUT: 'UPSTREAM_CONNECT_TIMEOUT',
  CLOSED: 'UPSTREAM_CLOSED',
  INVALID: 'UPSTREAM_INVALID',
};

export const OUTCOME_OF: Readonly<Record<WireError, Outcome>> = {
  REFUSED: 'refused',
  CONNECT_TIMEOUT: 'connectTimeout',
  CLOSED: 'closed',
  INVALID: 'invalid',
};

export class Counts {
  readonly attempts = { ok: 0, refused: 0, connectTimeout: 0, closed: 0, invalid: 0, timeout: 0, cancelled: 0 };
  readonly retried = { reused: 0, fresh: 0 };
  /** Requests started and not over. */
  inFlight = 0;
}
