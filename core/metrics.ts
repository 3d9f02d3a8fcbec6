// Every metric of our own, by program: its name, kind, labels and meaning. The programs register what is here and nothing else, docs/metrics.md is made of it, dashboards and
// alerts may name nothing that is not here. Labels are bounded: each names its values, or what bounds them. No label ever holds what a client sent.

export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Name → its values, or what bounds them. */
  readonly labels?: Readonly<Record<string, string>>;
}

type Metrics = Readonly<Record<string, Metric>>;

/** On all metrics of proxy and worker; Prometheus adds namespace and pod. */
export const COMMON_LABEL = 'webapp';

/** Methods that are counted by name (RFC 9110 §9, RFC 5789); all others are `other`. */
export const COUNTED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const METHOD = `${COUNTED_METHODS.join(', ')}, other`;
const CLASS = '1xx to 5xx; gone: the client left before an answer';
const CODE = 'the codes of core/errors.ts';

/** In both programs, behind their prefix: `webapp_proxy_`, `webapp_worker_`. */
const DOOR = {
  requests_total: { type: 'counter', help: 'Requests that ended.', labels: { method: METHOD, class: CLASS } },
  faults_total: {
    type: 'counter',
    help: 'Requests that were refused, hit a limit or could not be completed.',
    labels: { code: CODE },
  },
  requests_in_flight: { type: 'gauge', help: 'Requests that have come and are not answered in full.' },
  queue_seconds: {
    type: 'histogram',
    help: 'How long requests waited here for whoever serves them; 0 for those that did not wait.',
  },
  queue_length: { type: 'gauge', help: 'Requests that wait now.' },
  queue_max: { type: 'gauge', help: 'Requests that may wait at a time.' },
  received_bytes_total: { type: 'counter', help: 'Bytes of request bodies.' },
  sent_bytes_total: { type: 'counter', help: 'Bytes of response bodies.' },
  connections: { type: 'gauge', help: 'Client connections that are open.' },
  connections_max: { type: 'gauge', help: 'Client connections that are let in at a time.' },
  // Not connections_total: OpenMetrics takes `_total` off, and that name is the gauge's.
  connections_accepted_total: { type: 'counter', help: 'Client connections that were let in.' },
  headers_dropped_total: { type: 'counter', help: 'Request header fields dropped: their name holds "_".' },
  spans_total: {
    type: 'counter',
    help: 'Spans of traces by what became of them: taken by the collector, or given up because it did not take them in time.',
    labels: { outcome: 'sent, dropped' },
  },
  config_applied_timestamp_seconds: {
    type: 'gauge',
    help: 'When the configuration in force was applied, in seconds since the epoch.',
  },
  config_refused: { type: 'gauge', help: '1: the newest configuration was refused and the one before stays in force.' },
} as const satisfies Metrics;

const PROXY_ONLY = {
  request_seconds: {
    type: 'histogram',
    help: 'From the arrival of a request head until its response was handed over in full.',
  },
  upstream_seconds: { type: 'histogram', help: 'From sending a request to a worker until the head of its response.' },
  upstream_attempts_total: {
    type: 'counter',
    help: 'Requests sent to workers, by how they ended.',
    labels: { outcome: 'how proxy/upstream ends an attempt' },
  },
  retried_total: {
    type: 'counter',
    help: 'Requests sent again without the client noticing: their kept connection was dead, or a new one died at once.',
    labels: { connection: 'reused, fresh' },
  },
  static_total: { type: 'counter', help: 'Requests answered from a static folder.' },
  endpoints: {
    type: 'gauge',
    help: 'Workers known, by group and state.',
    labels: { group: 'the groups of proxy.json', state: 'ready, failing, draining' },
  },
  discovery_in_step: {
    type: 'gauge',
    help: '1: the endpoints of a group are as the API server says. 0: it has not answered yet, or is away for long.',
    labels: { group: 'the groups of proxy.json' },
  },
  upgraded_connections: {
    type: 'gauge',
    help: 'Client connections that left HTTP for WebSocket; they are among the open ones.',
  },
  access_log_dropped_total: {
    type: 'counter',
    help: 'Lines of the access log that were given up, because its sink was too slow or failed.',
  },
} as const satisfies Metrics;

const WORKER_ONLY = {
  app_seconds: { type: 'histogram', help: 'How long requests held a slot of an application process.' },
  processes: {
    type: 'gauge',
    help: 'Application processes by state; desired is how many there shall be.',
    labels: { state: 'desired, ready, busy, starting, draining' },
  },
  process_ends_total: {
    type: 'counter',
    help: 'Application processes that ended, by cause.',
    labels: { cause: 'DEATH_CAUSES and REPLACE_CAUSES of core/status/worker.ts' },
  },
  slots: {
    type: 'gauge',
    help: 'Requests that the application processes can serve at a time: busy and idle of those that are ready, booting of those that start.',
    labels: { state: 'busy, idle, booting' },
  },
  process_resident_bytes: {
    type: 'gauge',
    help: 'Resident memory of the application process in each place.',
    labels: { place: '1 to the number of processes' },
  },
  redispatched_total: { type: 'counter', help: 'Requests handed to another process because theirs died.' },
} as const satisfies Metrics;

/** WebApps of which the operator tells by name, 11 series or more of each: a scrape of them all takes half a second and 6 MB. */
export const MAX_TOLD_WEBAPPS = 5_000;

const WEBAPP = { namespace: 'of the WebApp', webapp: 'its name' };

/** What the operator tells of each WebApp: only the one that leads, so that sums over its pods are right. What it tells of itself has the names of controller-runtime and client-go (docs/metrics.md). */
const OPERATOR_ONLY = {
  condition: {
    type: 'gauge',
    help: '1 for the present status and reason of each condition of a WebApp.',
    labels: {
      ...WEBAPP,
      type: 'CONDITION_TYPES',
      status: 'True, False, Unknown',
      reason: 'REASONS of core/app/conditions.ts',
    },
  },
  problems: {
    type: 'gauge',
    help: 'What is wrong with a WebApp, counted by type: the problems of its status.',
    labels: { ...WEBAPP, type: 'reasons of the condition Degraded' },
  },
  pods: {
    type: 'gauge',
    help: 'Pods of a WebApp.',
    labels: { ...WEBAPP, component: 'worker, proxy', state: 'desired, ready' },
  },
  processes: {
    type: 'gauge',
    help: 'Application processes of a WebApp, as its workers tell.',
    labels: { ...WEBAPP, state: 'desired, ready' },
  },
  certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the certificate of a WebApp expires, in seconds since the epoch.',
    labels: { ...WEBAPP, secret: 'the Secret of spec.proxy.tls' },
  },
  webapps: { type: 'gauge', help: 'WebApps there are, by state.', labels: { state: 'status.state' } },
  webapps_untold: {
    type: 'gauge',
    help: `WebApps that are not told of by name, because there are more than ${MAX_TOLD_WEBAPPS}.`,
  },
  api_writes_total: {
    type: 'counter',
    help: 'Writes that the API server carried out, by kind of object and verb. Stands still when nothing changes.',
    labels: { kind: 'kinds of children, WebApp, Pod, Event', verb: 'create, apply, apply_status, patch, delete' },
  },
} as const satisfies Metrics;

export const PROXY_METRICS = prefixed('webapp_proxy_', { ...DOOR, ...PROXY_ONLY });
export const WORKER_METRICS = prefixed('webapp_worker_', { ...DOOR, ...WORKER_ONLY });
export const OPERATOR_METRICS = prefixed('webapp_operator_', OPERATOR_ONLY);

function prefixed<P extends string, T extends Metrics>(
  prefix: P,
  metrics: T,
): Readonly<Record<`${P}${Extract<keyof T, string>}`, Metric>> {
  const entries = Object.entries(metrics).map(([name, metric]) => [`${prefix}${name}`, metric] as const);
  return Object.fromEntries(entries) as Record<`${P}${Extract<keyof T, string>}`, Metric>;
}
