// Whether a request whose process died may be given to another one. Pure: the promise "a POST is never run twice, and never
// lost when it had not begun" is this table.

/** What is known of a request at the moment its process dies. */
export interface DeathFacts {
  /** The process had to say that it took the request before the application ran. */
  readonly wantAccept: boolean;
  readonly accepted: boolean;
  readonly idempotent: boolean;
  /** Anything of a response, a 1xx too, has gone to the client. */
  readonly answered: boolean;
  /** How often it has been handed to a process, this one counted. */
  readonly handovers: number;
  /** How often the application may have begun with it and its process died, this time not counted. */
  readonly lostRuns: number;
}

/**
 * A request that kills every process it meets must not meet all of them: one that may have begun is run once more, no oftener.
 */
const MAX_RERUNS = 1;

/**
 * One that never began has killed nobody, so it may be handed on more often; yet not without end, for a request that breaks the
 * adapter itself never gets to be accepted.
 */
export const MAX_HANDOVERS = 4;

/** @returns whether the application may have begun with the request: it said so, or was not asked to say */
export function mayHaveBegun(facts: Pick<DeathFacts, 'wantAccept' | 'accepted'>): boolean {
  return facts.accepted || !facts.wantAccept;
}

export function mayHandAgain(facts: DeathFacts): boolean {
  if (facts.answered || facts.handovers >= MAX_HANDOVERS) return false;
  if (!mayHaveBegun(facts)) return true;
  return facts.idempotent && facts.lostRuns < MAX_RERUNS;
}

/** RFC 9110 §9.2.2. A method not known here is not idempotent. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
