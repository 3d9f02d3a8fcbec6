// What a program tells Prometheus: the metrics of its table in core/metrics.ts, all of them and no others. Their names, kinds, labels
// and meanings come from there; here they get their values, read when they are asked for, so that a request costs plain adds.
import { Counter, Gauge, type Registry } from 'prom-client';
import { COMMON_LABEL, type Metric } from '../core/metrics.ts';
import { DurationHistogram } from './duration-histogram.ts';
import { TracedDurations } from './traced-durations.ts';

/** One value of a metric with labels. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A histogram's counts; a value, of a metric without labels; or all values that there are. */
export type Source = TracedDurations | (() => number | readonly Reading[]);

type Table = Readonly<Record<string, Metric>>;

/** Names of a table without the program's prefix. */
export type NameIn<Prefix extends string, T> = keyof T extends `${Prefix}${infer Name}` ? Name : never;

/** A source for each metric of the table: one that has none does not compile, nor does one that is not in it. */
export type Sources<Prefix extends string, T> = Readonly<Record<NameIn<Prefix, T>, Source>>;

/** @param prefix such as `webapp_proxy_` */
export function registerMetrics<Prefix extends string, T extends Table>(
  registry: Registry,
  prefix: Prefix,
  table: T,
  sources: Sources<Prefix, T>,
): void {
  const found = new Map<string, Source>(Object.entries(sources));
  for (const [name, metric] of Object.entries<Metric>(table)) {
    const source = found.get(name.slice(prefix.length));
    if (source === undefined) throw new TypeError(`${name} has no source.`);
    register(registry, name, metric, source);
  }
}

/** Which WebApp it is: on all metrics of `registry`. May be called again. */
export function nameWebapp(registry: Registry, name: string): void {
  registry.setDefaultLabels({ [COMMON_LABEL]: name });
}

/**
 * @returns what `read` says, which is asked once for all metrics of a scrape: they are collected in one turn of the event loop
 */
export function oncePerTurn<T>(read: () => T): () => T {
  let held: { readonly value: T } | null = null;
  return () => {
    if (held === null) {
      held = { value: read() };
      queueMicrotask(() => {
        held = null;
      });
    }
    return held.value;
  };
}

function register(registry: Registry, name: string, { type, help, labels }: Metric, source: Source): void {
  const isHistogram = source instanceof TracedDurations;
  if (isHistogram !== (type === 'histogram')) throw new TypeError(`${name}: the source does not fit a ${type}.`);
  const configuration = { name, help, registers: [registry], labelNames: Object.keys(labels ?? {}) };
  if (isHistogram) new DurationHistogram(configuration, source);
  else if (type === 'counter') {
    new Counter({
      ...configuration,
      collect() {
        this.reset();
        for (const { labels: of, value } of readingsOf(source)) this.inc(of, value);
      },
    });
  } else {
    new Gauge({
      ...configuration,
      collect() {
        this.reset();
        for (const { labels: of, value } of readingsOf(source)) this.set(of, value);
      },
    });
  }
}

function readingsOf(source: () => number | readonly Reading[]): readonly Reading[] {
  const read = source();
  return typeof read === 'number' ? [{ labels: {}, value: read }] : read;
}
