// What the worker tells of itself at GET /status on its admin port. The only source for all that shows its state.
import { z } from 'zod';
import { bytesSchema, durationCountsSchema, recentErrorsSchema } from './traffic.ts';

/** Which document a program runs by, and what became of the newest one. */
export const appliedConfigSchema = z.object({
  /** Hash of the document in force. */
  hash: z.string(),
  /** Milliseconds since the epoch. */
  appliedAt: z.number(),
  /** Why the newest document was not taken, when it was not; the one before stays in force. */
  error: z.string().optional(),
});

export const DEATH_CAUSES = [
  'exit',
  'signal',
  'oom',
  'timeout',
  'boot',
  'boot-timeout',
  'unhealthy',
  'protocol',
] as const;
export const REPLACE_CAUSES = ['max-requests', 'max-memory', 'reload', 'resize', 'shutdown'] as const;

export const workerStatusSchema = z.object({
  kind: z.literal('WorkerStatus'),
  version: z.literal(1),
  name: z.string(),
  pid: z.int(),
  startedAt: z.number(),
  state: z.enum(['starting', 'running', 'draining']),
  config: appliedConfigSchema,
  /** Another text when state, configuration, processes wanted or ready, or the latest death that was a fault are others: see AdminSources.news. */
  news: z.string().max(64).optional(),
  processes: z.object({ desired: z.int(), ready: z.int(), busy: z.int(), starting: z.int(), draining: z.int() }),
  slots: z.object({
    /** Of ready processes: what can be served at a time. */
    total: z.int(),
    busy: z.int(),
    idle: z.int().optional(),
    /** Of processes that are starting. */
    booting: z.int().optional(),
  }),
  queue: z.object({ length: z.int(), max: z.int(), oldestMs: z.number() }),
  requests: z.object({
    total: z.int(),
    inFlight: z.int(),
    /** By first digit of the status: '1xx' … '5xx'. */
    byClass: z.record(z.string(), z.int()),
    /** By fault code: refused by guard or limit, queue full, timed out, died … */
    faults: z.record(z.string(), z.int()),
    /** Handed to a second process because the first died. */
    redispatched: z.int(),
  }),
  durations: z
    .object({
      /** From the last byte of the body until a slot was taken, or the wait was given up. */
      queue: durationCountsSchema,
      /** Holding a slot of an application process. */
      app: durationCountsSchema,
    })
    .optional(),
  bytes: bytesSchema.optional(),
  errors: recentErrorsSchema.optional(),
  list: z.array(
    z.object({
      /** Counts up; never used twice by one worker. */
      id: z.int(),
      /** Its place, from 1 to the number of processes; beyond, while the one that it replaces is not gone. A successor has it again. */
      place: z.int().optional(),
      pid: z.int(),
      state: z.enum(['starting', 'ready', 'draining']),
      startedAt: z.number(),
      served: z.int(),
      residentBytes: z.int().optional(),
      /** What it serves now. */
      requests: z.array(z.object({ method: z.string(), path: z.string(), ms: z.number() })),
    }),
  ),
  /** The latest first, 20 at most. */
  deaths: z.array(
    z.object({
      id: z.int(),
      pid: z.int(),
      at: z.number(),
      cause: z.enum([...DEATH_CAUSES, ...REPLACE_CAUSES]),
      exitCode: z.int().optional(),
      signal: z.string().optional(),
      /** One sentence for a person: what happened, and with which request. */
      message: z.string(),
      /** The application's own traceback, when it failed to start. */
      traceback: z.string().optional(),
    }),
  ),
});

export type WorkerStatus = z.output<typeof workerStatusSchema>;
export type DeathCause = WorkerStatus['deaths'][number]['cause'];
export type AppliedConfig = z.output<typeof appliedConfigSchema>;
