// What the proxy tells of itself at GET /status on its admin port. The only source for all that shows its state.
import { z } from 'zod';
import { bytesSchema, durationCountsSchema, recentErrorsSchema } from './traffic.ts';
import { appliedConfigSchema } from './worker.ts';

export const proxyStatusSchema = z.object({
  kind: z.literal('ProxyStatus'),
  version: z.literal(1),
  name: z.string(),
  pid: z.int(),
  startedAt: z.number(),
  state: z.enum(['starting', 'running', 'draining']),
  config: appliedConfigSchema,
  connections: z.object({ open: z.int(), max: z.int(), upgraded: z.int() }),
  requests: z.object({
    total: z.int(),
    inFlight: z.int(),
    byClass: z.record(z.string(), z.int()),
    faults: z.record(z.string(), z.int()),
    /** Sent a second time because the first connection turned out dead. */
    retried: z.int(),
    /** Answered from a static folder. */
    static: z.int(),
  }),
  /** Requests that wait in the proxy because no worker can take them now. */
  queue: z.object({ length: z.int(), max: z.int(), oldestMs: z.number() }).optional(),
  durations: z
    .object({
      /** From the arrival of a head until the answer was handed over in full. */
      request: durationCountsSchema,
      /** Waiting in the proxy; 0 for requests that did not. */
      queue: durationCountsSchema,
      /** From sending a request to a worker until the head of its answer. */
      upstream: durationCountsSchema,
    })
    .optional(),
  bytes: bytesSchema.optional(),
  errors: recentErrorsSchema.optional(),
  groups: z.array(
    z.object({
      name: z.string(),
      weight: z.int(),
      /** Present: the endpoints are found, by the EndpointSlices of this Service. */
      discovery: z
        .object({
          namespace: z.string(),
          service: z.string(),
          port: z.string(),
          /** The API server has answered once: what is here is what it said last. */
          synced: z.boolean(),
          /** Why it has not been heard of for some time; the endpoints are the last known. */
          stale: z.string().optional(),
        })
        .optional(),
      endpoints: z.array(
        z.object({
          address: z.string(),
          /** failing: its last connections failed, it is chosen only when no other is there. draining: removed, finishing. */
          state: z.enum(['ready', 'failing', 'draining']),
          outstanding: z.int(),
          idle: z.int(),
          failures: z.int(),
        }),
      ),
    }),
  ),
});

export type ProxyStatus = z.output<typeof proxyStatusSchema>;
