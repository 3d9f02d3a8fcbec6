// Names that are not ours are held to what the operator registers.
import { Counter, Gauge, Histogram, type Metric as Registered, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { controllerMeter, leaderMeter, queueMeter } from '../kube/metrics.ts';
import { makeRestMetrics } from '../kube/transport/rest-metrics.ts';
import { CONTROLLER_NAME, RUNTIME_METRICS } from './runtime-metrics.ts';

/** Of every program, by prom-client. */
const OF_A_PROCESS = /^process_/;

test('each is registered, with its kind and labels', () => {
  const registry = new Registry();
  const probe = { depths: () => ({ live: 0, background: 0 }), inWorkMs: () => [] };
  queueMeter(registry, CONTROLLER_NAME, probe).end();
  controllerMeter(registry, CONTROLLER_NAME, 1);
  leaderMeter(registry, 'any');
  makeRestMetrics(registry, 'api');
  for (const [name, { type, ...more }] of Object.entries(RUNTIME_METRICS)) {
    if (OF_A_PROCESS.test(name)) continue;
    const found = registry.getSingleMetric(name);
    expect([name, found && typeOf(found)]).toEqual([name, type]);
    expect([name, labelsOf(found)]).toEqual([name, Object.keys('labels' in more ? more.labels : {}).sort()]);
  }
});

function typeOf(metric: Registered): string {
  if (metric instanceof Counter) return 'counter';
  return metric instanceof Gauge ? 'gauge' : metric instanceof Histogram ? 'histogram' : 'summary';
}

/** prom-client has them, and does not tell its types. */
function labelsOf(metric: Registered | undefined): string[] {
  const { labelNames = [] } = (metric ?? {}) as { labelNames?: string[] };
  return [...labelNames].sort();
}
