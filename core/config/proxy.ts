// proxy.json: everything the proxy program is told that can change while it runs.
import { z } from 'zod';
import type { WebApp } from '../app/schema.ts';
import { parseDuration, parseQuantity } from '../quantity.ts';
import { tracingConfigSchema, tracingOf } from './tracing.ts';
import { hashed } from './worker.ts';

const ms = z.int().min(1);

/** `host:port`, `[ipv6]:port` or `unix:/path`. */
export const addressSchema = z
  .string()
  .regex(/^(unix:\/.{1,100}|\[[0-9a-fA-F:.]+\]:[0-9]{1,5}|[^\s:/[\]]+:[0-9]{1,5})$/);

export const proxyConfigSchema = z.strictObject({
  kind: z.literal('ProxyConfig'),
  version: z.literal(1),
  name: z.string().min(1).max(253),
  /** Changes with every change of this document. */
  hash: z.string().min(1).max(64),
  /** Where requests go: one group is chosen by weight, then an endpoint in it by load. */
  groups: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(63),
        weight: z.int().min(0).max(1_000_000),
        endpoints: z.array(z.strictObject({ address: addressSchema })).max(10_000),
        /** On Kubernetes instead of `endpoints` (which is empty then): the EndpointSlices of a Service, watched. */
        discover: z
          .strictObject({
            namespace: z.string().min(1).max(63),
            service: z.string().min(1).max(63),
            /** Name of the port in the slices. */
            port: z.string().min(1).max(63),
          })
          .optional(),
      }),
    )
    .min(1)
    .max(16),
  static: z
    .array(
      z.strictObject({
        /** Begins with `/`, without one at the end; `/` itself is the empty string. */
        path: z.string(),
        /** Absolute; a file is looked for in each in turn. The first is the current version, the others are earlier ones. */
        directories: z.array(z.string().startsWith('/')).min(1).max(8),
        maxAgeSeconds: z.int().min(0),
        immutable: z.boolean(),
      }),
    )
    .max(32),
  /** Present: every request but those for static files gets 503 with a maintenance page. */
  maintenance: z.strictObject({ retryAfterSeconds: z.int().min(1) }).optional(),
  limits: z.strictObject({
    bodyBytes: z.int().min(0),
    headBytes: z.int().min(1024),
    connections: z.int().min(1),
  }),
  timeouts: z.strictObject({
    requestHeadMs: ms,
    requestBodyMs: ms,
    idleMs: ms,
    sendMs: ms,
    connectMs: ms,
    responseMs: ms,
  }),
  tracing: tracingConfigSchema.optional(),
});

export type ProxyConfig = z.output<typeof proxyConfigSchema>;

/** What the place where a WebApp runs knows and the resource does not. */
export interface ProxyPlace {
  /** Addresses of the workers, or how they are found. */
  readonly upstream: readonly string[] | NonNullable<ProxyConfig['groups'][number]['discover']>;
  /** Absolute folders that `proxy.static[].from` is relative to: the current version's first, then earlier ones'. */
  readonly staticRoots: readonly string[];
}

/** A person who suspends an application seldom does so for seconds; browsers and monitors need not ask oftener. */
const MAINTENANCE_RETRY_AFTER_SECONDS = 60;

/** Added to what the worker may take, so that its own clear answer is the one the client sees. */
const RESPONSE_SLACK_MS = 5_000;

/** Pure: the proxy's document for `webApp` at `place`. */
export function makeProxyConfig(webApp: WebApp, place: ProxyPlace): ProxyConfig {
  const { proxy, workers } = webApp.spec;
  const { timeouts } = proxy;
  return hashed({
    kind: 'ProxyConfig',
    version: 1,
    name: webApp.metadata.name,
    groups: [{ name: 'current', weight: 100, ...upstreamOf(place) }],
    static: (proxy.static ?? []).map((folder) => ({
      path: folder.path.replace(/\/+$/, ''),
      directories: place.staticRoots.map((root) => `${root.replace(/\/+$/, '')}/${folder.from.replace(/\/+$/, '')}`),
      maxAgeSeconds: Math.floor(parseDuration(folder.maxAge) / 1000),
      immutable: folder.immutable,
    })),
    ...(webApp.spec.suspend && { maintenance: { retryAfterSeconds: MAINTENANCE_RETRY_AFTER_SECONDS } }),
    limits: { bodyBytes: parseQuantity(proxy.limits.body), headBytes: 32 * 1024, connections: 10_000 },
    timeouts: {
      requestHeadMs: parseDuration(timeouts.requestHead),
      requestBodyMs: parseDuration(timeouts.requestBody),
      idleMs: parseDuration(timeouts.idle),
      sendMs: parseDuration(timeouts.send),
      connectMs: parseDuration(timeouts.connect),
      responseMs: timeouts.response
        ? parseDuration(timeouts.response)
        : parseDuration(workers.timeout) + parseDuration(workers.queue.timeout) + RESPONSE_SLACK_MS,
    },
    ...tracingOf(webApp),
  });
}

function upstreamOf({ upstream }: ProxyPlace): Pick<ProxyConfig['groups'][number], 'endpoints' | 'discover'> {
  if ('service' in upstream) return { endpoints: [], discover: upstream };
  return { endpoints: upstream.map((address) => ({ address })) };
}
