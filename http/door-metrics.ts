// The metrics that both programs have, because both have a front door.
import type { PROXY_METRICS, WORKER_METRICS } from '../core/metrics.ts';
import type { AppliedConfig } from '../core/status/worker.ts';
import type { AnswerCounts } from './answer-counts.ts';
import type { NameIn, Source } from './metrics.ts';
import type { TracedDurations } from './traced-durations.ts';

/** Written by the door alone. */
export interface DoorCounters {
  /** Connections let in since the start. */
  connections: number;
  /** Fields dropped because their name holds `_`. */
  headersDropped: number;
  /** Bytes of request bodies that were taken. */
  received: number;
  /** Bytes of response bodies handed to connections. */
  sent: number;
}

export interface DoorFacts {
  readonly answers: AnswerCounts;
  readonly queueTime: TracedDurations;
  readonly queue: () => { readonly length: number; readonly max: number };
  readonly door: {
    readonly openConnections: number;
    readonly maxConnections: number;
    readonly counters: Readonly<DoorCounters>;
  };
  readonly config: () => AppliedConfig;
  /** Spans of traces, since the start. */
  readonly spans: Readonly<Record<'sent' | 'dropped', number>>;
}

type DoorMetric = Extract<
  NameIn<'webapp_proxy_', typeof PROXY_METRICS>,
  NameIn<'webapp_worker_', typeof WORKER_METRICS>
>;

export function doorSources({
  answers,
  queueTime,
  queue,
  door,
  config,
  spans,
}: DoorFacts): Readonly<Record<DoorMetric, Source>> {
  const { counters } = door;
  return {
    requests_total: () => answers.requestReadings(),
    faults_total: () => answers.faultReadings(),
    requests_in_flight: () => answers.inFlight,
    queue_seconds: queueTime,
    queue_length: () => queue().length,
    queue_max: () => queue().max,
    received_bytes_total: () => counters.received,
    sent_bytes_total: () => counters.sent,
    connections: () => door.openConnections,
    connections_max: () => door.maxConnections,
    connections_accepted_total: () => counters.connections,
    headers_dropped_total: () => counters.headersDropped,
    spans_total: () => Object.entries(spans).map(([outcome, value]) => ({ labels: { outcome }, value })),
    config_applied_timestamp_seconds: () => config().appliedAt / 1000,
    config_refused: () => (config().error === undefined ? 0 : 1),
  };
}
