// All WebApps, the worst first; a row leads to the WebApp's own dashboard.

import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import { type Dashboard, DashboardLinkBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import {
  failureRatio,
  latency,
  longestQueueTime,
  requests,
  saturation,
  toldByOperator,
  WEBAPP_LABELS,
} from '../measures.ts';
import { aggregate, combine, gauge, number, type Promql, sum, top } from '../promql.ts';
import { makeBoard, type Row } from './board.ts';
import { column, type Panel, plot, refId, type Step, stat, thresholds, type Unit, worseFrom } from './panels.ts';
import { EACH, namespaceVariable } from './variables.ts';
import { WEBAPP_BOARD_UID } from './webapp.ts';

export const FLEET_BOARD_UID = 'webapp-operator-fleet';

interface Column {
  readonly title: string;
  readonly unit: Unit;
  readonly expr: Promql;
  readonly steps?: readonly Step[];
}

/** The first is what the table is sorted by. */
const COLUMNS: readonly Column[] = [
  { title: 'Failed', unit: 'percentunit', expr: failureRatio(EACH), steps: worseFrom(0.001, 0.01) },
  { title: 'Slowest in 100', unit: 's', expr: latency(EACH, 0.99), steps: worseFrom(1, 5) },
  { title: 'Waiting', unit: 's', expr: longestQueueTime(EACH, 0.95), steps: worseFrom(0.1, 0.5) },
  { title: 'In use', unit: 'percentunit', expr: saturation(EACH), steps: worseFrom(0.7, 0.9) },
  { title: 'Problems', unit: 'short', expr: problems(WEBAPP_LABELS), steps: worseFrom(1, 3) },
  { title: 'Processes ready', unit: 'short', expr: ready(), steps: [{ color: 'red' }, { from: 1, color: 'green' }] },
  { title: 'Requests', unit: 'reqps', expr: requests(EACH) },
];

export function makeFleetBoard(): Dashboard {
  return makeBoard({
    uid: FLEET_BOARD_UID,
    title: 'WebApps: fleet',
    description: 'All WebApps, the worst first.',
    variables: [namespaceVariable()],
    rows: [overall(), { title: 'WebApps', panels: [table()] }, worst()],
  });
}

function overall(): Row {
  const { where } = EACH;
  const all = { ...EACH, by: [] };
  return {
    title: 'All together',
    panels: [
      stat({
        title: 'WebApps',
        description: 'That serve or served in the time shown.',
        unit: 'short',
        columns: 6,
        series: [{ expr: aggregate('count', [], requests(EACH)), legend: '' }],
        steps: [{ color: 'blue' }],
      }),
      stat({
        title: 'Requests',
        description: 'A second, to all of them.',
        unit: 'reqps',
        columns: 6,
        series: [{ expr: requests(all), legend: '' }],
        steps: [{ color: 'blue' }],
      }),
      stat({
        title: 'Failed',
        description: 'Share of all requests.',
        unit: 'percentunit',
        columns: 6,
        series: [{ expr: failureRatio(all), legend: '' }],
        steps: worseFrom(0.001, 0.01),
        nothing: 'no requests',
      }),
      stat({
        title: 'WebApps that are not ready',
        description: 'As the operator tells.',
        unit: 'short',
        columns: 6,
        series: [
          {
            expr: sum(
              [],
              toldByOperator('webapp_operator_condition', { where: notReady(where), by: [...WEBAPP_LABELS] }),
            ),
            legend: '',
          },
        ],
        steps: worseFrom(1, 1),
        nothing: 'none',
      }),
    ],
  };
}

function notReady(where: typeof EACH.where): typeof EACH.where {
  return { ...where, type: 'Ready', status: 'False', reason: ['NoReadyWorker', 'NoReadyProxy', 'Invalid'] };
}

function worst(): Row {
  const worstOf = (title: string, expr: Promql, unit: Unit): Panel =>
    plot({
      title,
      description: 'The ten worst.',
      unit,
      columns: 8,
      nothing: 'none',
      series: [{ expr: top(10, expr), legend: '{{namespace}}/{{webapp}}' }],
    });
  return {
    title: 'The worst over time',
    panels: [
      worstOf('Failed', failureRatio(EACH), 'percentunit'),
      worstOf('Slowest in 100', latency(EACH, 0.99), 's'),
      worstOf('Waiting', longestQueueTime(EACH, 0.95), 's'),
      worstOf('In use', saturation(EACH), 'percentunit'),
      plot({
        title: 'Problems, by type',
        description: 'Of all WebApps, as their status has them: `kubectl describe webapp` says how to mend each.',
        unit: 'short',
        columns: 8,
        nothing: 'none',
        series: [{ expr: sum(['type'], problems([...WEBAPP_LABELS, 'type'])), legend: '{{type}}' }],
      }),
      plot({
        title: 'WebApps by state',
        description: 'As the operator tells.',
        unit: 'short',
        columns: 8,
        stacked: true,
        series: [
          {
            expr: combine(aggregate('max', ['state'], gauge('webapp_operator_webapps')), '>', number(0)),
            legend: '{{state}}',
          },
        ],
      }),
    ],
  };
}

function table(): Panel {
  const panel = new TableBuilder()
    .title('Worst first')
    .description('By the share of requests that fail; a click on a heading sorts by another column.')
    .span(24)
    .height(12)
    .targets(COLUMNS.map(({ expr }, i) => column(expr, i)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(
          ['webapp', 'namespace', ...COLUMNS.map((_, i) => valueField(i))].map((name, i) => [name, i]),
        ),
        renameByName: {
          webapp: 'WebApp',
          namespace: 'Namespace',
          ...Object.fromEntries(COLUMNS.map(({ title }, i) => [valueField(i), title])),
        },
      },
    })
    .sortBy([new TableSortByFieldStateBuilder().displayName(COLUMNS[0]?.title ?? '').desc(true)])
    .overrideByName('WebApp', [{ id: 'links', value: [link()] }]);
  for (const { title, unit, steps } of COLUMNS) panel.overrideByName(title, look(unit, steps));
  return panel;
}

function look(unit: Unit, steps: readonly Step[] | undefined): { id: string; value: unknown }[] {
  const colored = [
    { id: 'thresholds', value: steps && thresholds(steps).build() },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ];
  return [{ id: 'unit', value: unit }, { id: 'decimals', value: 2 }, ...(steps ? colored : [])];
}

/** Grafana's placeholders for the fields of a row, by their names after renaming. */
function link(): object {
  const row = (field: string): string => `\${__data.fields.${field}}`;
  const url = `/d/${WEBAPP_BOARD_UID}?var-namespace=${row('Namespace')}&var-webapp=${row('WebApp')}&\${datasource:queryparam}&\${__url_time_range}`;
  return new DashboardLinkBuilder('Show this WebApp').url(url).targetBlank(false).build();
}

/** As Grafana names the value of one of several queries. */
function valueField(index: number): string {
  return `Value #${refId(index)}`;
}

function problems(by: readonly string[]): Promql {
  const each = toldByOperator('webapp_operator_problems', { where: EACH.where, by: [...WEBAPP_LABELS, 'type'] });
  return sum(by, each);
}

function ready(): Promql {
  return sum(EACH.by, gauge('webapp_worker_processes', { ...EACH.where, state: 'ready' }));
}
