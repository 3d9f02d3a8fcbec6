// Prometheus' view of the proxy: numbers that others keep, read when they are asked for.
import type { Registry } from 'prom-client';
import { PROXY_METRICS } from '../core/metrics.ts';
import type { ProxyStatus } from '../core/status/proxy.ts';
import { type DoorFacts, doorSources } from '../http/door-metrics.ts';
import { oncePerTurn, type Reading, registerMetrics } from '../http/metrics.ts';
import type { Accounts } from './accounts.ts';
import type { UpstreamCounters } from './upstream/client.ts';

export interface MetricSources {
  readonly status: () => ProxyStatus;
  readonly upstreams: () => UpstreamCounters;
  readonly accounts: Accounts;
  readonly door: DoorFacts['door'];
  readonly spans: DoorFacts['spans'];
  /** Lines given up, since the start. */
  readonly accessLogDropped: () => number;
}

/** Registers all metrics of the proxy at `registry`. */
export function registerProxyMetrics(registry: Registry, sources: MetricSources): void {
  const { accounts, door, spans, upstreams } = sources;
  const status = oncePerTurn(sources.status);
  const queue = (): ProxyQueue => status().queue ?? { length: 0, max: 0 };
  const config = (): ProxyStatus['config'] => status().config;
  registerMetrics(registry, 'webapp_proxy_', PROXY_METRICS, {
    ...doorSources({ answers: accounts.answers, queueTime: accounts.queueTime, queue, door, config, spans }),
    request_seconds: accounts.requestTime,
    upstream_seconds: accounts.upstreamTime,
    upstream_attempts_total: () => byLabel('outcome', upstreams().attempts),
    retried_total: () => byLabel('connection', upstreams().retried),
    static_total: () => accounts.static,
    endpoints: () => status().groups.flatMap(endpointReadings),
    discovery_in_step: () => status().groups.flatMap(discoveryReadings),
    upgraded_connections: () => status().connections.upgraded,
    access_log_dropped_total: sources.accessLogDropped,
  });
}

type ProxyQueue = Pick<NonNullable<ProxyStatus['queue']>, 'length' | 'max'>;
type Group = ProxyStatus['groups'][number];

function byLabel(label: string, counts: Readonly<Record<string, number>>): Reading[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function endpointReadings({ name, endpoints }: Group): Reading[] {
  return (['ready', 'failing', 'draining'] as const).map((state) => ({
    labels: { group: name, state },
    value: endpoints.filter((endpoint) => endpoint.state === state).length,
  }));
}

/** Of groups whose endpoints are found. */
function discoveryReadings({ name, discovery }: Group): Reading[] {
  if (discovery === undefined) return [];
  return [{ labels: { group: name }, value: discovery.synced && !discovery.stale ? 1 : 0 }];
}
