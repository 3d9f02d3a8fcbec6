// What a reflector does when a turn (a list, if one is due, and one watch) has ended: list anew or go on from where it was, and after which wait. Pure.
import { type BackoffPolicy, backoffMs } from '../core/backoff.ts';
import { isGone, isOutage, KubeError } from './errors.ts';

/** How a turn went. */
export interface Turn {
  /** What ended it; undefined: the server, in order. */
  readonly error: unknown;
  /** How long its watch was open. 0: it never was. */
  readonly openMs: number;
  /** Whether the watch brought an event or a bookmark: it cannot be the same failure for ever. */
  readonly progressed: boolean;
  /** Nobody answered in the turn before. */
  readonly afterOutage: boolean;
}

export interface NextTurn {
  readonly relist: boolean;
  readonly waitMs: number;
  /** Turns in a row that got nowhere, this one included. */
  readonly failures: number;
}

/** kube-rs' default backoff. */
const BACKOFF: BackoffPolicy = { firstMs: 800, maxMs: 30_000, factor: 2 };
/**
 * While nobody answers. Not as long: whoever looks for a server that is back costs it next to nothing, and what was known before an outage gets old: a
 * proxy sends requests to pods that are gone.
 */
const OUTAGE: BackoffPolicy = { ...BACKOFF, maxMs: 10_000 };
/** A watch that was open for so long was healthy, though it was silent. */
const HEALTHY_MS = 120_000;
/** What the server ends in order sooner, and silent, is a fault of its own; client-go calls it a very short watch. */
const SHORT_MS = 1_000;
/** Before a watch follows upon a good one: those that were cut together do not come back together, and no loop is hot. */
const PAUSE_MS = 100;
/** A version at which the server refuses to watch so often is given up. A network that is away says nothing about the version. */
const REFUSALS_PER_LIST = 3;

/**
 * @param failures turns in a row that got nowhere before this one
 * @param random in [0, 1)
 */
export function nextTurn(turn: Turn, failures: number, random: number): NextTurn {
  const { error } = turn;
  const mustRelist = error !== undefined && (isGone(error) || isUnreadable(error));
  const inVain = isGood(turn) ? 0 : failuresBefore(turn, failures) + 1;
  // A list is dear: never without a wait, though the watch before it was good.
  const tries = mustRelist ? Math.max(1, inVain) : inVain;
  return {
    relist: mustRelist || (isRefused(error) && tries % REFUSALS_PER_LIST === 0),
    waitMs: Math.max(waitMs(error, tries, random), askedMs(error) * (1 + random / 4)),
    failures: tries,
  };
}

/**
 * A server that is back does not know yet who may do what (403), or has forgotten our version (410): that is not one more failure of those that came of
 * its absence.
 */
function failuresBefore({ error, afterOutage }: Turn, failures: number): number {
  return afterOutage && !isOutage(error) ? 0 : failures;
}

/** What came is not of the API, or we could not deal with it. */
function isUnreadable(error: unknown): boolean {
  return !(error instanceof KubeError) || error.code === 'INVALID_RESPONSE';
}

function isRefused(error: unknown): boolean {
  return error instanceof KubeError && error.code === 'API' && error.status !== 429;
}

function isGood({ error, openMs, progressed }: Turn): boolean {
  return progressed || openMs >= HEALTHY_MS || (error === undefined && openMs >= SHORT_MS);
}

function waitMs(error: unknown, failures: number, random: number): number {
  return failures === 0 ? PAUSE_MS * random : backoffMs(isOutage(error) ? OUTAGE : BACKOFF, failures, random);
}

function askedMs(error: unknown): number {
  return error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
}
