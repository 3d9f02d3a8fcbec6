// One WebApp: whether its users are well served, where the time goes, what its processes do.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { DEATH_CAUSES } from '../../core/status/worker.ts';
import {
  failureRatio,
  LIMIT_CODES,
  latency,
  longestQueueTime,
  meanElsewhere,
  meanOf,
  quantileOf,
  queueTime,
  requests,
  saturation,
  toldByOperator,
} from '../measures.ts';
import {
  aggregate,
  combine,
  gauge,
  increase,
  type Matchers,
  type MetricName,
  max,
  NOW,
  number,
  type Promql,
  rate,
  sum,
} from '../promql.ts';
import { makeBoard, type Note, type Row } from './board.ts';
import { plot, type Series, stat, worseFrom } from './panels.ts';
import { CHOSEN, namespaceVariable, RATE_WINDOW, webappVariable } from './variables.ts';

export const WEBAPP_BOARD_UID = 'webapp-operator-webapp';

const { where } = CHOSEN;
const QUANTILES = [
  [0.5, 'p50'],
  [0.9, 'p90'],
  [0.99, 'p99'],
  [0.999, 'p99.9'],
] as const;

export function makeWebAppBoard(): Dashboard {
  return makeBoard({
    uid: WEBAPP_BOARD_UID,
    title: 'WebApp',
    description: 'Whether the users of a WebApp are well served, where the time goes, and what its processes do.',
    variables: [namespaceVariable(), webappVariable()],
    notes: [rollouts(), configurations()],
    rows: [atAGlance(), traffic(), time(), processes(), limits(), around()],
  });
}

function atAGlance(): Row {
  return {
    title: 'Are users well served?',
    panels: [
      stat({
        title: 'Requests',
        description: 'A second, as they come to the proxy.',
        unit: 'reqps',
        columns: 4,
        series: [one(requests(CHOSEN))],
        steps: [{ color: 'blue' }],
      }),
      stat({
        title: 'Failed',
        description: 'Share of the requests that were answered with 5xx, save the maintenance page.',
        unit: 'percentunit',
        columns: 4,
        series: [one(failureRatio(CHOSEN))],
        steps: worseFrom(0.001, 0.01),
        nothing: 'no requests',
      }),
      stat({
        title: 'Slowest in 100',
        description: 'One request in 100 takes longer, from its arrival until its answer was handed over in full.',
        unit: 's',
        columns: 4,
        series: [one(latency(CHOSEN, 0.99))],
        steps: worseFrom(1, 5),
        nothing: 'no requests',
      }),
      stat({
        title: 'Waiting',
        description: 'One request in 20 waits longer for a free process.',
        unit: 's',
        columns: 4,
        series: [one(longestQueueTime(CHOSEN, 0.95))],
        steps: worseFrom(0.1, 0.5),
        nothing: 'no requests',
      }),
      stat({
        title: 'In use',
        description: 'Share of what the processes can serve at a time that is being served. Near 100 %, requests wait.',
        unit: 'percentunit',
        columns: 4,
        series: [one(saturation(CHOSEN))],
        steps: worseFrom(0.7, 0.9),
      }),
      stat({
        title: 'Processes ready',
        description: 'Application processes that take requests.',
        unit: 'short',
        columns: 4,
        series: [one(gaugeSum('webapp_worker_processes', { state: 'ready' }))],
        steps: [{ color: 'red' }, { from: 1, color: 'green' }],
      }),
    ],
  };
}

function traffic(): Row {
  return {
    title: 'Traffic',
    panels: [
      plot({
        title: 'Requests by class of status',
        description: '5xx are failures; `gone`: the client left before it had an answer.',
        unit: 'reqps',
        columns: 8,
        stacked: true,
        series: [{ expr: requests(CHOSEN, 'class'), legend: '{{class}}' }],
      }),
      plot({
        title: 'Requests by method',
        description: 'As they come to the proxy.',
        unit: 'reqps',
        columns: 8,
        stacked: true,
        series: [{ expr: combine(requests(CHOSEN, 'method'), '>', number(0)), legend: '{{method}}' }],
      }),
      plot({
        title: 'Errors by code',
        description:
          'What proxy and worker answered in place of the application, and why: core/errors.ts has the codes.',
        unit: 'reqps',
        columns: 8,
        nothing: 'none',
        series: bothPrograms((program) => positive(rated(`webapp_${program}_faults_total`, ['code'])), '{{code}}'),
      }),
      plot({
        title: 'Latency',
        description: 'From the arrival of a request until its answer was handed over in full.',
        unit: 's',
        columns: 8,
        series: QUANTILES.map(([q, legend]) => ({ expr: latency(CHOSEN, q), legend })),
      }),
      plot({
        title: 'Until a worker answers',
        description: 'From sending a request to a worker until the head of its answer.',
        unit: 's',
        columns: 8,
        series: QUANTILES.map(([q, legend]) => ({
          expr: quantileOf(CHOSEN, 'webapp_proxy_upstream_seconds', q),
          legend,
        })),
      }),
      plot({
        title: 'Bytes of bodies',
        description: 'Received from clients and sent to them.',
        unit: 'Bps',
        columns: 8,
        series: [
          { expr: rated('webapp_proxy_received_bytes_total'), legend: 'received' },
          { expr: rated('webapp_proxy_sent_bytes_total'), legend: 'sent' },
        ],
      }),
    ],
  };
}

function time(): Row {
  return {
    title: 'Where the time goes',
    panels: [
      plot({
        title: 'An average request',
        description:
          'Waiting in the proxy, waiting in the worker, in the application, and the rest: reading, sending, the network.',
        unit: 's',
        columns: 8,
        stacked: true,
        series: [
          { expr: meanOf(CHOSEN, 'webapp_proxy_queue_seconds'), legend: 'waiting in the proxy' },
          { expr: meanOf(CHOSEN, 'webapp_worker_queue_seconds'), legend: 'waiting in the worker' },
          { expr: meanOf(CHOSEN, 'webapp_worker_app_seconds'), legend: 'in the application' },
          { expr: meanElsewhere(CHOSEN), legend: 'the rest' },
        ],
      }),
      plot({
        title: 'Waiting for a free process',
        description: 'How long requests wait, in the proxy and in the worker.',
        unit: 's',
        columns: 8,
        series: [0.5, 0.95, 0.99].flatMap((q) =>
          bothPrograms((program) => queueTime(CHOSEN, program, q), `p${q * 100}`),
        ),
      }),
      plot({
        title: 'Requests that wait',
        description: 'Now, in the proxy and in the worker. At the limit further ones are refused.',
        unit: 'short',
        columns: 8,
        series: [
          ...bothPrograms((program) => gaugeSum(`webapp_${program}_queue_length`), 'waiting'),
          ...bothPrograms((program) => gaugeSum(`webapp_${program}_requests_in_flight`), 'in flight'),
        ],
      }),
    ],
  };
}

function processes(): Row {
  return {
    title: 'Processes',
    panels: [
      plot({
        title: 'Busy, idle, starting',
        description: 'Requests that the processes can serve at a time, by what they do.',
        unit: 'short',
        columns: 12,
        stacked: true,
        series: [{ expr: gaugeSum('webapp_worker_slots', {}, ['state']), legend: '{{state}}' }],
      }),
      plot({
        title: 'Processes by state',
        description: 'desired is how many there shall be.',
        unit: 'short',
        columns: 12,
        series: [{ expr: gaugeSum('webapp_worker_processes', {}, ['state']), legend: '{{state}}' }],
      }),
      plot({
        title: 'Processes that died, by cause',
        description: 'In the window. `webapp status` says of each what happened, with which request.',
        unit: 'short',
        columns: 8,
        nothing: 'none',
        series: [{ expr: positive(ends({ cause: DEATH_CAUSES })), legend: '{{cause}}' }],
      }),
      plot({
        title: 'Processes that ended, by cause',
        description: 'Replaced on purpose: max-requests, max-memory, reload, resize, shutdown; and those that died.',
        unit: 'short',
        columns: 8,
        nothing: 'none',
        series: [{ expr: positive(ends({})), legend: '{{cause}}' }],
      }),
      plot({
        title: 'Memory by place',
        description:
          'Resident memory of the process in each place. A saw is a leak that maxMemory or maxRequests holds.',
        unit: 'bytes',
        columns: 8,
        series: [{ expr: gauge('webapp_worker_process_resident_bytes', where), legend: '{{pod}} place {{place}}' }],
      }),
    ],
  };
}

function limits(): Row {
  return {
    title: 'Retries and limits',
    panels: [
      plot({
        title: 'Tried again',
        description: 'Without the client noticing: over another connection, or by another process.',
        unit: 'reqps',
        columns: 8,
        series: [
          { expr: rated('webapp_proxy_retried_total', ['connection']), legend: 'another connection ({{connection}})' },
          { expr: rated('webapp_worker_redispatched_total'), legend: 'another process' },
        ],
      }),
      plot({
        title: 'Limits hit',
        description: 'Requests that were refused or ended because a limit was hit, by code.',
        unit: 'reqps',
        columns: 8,
        nothing: 'none',
        series: bothPrograms(
          (program) => positive(rated(`webapp_${program}_faults_total`, ['code'], { code: LIMIT_CODES })),
          '{{code}}',
        ),
      }),
      plot({
        title: 'How full',
        description: 'Connections and queues, as a share of what is let in. At 100 % clients are turned away.',
        unit: 'percentunit',
        columns: 8,
        series: [
          ...bothPrograms((program) => fullest(program, 'connections'), 'connections'),
          ...bothPrograms((program) => fullest(program, 'queue_length'), 'queue'),
        ],
      }),
    ],
  };
}

function around(): Row {
  return {
    title: 'Endpoints, configuration, rollouts',
    panels: [
      plot({
        title: 'Workers that the proxies know',
        description: 'failing: its last connections failed, it is chosen only when no other is there.',
        unit: 'short',
        columns: 6,
        series: [{ expr: gaugeSum('webapp_proxy_endpoints', {}, ['pod', 'state']), legend: '{{pod}} {{state}}' }],
      }),
      plot({
        title: 'Requests to workers, by outcome',
        description: 'What the proxies sent to workers, by how it ended.',
        unit: 'reqps',
        columns: 6,
        series: [{ expr: rated('webapp_proxy_upstream_attempts_total', ['outcome']), legend: '{{outcome}}' }],
      }),
      plot({
        title: 'Age of the configuration in force',
        description: 'Since it was applied. After a change all pods fall to 0; one that does not has not taken it.',
        unit: 's',
        columns: 6,
        series: bothPrograms(
          (program) => combine(NOW, '-', gauge(`webapp_${program}_config_applied_timestamp_seconds`, where)),
          '{{pod}}',
        ),
      }),
      plot({
        title: 'Pods and processes',
        description: 'As the operator tells; nothing on a laptop.',
        unit: 'short',
        columns: 6,
        nothing: 'no operator',
        series: [
          {
            expr: toldByOperator('webapp_operator_pods', { where, by: ['component', 'state'] }),
            legend: '{{component}} pods {{state}}',
          },
          {
            expr: toldByOperator('webapp_operator_processes', { where, by: ['state'] }),
            legend: 'processes {{state}}',
          },
        ],
      }),
      plot({
        title: 'Open connections',
        description: 'Of clients, and those among them that left HTTP for WebSocket.',
        unit: 'short',
        columns: 6,
        series: [
          { expr: gaugeSum('webapp_proxy_connections'), legend: 'open' },
          { expr: gaugeSum('webapp_proxy_upgraded_connections'), legend: 'WebSocket' },
        ],
      }),
      plot({
        title: 'Static files',
        description: 'Requests that the proxies answered from a static folder, without a worker.',
        unit: 'reqps',
        columns: 6,
        series: [{ expr: rated('webapp_proxy_static_total'), legend: 'static files' }],
      }),
      plot({
        title: 'Given up',
        description:
          'Lines of the access log whose sink was too slow, and request header fields with "_" in their name.',
        unit: 'ops',
        columns: 6,
        series: [
          { expr: rated('webapp_proxy_access_log_dropped_total'), legend: 'lines of the access log' },
          ...bothPrograms((program) => rated(`webapp_${program}_headers_dropped_total`), 'header fields'),
        ],
      }),
      plot({
        title: 'Proxies that know their workers',
        description: 'Share of the proxies whose list of workers is as the API server says. Nothing on a laptop.',
        unit: 'percentunit',
        columns: 6,
        max: 1,
        nothing: 'no discovery',
        series: [
          { expr: aggregate('avg', ['group'], gauge('webapp_proxy_discovery_in_step', where)), legend: '{{group}}' },
        ],
      }),
    ],
  };
}

/** While there is one: Prometheus has no events. */
function rollouts(): Note {
  const reasons = ['Migrating', 'PreparingProxy', 'RollingOut'];
  const told = { ...where, type: 'Progressing', status: 'True', reason: reasons };
  return {
    name: 'Rollouts',
    color: 'blue',
    title: '{{webapp}}: {{reason}}',
    expr: is1(toldByOperator('webapp_operator_condition', { where: told, by: ['namespace', 'webapp', 'reason'] })),
  };
}

/** Half a minute long each. */
function configurations(): Note {
  const age = combine(
    NOW,
    '-',
    max(['namespace', 'webapp'], gauge('webapp_worker_config_applied_timestamp_seconds', where)),
  );
  return {
    name: 'Configurations',
    color: 'purple',
    title: '{{webapp}}: a new configuration',
    expr: combine(age, '<', number(30)),
  };
}

const one = (expr: Promql): Series => ({ expr, legend: '' });
const positive = (expr: Promql): Promql => combine(expr, '>', number(0));
const is1 = (expr: Promql): Promql => combine(expr, '==', number(1));

function rated(name: MetricName, by: readonly string[] = [], more: Matchers = {}): Promql {
  return sum(by, rate(name, { ...where, ...more }, RATE_WINDOW));
}

function gaugeSum(name: MetricName, more: Matchers = {}, by: readonly string[] = []): Promql {
  return sum(by, gauge(name, { ...where, ...more }));
}

function ends(more: Matchers): Promql {
  return sum(['cause'], increase('webapp_worker_process_ends_total', { ...where, ...more }, RATE_WINDOW));
}

function fullest(program: 'proxy' | 'worker', what: 'connections' | 'queue_length'): Promql {
  const most = what === 'connections' ? 'connections_max' : 'queue_max';
  const full = combine(
    gauge(`webapp_${program}_${what}`, where),
    '/',
    positive(gauge(`webapp_${program}_${most}`, where)),
  );
  return max([], full);
}

function bothPrograms(expr: (program: 'proxy' | 'worker') => Promql, legend: string): Series[] {
  return (['proxy', 'worker'] as const).map((program) => ({ expr: expr(program), legend: `${program} ${legend}` }));
}
