// PromQL by functions. A metric that is not in a table does not compile; a label that it does not have, or a rate of a gauge, throws when the expression is
// made, so that no file with it is ever written.
import { COMMON_LABEL, type Metric, OPERATOR_METRICS, PROXY_METRICS, WORKER_METRICS } from '../core/metrics.ts';
import { RUNTIME_METRICS } from './runtime-metrics.ts';

const METRICS = { ...PROXY_METRICS, ...WORKER_METRICS, ...OPERATOR_METRICS, ...RUNTIME_METRICS } as const;
const TABLE: Readonly<Record<string, Metric>> = METRICS;

export type MetricName = keyof typeof METRICS;
export type ProgramName = 'proxy' | 'worker';

/** Set by scraping, not by us. `exported_namespace`: what Prometheus makes of our `namespace` where the target has one of its own. */
const TARGET_LABELS = ['namespace', 'pod', 'instance', 'job', 'exported_namespace'];

export interface Promql {
  readonly text: string;
  /** It has an operator outside of brackets. */
  readonly compound: boolean;
}

/** One value, one of several, anything but it, or what a person chose in Grafana. */
export type Match = string | readonly string[] | { readonly not: string } | { readonly variable: string };
export type Matchers = Readonly<Record<string, Match>>;

/** As it is: a gauge. */
export function gauge(name: MetricName, where: Matchers = {}): Promql {
  return plain(select(name, 'gauge', name, where));
}

/** Per second. @param window a duration of Prometheus, or a variable of Grafana */
export function rate(name: MetricName, where: Matchers, window: string): Promql {
  return plain(`rate(${select(name, 'counter', name, where)}[${window}])`);
}

export function increase(name: MetricName, where: Matchers, window: string): Promql {
  return plain(`increase(${select(name, 'counter', name, where)}[${window}])`);
}

/** Observations a second, or their sum a second, or both by bucket. */
export function rateOf(part: 'count' | 'sum' | 'bucket', name: MetricName, where: Matchers, window: string): Promql {
  return plain(`rate(${select(name, 'histogram', `${name}_${part}`, where)}[${window}])`);
}

/** @param buckets rates by `le`, perhaps by more */
export function quantile(q: number, buckets: Promql): Promql {
  return call('histogram_quantile', String(q), buckets.text);
}

/** What the label values of a variable are read from. */
export function labelValues(name: MetricName, label: string, where: Matchers = {}): string {
  const kind = TABLE[name]?.type ?? 'gauge';
  return `label_values(${select(name, kind, name, where)}, ${label})`;
}

export type Aggregation = 'sum' | 'max' | 'min' | 'avg' | 'count';

export function aggregate(how: Aggregation, by: readonly string[], of: Promql): Promql {
  return plain(`${how}${by.length === 0 ? '' : ` by (${by.join(', ')})`} (${of.text})`);
}

export const sum = (by: readonly string[], of: Promql): Promql => aggregate('sum', by, of);
export const max = (by: readonly string[], of: Promql): Promql => aggregate('max', by, of);

/** The `count` largest. */
export function top(count: number, of: Promql): Promql {
  return call('topk', String(count), of.text);
}

export type Operator = '+' | '-' | '*' | '/' | '>' | '>=' | '<' | '==' | '!=' | 'and' | 'or' | 'unless';

/** @param on labels that the two sides are matched by; default: all */
export function combine(left: Promql, operator: Operator, right: Promql, on?: readonly string[]): Promql {
  const matching = on === undefined ? '' : ` on (${on.join(', ')})`;
  return { text: `${bracketed(left)} ${operator}${matching} ${bracketed(right)}`, compound: true };
}

export function or(...all: readonly Promql[]): Promql {
  return { text: all.map(bracketed).join(' or '), compound: true };
}

/** Empty where there is nothing to divide by. */
export function ratio(part: Promql, whole: Promql): Promql {
  return combine(part, '/', combine(whole, '>', number(0)));
}

export function number(value: number): Promql {
  return plain(String(value));
}

/** Text that is put in later, where the rules are installed. */
export function placeholder(text: string): Promql {
  return plain(text);
}

/** Seconds since the epoch. */
export const NOW: Promql = plain('time()');

export function absent(of: Promql): Promql {
  return call('absent', of.text);
}

export function atLeast(of: Promql, least: number): Promql {
  return call('clamp_min', of.text, String(least));
}

/** @returns `of` with one more label */
export function labelled(of: Promql, label: string, value: string): Promql {
  return call('label_replace', of.text, quoted(label), quoted(value), '""', '""');
}

/** @returns `of`, whose `label` is what `from` says where that is there */
export function relabelled(of: Promql, label: string, from: string): Promql {
  return call('label_replace', of.text, quoted(label), '"$1"', quoted(from), '"(.+)"');
}

function select(name: MetricName, type: Metric['type'], written: string, where: Matchers): string {
  const metric = TABLE[name];
  if (metric === undefined) throw new TypeError(`${name} is in no table of metrics.`);
  if (metric.type !== type) throw new TypeError(`${name} is a ${metric.type}, and used as a ${type}.`);
  const known = labelsOf(name, metric);
  const matchers = Object.entries(where).map(([label, match]) => {
    if (!known.has(label)) throw new TypeError(`${name} has no label ${label}: it has ${[...known].join(', ')}.`);
    return `${label}${matcher(match)}`;
  });
  return matchers.length === 0 ? written : `${written}{${matchers.join(', ')}}`;
}

function labelsOf(name: string, { labels = {} }: Metric): Set<string> {
  const common = name in PROXY_METRICS || name in WORKER_METRICS ? [COMMON_LABEL] : [];
  return new Set([...Object.keys(labels), ...common, ...TARGET_LABELS]);
}

function matcher(match: Match): string {
  if (typeof match === 'string') return `=${quoted(match)}`;
  if ('not' in match) return `!=${quoted(match.not)}`;
  if ('variable' in match) return `=~"$${match.variable}"`;
  return `=~${quoted(match.map(literally).join('|'))}`;
}

/** RE2, as Prometheus has it. */
function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Prometheus' strings are Go's; JSON's are among them. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function call(name: string, ...args: readonly string[]): Promql {
  return plain(`${name}(${args.join(', ')})`);
}

function plain(text: string): Promql {
  return { text, compound: false };
}

function bracketed({ text, compound }: Promql): string {
  return compound ? `(${text})` : text;
}
