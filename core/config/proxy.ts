// proxy.json: everything the proxy program is told that can change while it runs.
import { z } from 'zod';
import type { WebApp } from '../app/schema.ts';
import { parseDuration, parseQuantity } from '../quantity.ts';
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
      }),
    )
    .min(1)
    .max(16),
  static: z
    .array(
      z.strictObject({
        /** Begins with `/`, without one at the end; `/` itself is the empty string. */
        path: z.string(),
        /** Absolute. */
        directory: z.string().startsWith('/'),
        maxAgeSeconds: z.int().min(0),
        immutable: z.boolean(),
      }),
    )
    .max(32),
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
});

export type ProxyConfig = z.output<typeof proxyConfigSchema>;

/** What the place where a WebApp runs knows and the resource does not. */
export interface ProxyPlace {
  /** Addresses of the workers. */
  readonly endpoints: readonly string[];
  /** Absolute folder that `proxy.static[].from` is relative to. */
  readonly staticRoot: string;
}

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
    groups: [{ name: 'current', weight: 100, endpoints: place.endpoints.map((address) => ({ address })) }],
    static: (proxy.static ?? []).map((folder) => ({
      path: folder.path.replace(/\/+$/, ''),
      directory: `${place.staticRoot.replace(/\/+$/, '')}/${folder.from.replace(/\/+$/, '')}`,
      maxAgeSeconds: Math.floor(parseDuration(folder.maxAge) / 1000),
      immutable: folder.immutable,
    })),
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
  });
}
