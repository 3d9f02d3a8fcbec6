// The few kinds of panel that our dashboards have, by Grafana's foundation SDK: a title that says what is seen, a description that says what to make of it.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Panel as BuiltPanel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as PlotBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Promql } from '../promql.ts';
import { SOURCE } from './variables.ts';

export type Panel = Builder<BuiltPanel>;

/** As Grafana names them. */
export type Unit = 's' | 'reqps' | 'percentunit' | 'bytes' | 'Bps' | 'short' | 'ops' | 'dateTimeAsIso';

export interface Series {
  readonly expr: Promql;
  /** Text with labels, such as `{{method}}`. */
  readonly legend: string;
}

/** Of the 24 that a row has. */
export type Columns = 4 | 6 | 8 | 12 | 24;

interface Common {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly columns: Columns;
}

export interface Plot extends Common {
  readonly series: readonly Series[];
  /** The series make up a whole. */
  readonly stacked?: boolean;
  /** What is said where there is nothing, because all is well. */
  readonly nothing?: string;
  readonly max?: number;
}

const PLOT_HEIGHT = 8;
const STAT_HEIGHT = 4;

export function plot({ title, description, unit, columns, series, stacked, nothing, max }: Plot): Panel {
  const panel = new PlotBuilder()
    .title(title)
    .description(description)
    .datasource(SOURCE)
    .unit(unit)
    .min(0)
    .span(columns)
    .height(PLOT_HEIGHT)
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 10)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(series.map(query));
  if (stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (nothing !== undefined) panel.noValue(nothing);
  if (max !== undefined) panel.max(max);
  return panel;
}

export interface Stat extends Common {
  readonly series: readonly Series[];
  /** From which values on it is good (green), to be looked at (orange) or bad (red). */
  readonly steps: readonly Step[];
  readonly nothing?: string;
}

export interface Step {
  /** Absent: from below. */
  readonly from?: number;
  readonly color: 'green' | 'orange' | 'red' | 'blue';
}

/** The larger the worse. */
export const worseFrom = (orange: number, red: number): Step[] => [
  { color: 'green' },
  { from: orange, color: 'orange' },
  { from: red, color: 'red' },
];

export function stat({ title, description, unit, columns, series, steps, nothing }: Stat): Panel {
  const panel = new StatBuilder()
    .title(title)
    .description(description)
    .datasource(SOURCE)
    .unit(unit)
    .span(columns)
    .height(STAT_HEIGHT)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(thresholds(steps))
    .targets(series.map(query));
  if (nothing !== undefined) panel.noValue(nothing);
  return panel;
}

export function thresholds(steps: readonly Step[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(({ from, color }): Threshold => ({ value: from ?? null, color })));
}

function query({ expr, legend }: Series, index: number): DataqueryBuilder {
  return new DataqueryBuilder().refId(refId(index)).expr(expr.text).legendFormat(legend).range().datasource(SOURCE);
}

/** For a table: the newest values only. */
export function column({ text }: Promql, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(refId(index))
    .expr(text)
    .instant()
    .format(PromQueryFormat.Table)
    .datasource(SOURCE);
}

/** As Grafana counts queries. */
export function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}
