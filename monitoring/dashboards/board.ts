// A dashboard of rows of panels, the same way for all.
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Promql } from '../promql.ts';
import type { Panel } from './panels.ts';
import { SOURCE, sourceVariable } from './variables.ts';

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** What happened, drawn over all plots. */
export interface Note {
  readonly name: string;
  /** There while it happens. */
  readonly expr: Promql;
  /** With labels, such as `{{reason}}`. */
  readonly title: string;
  readonly color: string;
}

export interface Board {
  /** Part of its address; links hold it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly QueryVariableBuilder[];
  readonly rows: readonly Row[];
  readonly notes?: readonly Note[];
}

const TAG = 'webapp-operator';

export function makeBoard({ uid, title, description, variables, rows, notes = [] }: Board): Dashboard {
  const board = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(sourceVariable())
    .annotations(notes.map(annotation))
    .link(
      new DashboardLinkBuilder('WebApps')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
  for (const variable of variables) board.withVariable(variable);
  for (const row of rows) {
    board.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) board.withPanel(panel);
  }
  return numbered(board.build());
}

function annotation({ name, expr, title, color }: Note): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(SOURCE)
    .enable(true)
    .iconColor(color)
    .expr(expr.text)
    .titleFormat(title)
    .step('30s');
}

/** Links to a panel need its number. */
function numbered(board: Dashboard): Dashboard {
  return { ...board, panels: (board.panels ?? []).map((panel, i) => ({ ...panel, id: i + 1 })) };
}
