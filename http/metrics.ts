// What a program tells Prometheus: the metrics of its table in core/metrics.ts, all of them and no others. Their names, kinds, labels
// and meanings come from there; here they get their values, read when they are asked for, so that a request costs plain adds.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { DURATION_BOUNDS_MS } from '../core/durations.ts';
import { COMMON_LABEL, type Metric } from '../core/metrics.ts';
import { type Exemplar, TracedDurations } from './traced-durations.ts';

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

type Told = Awaited<ReturnType<Histogram['get']>>;

/** As prom-client writes it out. */
interface Bucket {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly exemplar?: ShownExemplar;
}

/** Seconds, and seconds since the epoch. */
interface ShownExemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp: number;
}

/** prom-client's kind of metric over counts that are kept elsewhere. Prometheus wants seconds, and each bucket with all below it. */
class DurationHistogram extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #durations: TracedDurations;

  constructor(configuration: ConstructorParameters<typeof Histogram>[0], durations: TracedDurations) {
    super(configuration);
    this.#name = configuration.name;
    this.#help = configuration.help;
    this.#durations = durations;
  }

  override async get(): Promise<Told> {
    return this.#read();
  }

  /** What the registry calls. */
  async getForPromString(): Promise<Told> {
    return this.#read();
  }

  #read(): Told {
    const { counts, sumMs, exemplars } = this.#durations;
    let sum = 0;
    const buckets = counts.map((count, i): Bucket => {
      sum += count;
      const bound = DURATION_BOUNDS_MS[i];
      const exemplar = exemplars[i];
      return {
        metricName: `${this.#name}_bucket`,
        labels: { le: bound === undefined ? '+Inf' : bound / 1000 },
        value: sum,
        ...(exemplar !== undefined && { exemplar: shown(exemplar) }),
      };
    });
    const total: Bucket[] = [
      { metricName: `${this.#name}_sum`, labels: {}, value: sumMs / 1000 },
      { metricName: `${this.#name}_count`, labels: {}, value: sum },
    ];
    const values = [...buckets, ...total];
    // Its types know neither the string that its code has for the kind, nor exemplars.
    return { name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum', values } as unknown as Told;
  }
}

function shown({ traceId, ms, at }: Exemplar): ShownExemplar {
  return { labelSet: { trace_id: traceId }, value: ms / 1000, timestamp: at / 1000 };
}
