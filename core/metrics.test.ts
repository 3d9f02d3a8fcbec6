import { expect, test } from 'vitest';
import { type Metric, OPERATOR_METRICS, PROXY_METRICS, WORKER_METRICS } from './metrics.ts';

const ALL: Readonly<Record<string, Metric>> = { ...PROXY_METRICS, ...WORKER_METRICS, ...OPERATOR_METRICS };
const entries = Object.entries(ALL);

test('no two metrics have one name in OpenMetrics, which takes _total off', () => {
  const families = entries.map(([name]) => name.replace(/_total$/, ''));
  expect(families.filter((name, i) => families.indexOf(name) !== i)).toEqual([]);
});

test('counters end in _total, and nothing else does', () => {
  expect(entries.filter(([name, { type }]) => name.endsWith('_total') !== (type === 'counter'))).toEqual([]);
});

test('names and labels are as Prometheus wants them, and the meaning is a sentence', () => {
  for (const [name, { help, labels = {} }] of entries) {
    expect(name).toMatch(/^webapp_(proxy|worker|operator)(_[a-z]+)+$/);
    for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z]+$/);
    expect(help).toMatch(/^\S.*\.$/);
  }
});
