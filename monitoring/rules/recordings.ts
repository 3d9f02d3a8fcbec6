// Recording rules: what alerts, and people's own dashboards, read of WebApps. Named level:metric:operation, as Prometheus advises; the windows in the names are the
// nominal ones.
import {
  failureRatio,
  latency,
  longestQueueTime,
  requests,
  saturation,
  type View,
  WEBAPP_LABELS,
} from '../measures.ts';
import type { Promql } from '../promql.ts';
import type { Recording } from './rule.ts';
import type { RuleSettings } from './settings.ts';

/** Of error ratios. */
export const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const;
export type Window = (typeof WINDOWS)[number];

export function ratioRecord(window: Window): `webapp:request_failures:ratio_rate${Window}` {
  return `webapp:request_failures:ratio_rate${window}`;
}

export const QUEUE_TIME_RECORD = 'webapp:queue_seconds:p95_rate5m';
export const SATURATION_RECORD = 'webapp:slots_busy:ratio';

export function makeRecordings({ time }: RuleSettings): Recording[] {
  const over = (window: Window): View => ({ where: {}, window: time(window), by: WEBAPP_LABELS });
  const recent = over('5m');
  const record = (name: string, { text }: Promql): Recording => ({ record: name, expr: text });
  return [
    record('webapp:requests:rate5m', requests(recent)),
    ...WINDOWS.map((window) => record(ratioRecord(window), failureRatio(over(window)))),
    record('webapp:request_seconds:p50_rate5m', latency(recent, 0.5)),
    record('webapp:request_seconds:p99_rate5m', latency(recent, 0.99)),
    record(QUEUE_TIME_RECORD, longestQueueTime(recent, 0.95)),
    record(SATURATION_RECORD, saturation(recent)),
  ];
}

/** A series that a rule here makes: no other name compiles. */
export function recorded(
  name: ReturnType<typeof ratioRecord> | typeof QUEUE_TIME_RECORD | typeof SATURATION_RECORD,
): Promql {
  return { text: name, compound: false };
}
