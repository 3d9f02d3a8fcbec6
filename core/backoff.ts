/** How long to wait before try number `attempt`. */
export interface BackoffPolicy {
  /** Wait before the first retry, in milliseconds. */
  readonly firstMs: number;
  /** No wait is longer than this, in milliseconds. */
  readonly maxMs: number;
  readonly factor: number;
}

/**
 * Exponential backoff with equal jitter: half of the wait is fixed, half random, so that many that failed together do not
 * return together.
 * @param attempt failures so far, ≥ 1
 * @param random a number in [0, 1)
 * @returns milliseconds, ≤ `policy.maxMs`
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: number): number {
  const full = Math.min(policy.maxMs, policy.firstMs * policy.factor ** Math.max(0, attempt - 1));
  return full / 2 + (full / 2) * random;
}
