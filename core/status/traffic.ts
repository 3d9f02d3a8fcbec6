// What both programs tell of the requests that came: in their status documents, for the live page and the terminal. All of it is optional to readers: a program
// of another version may not tell it.
import { z } from 'zod';
import { DURATION_BOUNDS_MS } from '../durations.ts';

/** Buckets of DURATION_BOUNDS_MS, since the start. */
export const durationCountsSchema = z.object({
  counts: z.array(z.int()).length(DURATION_BOUNDS_MS.length + 1),
  sumMs: z.number(),
});

/** Of bodies, since the start. */
export const bytesSchema = z.object({ received: z.number(), sent: z.number() });

/** Most that are kept; the latest. */
export const MAX_RECENT_ERRORS = 20;

/** A request that a person will want to look up: answered by a fault, or by the application with 5xx. */
export const recentErrorSchema = z.object({
  /** When it ended. Milliseconds since the epoch. */
  at: z.number(),
  /** The request id, to find it in logs of proxy, worker and application; '' when the head was refused. */
  id: z.string(),
  method: z.string(),
  /** Without its query, which may hold secrets. */
  path: z.string(),
  /** 0: the client left before an answer. */
  status: z.int(),
  /** From the arrival of the head. */
  ms: z.number(),
  /** A code of core/errors.ts; absent: the application answered so. */
  fault: z.string().optional(),
  /** What is known beyond the code. */
  detail: z.string().optional(),
});

/** The latest first. */
export const recentErrorsSchema = z.array(recentErrorSchema);

export type RecentError = z.output<typeof recentErrorSchema>;
