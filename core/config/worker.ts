// worker.json: everything the worker program is told that can change while it runs. Where it listens and where the
// application's files are is the place's business, not the application's: that comes on its command line.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { WebApp } from '../app/schema.ts';
import { parseDuration, parseQuantity } from '../quantity.ts';
import { tracingConfigSchema, tracingOf } from './tracing.ts';

const ms = z.int().min(1);

export const workerConfigSchema = z.strictObject({
  kind: z.literal('WorkerConfig'),
  version: z.literal(1),
  /** Name of the WebApp, for logs and metrics. */
  name: z.string().min(1).max(253),
  /** Changes with every change of this document; status documents say which one has been applied. */
  hash: z.string().min(1).max(64),
  app: z.string().min(1).max(256),
  runtime: z.enum(['wsgi', 'node']),
  /** Laid over the environment of the worker program. */
  env: z.record(z.string(), z.string()),
  /** 'auto' is resolved where the program runs, from the cpu limit it finds there. */
  processes: z.union([z.int().min(1).max(256), z.literal('auto')]),
  /** Slots of one process: how many requests it serves at a time. */
  threads: z.int().min(1).max(1024),
  preload: z.boolean(),
  timeouts: z.strictObject({
    /** One request in the application; then 504. */
    requestMs: ms,
    /** A process that was asked to leave, until it is killed. */
    gracefulMs: ms,
    /** A new process, until it is ready; then it is killed and counts as failed. */
    bootMs: ms,
  }),
  /** Absent: processes are not recycled by requests. */
  maxRequests: z.strictObject({ count: z.int().min(1), jitter: z.int().min(0) }).optional(),
  /** Resident bytes of one process; absent: not looked at. */
  maxMemoryBytes: z.int().min(1).optional(),
  queue: z.strictObject({ max: z.int().min(0), timeoutMs: ms }),
  health: z
    .strictObject({ path: z.string().startsWith('/'), intervalMs: ms, timeoutMs: ms, failures: z.int().min(1) })
    .optional(),
  limits: z.strictObject({
    bodyBytes: z.int().min(0),
    /** A request body up to this size is kept in memory, a larger one in a file. */
    bodyMemoryBytes: z.int().min(0),
    headBytes: z.int().min(1024),
    /** A response may run ahead of its client by so many bytes; then the application waits. */
    responseBufferBytes: z.int().min(1024),
    connections: z.int().min(1),
  }),
  /** Whether X-Forwarded-For and -Proto of the peer are believed: true behind our proxy, which alone writes them. */
  trustForwarded: z.boolean(),
  tracing: tracingConfigSchema.optional(),
});

export type WorkerConfig = z.output<typeof workerConfigSchema>;

const NODE_APP = /\.(js|mjs|cjs|ts|mts|cts)(:[^:/]*)?$/;

/** @returns how `app` is run when `runtime` is auto: a JavaScript or TypeScript file is Node's, anything else is Python's */
export function resolveRuntime(app: string, runtime: WebApp['spec']['runtime']): 'wsgi' | 'node' {
  if (runtime !== 'auto') return runtime;
  return NODE_APP.test(app) ? 'node' : 'wsgi';
}

/** What the place where a WebApp runs knows better than the resource. */
export interface WorkerPlace {
  /** Laid over the program's environment. On Kubernetes the pod has `spec.env` already. Default: the values of `spec.env`. */
  readonly env?: Readonly<Record<string, string>>;
  /** What `auto` is there. Default: the program finds out. */
  readonly autoProcesses?: number;
}

/** Pure: the worker's document for `webApp` at `place`. */
export function makeWorkerConfig(webApp: WebApp, place: WorkerPlace = {}): WorkerConfig {
  const { app, health, proxy, workers } = webApp.spec;
  const { env = valuesOf(webApp), autoProcesses = 'auto' } = place;
  const runtime = resolveRuntime(app, webApp.spec.runtime);
  const { maxRequests, maxMemory } = workers;
  return hashed({
    kind: 'WorkerConfig',
    version: 1,
    name: webApp.metadata.name,
    app,
    runtime,
    env,
    processes: workers.processes === 'auto' ? autoProcesses : workers.processes,
    threads: workers.threads ?? (runtime === 'node' ? 100 : 1),
    preload: workers.preload,
    timeouts: {
      requestMs: parseDuration(workers.timeout),
      gracefulMs: parseDuration(workers.gracefulTimeout),
      bootMs: 60_000,
    },
    ...(maxRequests && {
      maxRequests: { count: maxRequests.count, jitter: maxRequests.jitter ?? Math.floor(maxRequests.count / 10) },
    }),
    ...(maxMemory !== undefined && { maxMemoryBytes: parseQuantity(maxMemory) }),
    queue: { max: workers.queue.max, timeoutMs: parseDuration(workers.queue.timeout) },
    ...(health && {
      health: {
        path: health.path,
        intervalMs: parseDuration(health.interval),
        timeoutMs: parseDuration(health.timeout),
        failures: health.failures,
      },
    }),
    limits: {
      bodyBytes: parseQuantity(proxy.limits.body),
      bodyMemoryBytes: 256 * 1024,
      headBytes: 64 * 1024,
      responseBufferBytes: 1024 * 1024,
      connections: 10_000,
    },
    trustForwarded: true,
    ...tracingOf(webApp),
  });
}

/** What comes from Secrets, ConfigMaps and pods is to be had on Kubernetes only. */
function valuesOf({ spec: { env = [] } }: WebApp): Record<string, string> {
  return Object.fromEntries(
    env.filter(({ valueFrom }) => valueFrom === undefined).map(({ name, value = '' }) => [name, value]),
  );
}

/** @returns `document` with `hash` over all the rest of it. Key order is fixed by the makers, so equal means equal. */
export function hashed<T extends object>(document: T): T & { hash: string } {
  return { ...document, hash: createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 16) };
}
