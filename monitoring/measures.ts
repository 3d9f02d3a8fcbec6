// What is worth knowing of WebApps, once, for dashboards and rules alike: a view says which, over what time and by which labels, and the measures are its expressions.
import type { FaultCode } from '../core/errors.ts';
import {
  atLeast,
  combine,
  gauge,
  labelled,
  type Matchers,
  type MetricName,
  max,
  or,
  type ProgramName,
  type Promql,
  quantile,
  rate,
  rateOf,
  ratio,
  relabelled,
  sum,
} from './promql.ts';

export interface View {
  /** Of metrics of proxy and worker: labels `namespace` and `webapp`. */
  readonly where: Matchers;
  /** Of rates. */
  readonly window: string;
  /** What the results are told apart by. */
  readonly by: readonly string[];
}

/** What a WebApp is told by. */
export const WEBAPP_LABELS = ['namespace', 'webapp'] as const;

/** Those of core/errors.ts by which a limit was hit. */
export const LIMIT_CODES = [
  'BODY_TOO_LARGE',
  'TARGET_TOO_LONG',
  'HEADERS_TOO_LARGE',
  'HEAD_TIMEOUT',
  'BODY_TIMEOUT',
  'CONNECTIONS_FULL',
  'QUEUE_FULL',
  'QUEUE_TIMEOUT',
  'REQUEST_TIMEOUT',
] as const satisfies readonly FaultCode[];

/** A suspended WebApp answers so because it is told to. */
const INTENDED: FaultCode = 'MAINTENANCE';

/** A second, as users see them. */
export function requests({ where, window, by }: View, ...more: readonly string[]): Promql {
  return sum([...by, ...more], rate('webapp_proxy_requests_total', where, window));
}

/** A second: answered with 5xx, save the maintenance page. */
export function failures({ where, window, by }: View): Promql {
  const all = sum(by, rate('webapp_proxy_requests_total', { ...where, class: '5xx' }, window));
  const intended = sum(by, rate('webapp_proxy_faults_total', { ...where, code: INTENDED }, window));
  return atLeast(combine(all, '-', intended), 0);
}

/** Of all requests, 0 to 1; empty while there are none. */
export function failureRatio(view: View): Promql {
  return ratio(failures(view), requests(view));
}

/** Seconds from the arrival of a head to the end of its response. */
export function latency(view: View, q: number): Promql {
  return quantileOf(view, 'webapp_proxy_request_seconds', q);
}

/** Seconds. */
export function quantileOf({ where, window, by }: View, histogram: MetricName, q: number): Promql {
  return quantile(q, sum(['le', ...by], rateOf('bucket', histogram, where, window)));
}

/** Seconds that requests waited in one program. */
export function queueTime(view: View, program: ProgramName, q: number): Promql {
  return quantileOf(view, `webapp_${program}_queue_seconds`, q);
}

/** Seconds, in the program where they wait longer. */
export function longestQueueTime(view: View, q: number): Promql {
  return max(view.by, or(named('worker'), named('proxy')));

  // Beside each other, results need a label that differs.
  function named(program: ProgramName): Promql {
    return labelled(queueTime(view, program, q), 'program', program);
  }
}

/** Seconds of each request, on average, that went into what `histogram` measures. */
export function meanOf({ where, window, by }: View, histogram: MetricName): Promql {
  return ratio(
    sum(by, rateOf('sum', histogram, where, window)),
    sum(by, rateOf('count', 'webapp_proxy_request_seconds', where, window)),
  );
}

/** Seconds of each request, on average, that neither a queue nor the application took: reading and sending, the network, the programs. */
export function meanElsewhere(view: View): Promql {
  const told: readonly MetricName[] = [
    'webapp_proxy_queue_seconds',
    'webapp_worker_queue_seconds',
    'webapp_worker_app_seconds',
  ];
  return atLeast(
    told.reduce((rest, name) => combine(rest, '-', meanOf(view, name)), meanOf(view, 'webapp_proxy_request_seconds')),
    0,
  );
}

/** Share of the slots of application processes that serve, 0 to 1. */
export function saturation({ where, by }: View): Promql {
  return ratio(
    sum(by, gauge('webapp_worker_slots', { ...where, state: 'busy' })),
    sum(by, gauge('webapp_worker_slots', { ...where, state: ['busy', 'idle'] })),
  );
}

/**
 * What the operator tells of WebApps: gauges with a `namespace` of their own, which Prometheus renames where the operator's pod has one and labels are not honoured.
 * Each WebApp once, however many operators are scraped.
 */
export function toldByOperator(name: MetricName, { where, by }: Pick<View, 'where' | 'by'>): Promql {
  const { namespace, ...rest } = where;
  const series =
    namespace === undefined
      ? gauge(name, rest)
      : or(
          gauge(name, { ...rest, exported_namespace: namespace }),
          gauge(name, { ...rest, exported_namespace: '', namespace }),
        );
  return max(by, relabelled(series, 'namespace', 'exported_namespace'));
}
