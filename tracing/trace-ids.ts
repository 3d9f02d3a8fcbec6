// Ids of traces and spans. Random bytes are drawn for hundreds of ids at once: a draw for each costs more than all else here.
import { randomFillSync } from 'node:crypto';

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

const pool = Buffer.alloc(4096);
let used = pool.length;

/** @returns 32 hexadecimal digits, random, not all zero */
export const makeTraceId = (): string => take(TRACE_BYTES);

/** @returns 16 hexadecimal digits, random, not all zero */
export const makeSpanId = (): string => take(SPAN_BYTES);

function take(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('hex', used, used + bytes);
  used += bytes;
  return /[1-9a-f]/.test(id) ? id : take(bytes);
}

/**
 * Whether a trace that we begin is kept: decided by its id, so that whoever decides by the same part with the same share decides
 * the same.
 * @param ratio share of traces from 0 to 1
 */
export function isKept(traceId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(-8), 16) < ratio * 0x1_0000_0000;
}
