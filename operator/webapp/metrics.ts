// What the operator tells Prometheus of WebApps: read from the caches when it is asked. Only the one that leads tells, so that sums over all
// replicas are right; the series of one that led end with its next scrape.
import type { Registry } from 'prom-client';
import { CONDITION_TYPES, REASONS } from '../../core/app/conditions.ts';
import type { Log } from '../../core/log.ts';
import { MAX_TOLD_WEBAPPS, OPERATOR_METRICS } from '../../core/metrics.ts';
import type { WebAppStatus } from '../../core/status/webapp.ts';
import { oncePerTurn, type Reading, registerMetrics } from '../../http/metrics.ts';
import type { KubeObject } from '../../kube/object.ts';

export interface Certificate {
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface WebAppMetricsOptions {
  /** All there are, in an order that stays. */
  readonly webApps: () => Iterable<KubeObject>;
  /** undefined: it has none, or none that can be read. */
  readonly certificateOf: (webApp: KubeObject) => Certificate | undefined;
  readonly isLeading: () => boolean;
  readonly log: Log;
  /** Told of by name. Default MAX_TOLD_WEBAPPS. */
  readonly most?: number;
}

/** The client counts them, beside what it does. */
const { webapp_operator_api_writes_total: _, ...TABLE } = OPERATOR_METRICS;

/** Readings by the names of the table. */
interface Told {
  readonly condition: Reading[];
  readonly problems: Reading[];
  readonly pods: Reading[];
  readonly processes: Reading[];
  readonly certificate: Reading[];
  /** By state. */
  readonly states: Map<string, number>;
  untold: number;
}

export function registerWebAppMetrics(registry: Registry, options: WebAppMetricsOptions): void {
  const { isLeading, log, most = MAX_TOLD_WEBAPPS } = options;
  let wasTooMany = false;
  const read = oncePerTurn(() => {
    const told = isLeading() ? tellAll(options, most) : nothing();
    const tooMany = told.untold > 0;
    if (tooMany && !wasTooMany) log.warn('not all WebApps are in the metrics', { most, untold: told.untold });
    wasTooMany = tooMany;
    return told;
  });
  registerMetrics(registry, 'webapp_operator_', TABLE, {
    condition: () => read().condition,
    problems: () => read().problems,
    pods: () => read().pods,
    processes: () => read().processes,
    certificate_expiry_timestamp_seconds: () => read().certificate,
    webapps: () => [...read().states].map(([state, value]) => ({ labels: { state }, value })),
    webapps_untold: () => read().untold,
  });
}

function nothing(): Told {
  return { condition: [], problems: [], pods: [], processes: [], certificate: [], states: new Map(), untold: 0 };
}

function tellAll({ webApps, certificateOf }: WebAppMetricsOptions, most: number): Told {
  const told = nothing();
  let count = 0;
  for (const webApp of webApps()) {
    const status = (webApp['status'] ?? {}) as WebAppStatus;
    const state = knownState(status.state);
    told.states.set(state, (told.states.get(state) ?? 0) + 1);
    if (++count <= most) tellOne(told, webApp, status, certificateOf(webApp));
  }
  told.untold = Math.max(0, count - most);
  return told;
}

function tellOne(
  told: Told,
  { metadata }: KubeObject,
  status: WebAppStatus,
  certificate: Certificate | undefined,
): void {
  const own = { namespace: metadata.namespace ?? '', webapp: metadata.name };
  const { conditions = [], problems = [], pods, proxies, workers } = status;
  for (const { type, status: is, reason } of conditions)
    if (isKnown(type, reason)) told.condition.push({ labels: { ...own, type, status: is, reason }, value: 1 });
  for (const [type, ones] of Map.groupBy(problems, (problem) => problem.type))
    if (isKnown('Degraded', type)) told.problems.push({ labels: { ...own, type }, value: ones.length });
  told.pods.push(...desiredAndReady({ ...own, component: 'worker' }, pods));
  told.pods.push(...desiredAndReady({ ...own, component: 'proxy' }, proxies));
  told.processes.push(...desiredAndReady(own, workers));
  if (certificate !== undefined)
    told.certificate.push({ labels: { ...own, secret: certificate.secret }, value: certificate.expiresAt / 1_000 });
}

function desiredAndReady(
  labels: Reading['labels'],
  counts: { readonly desired: number; readonly ready: number } | undefined,
): Reading[] {
  if (counts === undefined) return [];
  return [
    { labels: { ...labels, state: 'desired' }, value: counts.desired },
    { labels: { ...labels, state: 'ready' }, value: counts.ready },
  ];
}

const KNOWN: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  CONDITION_TYPES.map((type) => [type, new Set(Object.keys(REASONS[type]))]),
);
const STATES = new Set([...KNOWN.values()].flatMap((reasons) => [...reasons]));

/** A status that another operator, or a person, wrote makes no labels. */
function isKnown(type: string, reason: string): boolean {
  return KNOWN.get(type)?.has(reason) ?? false;
}

function knownState(state: string | undefined): string {
  return state !== undefined && STATES.has(state) ? state : 'Unknown';
}
