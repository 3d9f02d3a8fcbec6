// The runtime's metrics by the names of client-go and controller-runtime, so that existing dashboards work. Declared once for each
// registry, however many queues and controllers there are. `rest_client_*` is the transport's, the count of writes the client's.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What a queue is asked when Prometheus reads. */
export interface QueueProbe {
  /** Keys due and waiting, for each priority. */
  depths(): Readonly<Record<'live' | 'background', number>>;
  /** For each key in work, how long it has been, in milliseconds. */
  inWorkMs(): Iterable<number>;
}

/** What a queue tells while it works. Times are milliseconds. */
export interface QueueMeter {
  added(): void;
  retried(): void;
  taken(waitedMs: number): void;
  worked(workedMs: number): void;
  /** The queue is closed: its gauges end. */
  end(): void;
}

/** `reconcile_total`'s label `result`, as controller-runtime writes it. `requeue`: failed for a reason that time may heal. */
export type PassResult = 'success' | 'error' | 'requeue' | 'requeue_after';

/** What a controller tells while it works. */
export interface ControllerMeter {
  began(): void;
  ended(result: PassResult, tookMs: number): void;
  panicked(): void;
  timedOut(): void;
}

/** controller-runtime's `controller.priorityqueue` uses numbers; live is its default, background its `handler.LowPriority`. */
const PRIORITY_LABEL = { live: '0', background: '-100' } as const;

const QUEUE_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1000];

/** Those of controller-runtime's internal/controller/metrics. */
const PASS_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** @param name the queue's, which is its controller's too (labels `name` and `controller`) */
export function queueMeter(registry: Registry, name: string, probe: QueueProbe): QueueMeter {
  const { probes, adds, retries, waits, works } = workqueueMetrics(registry);
  probes.set(probe, name);
  const labels = { name, controller: name };
  const [add, retry, wait, work] = [
    adds.labels(labels),
    retries.labels(labels),
    waits.labels(labels),
    works.labels(labels),
  ];
  add.inc(0);
  retry.inc(0);
  return {
    added: () => add.inc(),
    retried: () => retry.inc(),
    taken: (waitedMs) => wait.observe(waitedMs / 1000),
    worked: (workedMs) => work.observe(workedMs / 1000),
    end: () => void probes.delete(probe),
  };
}

/** @param concurrency passes at a time, `max_concurrent_reconciles` */
export function controllerMeter(registry: Registry, controller: string, concurrency: number): ControllerMeter {
  const { totals, errors, panics, timeouts, seconds, active, most } = controllerMetrics(registry);
  most.set({ controller }, concurrency);
  const counts: Record<PassResult, Counter.Internal> = {
    success: totals.labels({ controller, result: 'success' }),
    error: totals.labels({ controller, result: 'error' }),
    requeue: totals.labels({ controller, result: 'requeue' }),
    requeue_after: totals.labels({ controller, result: 'requeue_after' }),
  };
  const [error, panic, timeout] = [errors, panics, timeouts].map((counter) => counter.labels({ controller }));
  // Series that exist before the first fault: a rate over them sees that fault.
  for (const counter of [...Object.values(counts), error, panic, timeout]) counter?.inc(0);
  const [second, busy] = [seconds.labels({ controller }), active.labels({ controller })];
  busy.set(0);
  return {
    began: () => busy.inc(),
    ended: (result, tookMs) => {
      busy.dec();
      second.observe(tookMs / 1000);
      counts[result].inc();
      if (result === 'error') error?.inc();
    },
    panicked: () => panic?.inc(),
    timedOut: () => timeout?.inc(),
  };
}

/** @returns sets `leader_election_master_status{name}`, which is 0 from now on */
export function leaderMeter(registry: Registry, name: string): (leads: boolean) => void {
  const gauge = leaderMetric(registry).labels({ name });
  gauge.set(0);
  return (leads) => gauge.set(leads ? 1 : 0);
}

const workqueueMetrics = oncePerRegistry((registry) => {
  const probes = new Map<QueueProbe, string>();
  const registers = [registry];
  const labelNames = ['name', 'controller'] as const;
  registerQueueGauges(registry, probes);
  return {
    probes,
    adds: new Counter({ name: 'workqueue_adds_total', help: 'Keys added to the queue.', labelNames, registers }),
    retries: new Counter({
      name: 'workqueue_retries_total',
      help: 'Keys that came back after a failure, with backoff.',
      labelNames,
      registers,
    }),
    waits: new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long keys that were due waited for a worker.',
      labelNames,
      registers,
      buckets: QUEUE_BUCKETS,
    }),
    works: new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'How long keys were in work.',
      labelNames,
      registers,
      buckets: QUEUE_BUCKETS,
    }),
  };
});

/** Gauges that are read from the queues when asked: they cost the queue nothing. */
function registerQueueGauges(registry: Registry, probes: ReadonlyMap<QueueProbe, string>): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    read: (probe: QueueProbe) => readonly { labels: Record<string, string>; value: number }[],
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [probe, queue] of probes)
          for (const { labels, value } of read(probe)) this.inc({ name: queue, controller: queue, ...labels }, value);
      },
    });
  };
  gauge('workqueue_depth', 'Keys that are due and wait for a worker.', ['name', 'controller', 'priority'], (probe) => {
    const { live, background } = probe.depths();
    return [
      { labels: { priority: PRIORITY_LABEL.live }, value: live },
      { labels: { priority: PRIORITY_LABEL.background }, value: background },
    ];
  });
  gauge(
    'workqueue_unfinished_work_seconds',
    'How long the keys in work have been there, added up. Growing: workers are stuck.',
    ['name', 'controller'],
    (probe) => [{ labels: {}, value: sum(probe.inWorkMs()) / 1000 }],
  );
  gauge(
    'workqueue_longest_running_processor_seconds',
    'How long the key that is longest in work has been there.',
    ['name', 'controller'],
    (probe) => [{ labels: {}, value: Math.max(0, ...probe.inWorkMs()) / 1000 }],
  );
}

const controllerMetrics = oncePerRegistry((registry) => {
  const registers = [registry];
  const labelNames = ['controller'] as const;
  const counter = (name: string, help: string): Counter<'controller'> =>
    new Counter({ name: `controller_runtime_reconcile_${name}_total`, help, labelNames, registers });
  return {
    totals: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Passes that ended, by result.',
      labelNames: ['controller', 'result'] as const,
      registers,
    }),
    errors: counter('errors', 'Passes that ended with an error.'),
    panics: counter('panics', 'Passes that ended with an error of the program itself, such as a TypeError.'),
    timeouts: counter('timeouts', 'Passes that were aborted because they took too long.'),
    seconds: new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'How long passes took.',
      labelNames,
      registers,
      buckets: PASS_BUCKETS,
    }),
    active: new Gauge({
      name: 'controller_runtime_active_workers',
      help: 'Passes that are running now.',
      labelNames,
      registers,
    }),
    most: new Gauge({
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Passes that may run at a time.',
      labelNames,
      registers,
    }),
  };
});

const leaderMetric = oncePerRegistry(
  (registry) =>
    new Gauge({
      name: 'leader_election_master_status',
      help: '1: this process leads. 0: it stands by.',
      labelNames: ['name'] as const,
      registers: [registry],
    }),
);

function oncePerRegistry<T>(declare: (registry: Registry) => T): (registry: Registry) => T {
  const declared = new WeakMap<Registry, T>();
  return (registry) => {
    const there = declared.get(registry);
    if (there !== undefined) return there;
    const metrics = declare(registry);
    declared.set(registry, metrics);
    return metrics;
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
