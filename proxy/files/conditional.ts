// Conditional requests: whether a request goes on, in the order RFC 9110 §13.2.2 demands. Pure.
import { parseHttpDate } from './http-date.ts';

/** The fields of a request that a static answer depends on; absent ones are undefined. */
export interface Conditions {
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  ifUnmodifiedSince: string | undefined;
  ifRange: string | undefined;
}

export interface Validators {
  /** Strong entity tag, quotes included. */
  readonly etag: string;
  /** Milliseconds since the epoch, whole seconds; Infinity when it is not known. */
  readonly modified: number;
}

/** 'go': answer as if there were no condition. 'not-modified': 304. 'failed': 412. */
export type Verdict = 'go' | 'not-modified' | 'failed';

/**
 * For GET and HEAD of a file that exists.
 * @param now milliseconds since the epoch
 */
export function judge(conditions: Conditions, file: Validators, now: number): Verdict {
  const { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince } = conditions;
  // Steps 1 and 2. If-Unmodified-Since counts only without If-Match.
  if (ifMatch !== undefined) {
    if (!matchesStrongly(ifMatch, file.etag)) return 'failed';
  } else if (ifUnmodifiedSince !== undefined && file.modified > parseHttpDate(ifUnmodifiedSince, now)) {
    return 'failed';
  }
  // Steps 3 and 4. If-Modified-Since counts only without If-None-Match. A comparison with an invalid date is false.
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, file.etag) ? 'not-modified' : 'go';
  if (ifModifiedSince !== undefined && file.modified <= parseHttpDate(ifModifiedSince, now)) return 'not-modified';
  return 'go';
}

/**
 * Step 5: whether a Range may be honoured. A tag must match strongly (§13.1.5); a date must be the very one, and old enough
 * that the file cannot have changed twice within its second (§8.8.2.2).
 */
export function allowsRange(ifRange: string | undefined, file: Validators, now: number): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"') || ifRange.startsWith('W/')) return ifRange === file.etag;
  return parseHttpDate(ifRange, now) === file.modified && now - file.modified >= 2000;
}

/** `opaque-tag = DQUOTE *etagc DQUOTE` (§8.8.3): a comma may stand inside. */
const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** §13.1.1: strong comparison, so that a weak tag never matches. */
function matchesStrongly(list: string, etag: string): boolean {
  if (list === etag || list.trim() === '*') return true;
  return list.matchAll(ENTITY_TAG).some((tag) => tag[1] === undefined && tag[2] === etag);
}

/** §13.1.2: weak comparison. `etag` is strong. */
function matchesWeakly(list: string, etag: string): boolean {
  if (list === etag || list.trim() === '*') return true;
  return list.matchAll(ENTITY_TAG).some((tag) => tag[2] === etag);
}
