// Prometheus' view of the proxy: numbers that others keep, read when they are asked for. How requests were answered, and
// how long they took, is registered in accounts.ts.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ProxyStatus } from '../core/status/proxy.ts';
import type { UpstreamCounters } from './upstream/client.ts';

export interface MetricSources {
  status(): ProxyStatus;
  upstreams(): UpstreamCounters;
  /** Lines given up, since the start. */
  accessLogDropped(): number;
}

/** Registers all metrics of the proxy at `registry`. */
export function registerMetrics(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  registerRequests(registers, sources);
  registerUpstreams(registers, sources);
  registerDiscovery(registers, sources);
  registerConnections(registers, sources);
  new Counter({
    name: 'webapp_proxy_access_log_dropped_total',
    help: 'Lines of the access log that were given up, because its sink was too slow or failed.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.accessLogDropped());
    },
  });
}

function registerRequests(registers: Registry[], { status, upstreams }: MetricSources): void {
  new Counter({
    name: 'webapp_proxy_retried_total',
    help: 'Requests sent again without the client noticing: their kept connection was dead, or a new one died at once.',
    labelNames: ['connection'],
    registers,
    collect() {
      this.reset();
      for (const [connection, count] of Object.entries(upstreams().retried)) this.inc({ connection }, count);
    },
  });
  new Counter({
    name: 'webapp_proxy_static_total',
    help: 'Requests answered from a static folder.',
    registers,
    collect() {
      this.reset();
      this.inc(status().requests.static);
    },
  });
}

function registerUpstreams(registers: Registry[], { status, upstreams }: MetricSources): void {
  new Counter({
    name: 'webapp_proxy_upstream_attempts_total',
    help: 'Requests sent to workers, by how they ended.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(upstreams().attempts)) this.inc({ outcome }, count);
    },
  });
  new Gauge({
    name: 'webapp_proxy_requests_held',
    help: 'Requests that wait for a worker to be there.',
    registers,
    collect() {
      this.set(upstreams().held.now);
    },
  });
  new Gauge({
    name: 'webapp_proxy_endpoints',
    help: 'Workers known, by group and state.',
    labelNames: ['group', 'state'],
    registers,
    collect() {
      this.reset();
      for (const group of status().groups) {
        for (const state of ['ready', 'failing', 'draining'] as const) {
          const count = group.endpoints.filter((endpoint) => endpoint.state === state).length;
          this.set({ group: group.name, state }, count);
        }
      }
    },
  });
}

/** Of the groups whose endpoints are found. */
function registerDiscovery(registers: Registry[], { status }: MetricSources): void {
  new Gauge({
    name: 'webapp_proxy_discovery_in_step',
    help: 'Whether the endpoints of a group are as the API server says: 0 before its first answer, and when it is away for long.',
    labelNames: ['group'],
    registers,
    collect() {
      this.reset();
      for (const { name, discovery } of status().groups) {
        if (discovery !== undefined) this.set({ group: name }, discovery.synced && !discovery.stale ? 1 : 0);
      }
    },
  });
}

function registerConnections(registers: Registry[], { status }: MetricSources): void {
  new Gauge({
    name: 'webapp_proxy_upgraded_connections',
    help: 'Client connections that left HTTP for WebSocket; they are among the open ones.',
    registers,
    collect() {
      this.set(status().connections.upgraded);
    },
  });
  new Gauge({
    name: 'webapp_proxy_connections_max',
    help: 'Client connections that are let in at a time.',
    registers,
    collect() {
      this.set(status().connections.max);
    },
  });
}
