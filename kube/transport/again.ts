// When a call may be sent a second time without its caller knowing. Pure.
import type { ApiRequest } from '../transport.ts';

/**
 * Whether a request that may have been carried out can be sent once more to the same effect. This is asked when a kept connection
 * turned out dead: it was reused, and not one byte was answered. GET: nothing happens twice. Apply and merge patch: the same intent again. PUT
 * carries its resourceVersion: the second is answered 409, and the caller reads again. DELETE: what is gone is gone, uid and resourceVersion keep a
 * successor safe. Not POST: a second object would be made where the server makes the name, and else the answer 409 would be mistaken
 * for another's. Not JSON patch: it may append.
 */
export function isRepeatable({ method, contentType }: Pick<ApiRequest, 'method' | 'contentType'>): boolean {
  return method !== 'POST' && contentType !== 'application/json-patch+json';
}

/** Between tries that the server asked for without naming a time, or naming 0. */
const LEAST_WAIT_MS = 100;
const UNNAMED_WAIT_MS = 1_000;
/** Added to a wait: up to this part of it, so that those who were refused together do not return together. */
const JITTER = 0.25;

/**
 * The wait before a refused request is sent again: 429 always (priority and fairness refuses before anything is carried out), 503 when it says
 * Retry-After (a server that starts or ends). Never shorter than asked for.
 * @param leftMs what is left of the call's time
 * @returns milliseconds; undefined: not again, or not in time
 */
export function throttleWaitMs(
  refusal: { readonly status: number; readonly retryAfterMs: number | undefined },
  leftMs: number,
  random: number,
): number | undefined {
  const { status, retryAfterMs } = refusal;
  if (status !== 429 && (status !== 503 || retryAfterMs === undefined)) return undefined;
  const asked = Math.max(LEAST_WAIT_MS, retryAfterMs ?? UNNAMED_WAIT_MS);
  const wait = asked * (1 + JITTER * random);
  return wait < leftMs ? wait : undefined;
}
