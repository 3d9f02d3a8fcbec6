// The operator itself: whether one leads, whether it keeps up, what it asks of the API server.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { combine, gauge, type MetricName, max, number, type Promql, quantile, rate, rateOf, sum } from '../promql.ts';
import { CONTROLLER_NAME, LEASE } from '../runtime-metrics.ts';
import { makeBoard, type Row } from './board.ts';
import { plot, stat, worseFrom } from './panels.ts';
import { RATE_WINDOW } from './variables.ts';

export const OPERATOR_BOARD_UID = 'webapp-operator-operator';

const PASSES = { controller: CONTROLLER_NAME };
const QUEUE = { name: CONTROLLER_NAME };
const leads = gauge('leader_election_master_status', { name: LEASE });

export function makeOperatorBoard(): Dashboard {
  return makeBoard({
    uid: OPERATOR_BOARD_UID,
    title: 'WebApps: operator',
    description: 'Whether the operator leads, keeps up and is answered. Applications go on serving without it.',
    variables: [],
    rows: [atAGlance(), passes(), api(), itself()],
  });
}

function atAGlance(): Row {
  return {
    title: 'Does it work?',
    panels: [
      stat({
        title: 'Replicas that lead',
        description: 'One is right. 0: changes are not carried out.',
        unit: 'short',
        columns: 6,
        series: [{ expr: sum([], leads), legend: '' }],
        steps: [{ color: 'red' }, { from: 1, color: 'green' }, { from: 2, color: 'red' }],
        nothing: 'no operator',
      }),
      stat({
        title: 'WebApps',
        description: 'That it looks after; and those without metrics of their own, since there are too many.',
        unit: 'short',
        columns: 6,
        series: [
          { expr: sum([], max(['state'], gauge('webapp_operator_webapps'))), legend: 'all' },
          { expr: max([], gauge('webapp_operator_webapps_untold')), legend: 'untold' },
        ],
        steps: [{ color: 'blue' }],
      }),
      stat({
        title: 'Waiting',
        description: 'WebApps that are due and wait for a pass of the leader.',
        unit: 'short',
        columns: 6,
        series: [{ expr: depth([]), legend: '' }],
        steps: worseFrom(50, 500),
      }),
      stat({
        title: 'Passes that failed',
        description: 'A second; each is tried again.',
        unit: 'ops',
        columns: 6,
        series: [{ expr: sum([], rate('controller_runtime_reconcile_errors_total', PASSES, RATE_WINDOW)), legend: '' }],
        steps: worseFrom(0.1, 1),
      }),
    ],
  };
}

function passes(): Row {
  return {
    title: 'Passes and queue',
    panels: [
      plot({
        title: 'Passes by result',
        description: 'requeue: failed for a reason that time may heal. requeue_after: looked at again later.',
        unit: 'ops',
        columns: 8,
        stacked: true,
        series: [
          {
            expr: sum(['result'], rate('controller_runtime_reconcile_total', PASSES, RATE_WINDOW)),
            legend: '{{result}}',
          },
        ],
      }),
      plot({
        title: 'How long passes take',
        description: 'From the first look at a WebApp to its status.',
        unit: 's',
        columns: 8,
        series: quantiles('controller_runtime_reconcile_time_seconds', PASSES),
      }),
      plot({
        title: 'Passes at a time',
        description: 'Running now, and how many may.',
        unit: 'short',
        columns: 8,
        series: [
          { expr: sum([], gauge('controller_runtime_active_workers', PASSES)), legend: 'running' },
          { expr: max([], gauge('controller_runtime_max_concurrent_reconciles', PASSES)), legend: 'most' },
        ],
      }),
      plot({
        title: 'Queue of the leader',
        description: 'WebApps that are due. Priority 0: something changed; -100: looked at in passing.',
        unit: 'short',
        columns: 8,
        series: [{ expr: depth(['priority']), legend: 'priority {{priority}}' }],
      }),
      plot({
        title: 'How long WebApps wait in the queue',
        description: 'From when they are due until a pass begins.',
        unit: 's',
        columns: 8,
        series: quantiles('workqueue_queue_duration_seconds', QUEUE),
      }),
      plot({
        title: 'Put into the queue',
        description: 'And put back after a failure.',
        unit: 'ops',
        columns: 8,
        series: [
          { expr: sum([], rate('workqueue_adds_total', QUEUE, RATE_WINDOW)), legend: 'added' },
          { expr: sum([], rate('workqueue_retries_total', QUEUE, RATE_WINDOW)), legend: 'after a failure' },
        ],
      }),
    ],
  };
}

function api(): Row {
  return {
    title: 'The API server',
    panels: [
      plot({
        title: 'Requests by status',
        description: 'Of all replicas, tries again included. 409 and 429 are usual in small numbers.',
        unit: 'reqps',
        columns: 8,
        stacked: true,
        series: [
          { expr: sum(['code'], ofReplicas(rate('rest_client_requests_total', {}, RATE_WINDOW))), legend: '{{code}}' },
        ],
      }),
      plot({
        title: 'How long it takes to answer',
        description: 'Until the head of an answer.',
        unit: 's',
        columns: 8,
        series: quantiles('rest_client_request_duration_seconds', {}),
      }),
      plot({
        title: 'Writes',
        description:
          'That were carried out, by kind and verb. None while nothing changes: a steady fleet costs nothing.',
        unit: 'ops',
        columns: 8,
        stacked: true,
        series: [
          {
            expr: sum(['kind', 'verb'], rate('webapp_operator_api_writes_total', {}, RATE_WINDOW)),
            legend: '{{verb}} {{kind}}',
          },
        ],
      }),
    ],
  };
}

function itself(): Row {
  return {
    title: 'The replicas',
    panels: [
      plot({
        title: 'Who leads',
        description: '1: leads. 0: stands by.',
        unit: 'short',
        columns: 8,
        max: 1,
        series: [{ expr: leads, legend: '{{pod}} {{instance}}' }],
      }),
      plot({
        title: 'CPU',
        description: 'Cores in use.',
        unit: 'short',
        columns: 8,
        series: [
          { expr: ofReplicas(rate('process_cpu_seconds_total', {}, RATE_WINDOW)), legend: '{{pod}} {{instance}}' },
        ],
      }),
      plot({
        title: 'Memory',
        description: 'Resident.',
        unit: 'bytes',
        columns: 8,
        series: [{ expr: ofReplicas(gauge('process_resident_memory_bytes')), legend: '{{pod}} {{instance}}' }],
      }),
    ],
  };
}

/** Those that stand by keep their queues full and work on none. */
function depth(by: readonly string[]): Promql {
  const leader = combine(leads, '==', number(1));
  return sum(by, combine(gauge('workqueue_depth', QUEUE), 'and', leader, ['job', 'instance']));
}

/** Of those processes that are the operator's: others have metrics of the same names. */
function ofReplicas(expr: Promql): Promql {
  return combine(expr, 'and', leads, ['job', 'instance']);
}

function quantiles(name: MetricName, where: Readonly<Record<string, string>>): { expr: Promql; legend: string }[] {
  return [0.5, 0.99].map((q) => ({
    expr: quantile(q, sum(['le'], ofReplicas(rateOf('bucket', name, where, RATE_WINDOW)))),
    legend: `p${q * 100}`,
  }));
}
