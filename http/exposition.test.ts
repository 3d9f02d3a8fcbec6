import { Counter, Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { PROXY_METRICS } from '../core/metrics.ts';
import { expose, wantsOpenMetrics } from './exposition.ts';
import { nameWebapp, oncePerTurn, registerMetrics } from './metrics.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { TracedDurations } from './traced-durations.ts';

/** As Prometheus 2.42 and 3.5 ask. */
const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

test.each([
  [PROMETHEUS_2, true],
  [PROMETHEUS_3, true],
  ['application/openmetrics-text', true],
  ['Application/OpenMetrics-Text; Version=1.0.0', true],
  ['', false],
  ['*/*', false],
  ['text/html,application/xhtml+xml,*/*;q=0.8', false],
  ['text/plain, application/openmetrics-text;q=0.5', false],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text;q=x', false],
  ['application/openmetrics-text;version=0.0.1', false],
])('Accept: %s: OpenMetrics %s', (accept, wanted) => {
  expect(wantsOpenMetrics(accept)).toBe(wanted);
});

const OPEN = 'application/openmetrics-text';

function makeRegistry(): Registry {
  const registry = new Registry();
  const durations = new TracedDurations();
  durations.observe(4);
  durations.observe(40, 'a'.repeat(32));
  durations.observe(45, 'b'.repeat(32));
  durations.observe(70_000, 'c'.repeat(32));
  const table = {
    a_seconds: { type: 'histogram', help: 'How long.' },
    a_total: { type: 'counter', help: 'How many.', labels: { kind: 'x, y' } },
    a_length: { type: 'gauge', help: 'How long a line.' },
  } as const;
  registerMetrics(registry, 'a_', table, {
    seconds: durations,
    total: () => [
      { labels: { kind: 'x' }, value: 3 },
      { labels: { kind: 'y' }, value: 0 },
    ],
    length: () => 7,
  });
  nameWebapp(registry, 'sh"op');
  return registry;
}

test('text: each bucket with all below it, in seconds; every value has the name of its WebApp', async () => {
  const { contentType, body } = await expose(makeRegistry(), '');
  expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = body.split('\n');
  for (const line of [
    '# HELP a_seconds How long.',
    '# TYPE a_seconds histogram',
    'a_seconds_bucket{le="0.003",webapp="sh\\"op"} 0',
    'a_seconds_bucket{le="0.005",webapp="sh\\"op"} 1',
    'a_seconds_bucket{le="0.05",webapp="sh\\"op"} 3',
    'a_seconds_bucket{le="60",webapp="sh\\"op"} 3',
    'a_seconds_bucket{le="+Inf",webapp="sh\\"op"} 4',
    'a_seconds_sum{webapp="sh\\"op"} 70.089',
    'a_seconds_count{webapp="sh\\"op"} 4',
    '# TYPE a_total counter',
    'a_total{kind="x",webapp="sh\\"op"} 3',
    'a_length{webapp="sh\\"op"} 7',
  ])
    expect(lines).toContain(line);
  expect(body).not.toContain('trace_id');
});

test('OpenMetrics: counters by their family, the latest exemplar of each bucket, an end', async () => {
  const { contentType, body } = await expose(makeRegistry(), OPEN);
  expect(contentType).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  expect(body).toContain('# TYPE a counter\na_total{kind="x",webapp="sh\\"op"} 3\n');
  const exemplars = body.split('\n').filter((line) => line.includes('trace_id'));
  expect(exemplars.map((line) => line.replace(/[\d.]+$/, 'TIME'))).toEqual([
    `a_seconds_bucket{le="0.05",webapp="sh\\"op"} 3 # {trace_id="${'b'.repeat(32)}"} 0.045 TIME`,
    `a_seconds_bucket{le="+Inf",webapp="sh\\"op"} 4 # {trace_id="${'c'.repeat(32)}"} 70 TIME`,
  ]);
  expect(body.endsWith('\n# EOF\n')).toBe(true);
});

test('neither format disturbs the other, one after the other or at the same time', async () => {
  const registry = makeRegistry();
  registerProcessMetrics(registry);
  new Counter({ name: 'plain_total', help: 'Kept by prom-client.', registers: [registry] }).inc(5);
  new Gauge({ name: 'plain', help: 'Beside it.', registers: [registry] }).set(6);
  const families = ({ body }: { body: string }): string[] => body.match(/^# TYPE .*$/gm) ?? [];
  const [text, open] = [await expose(registry, ''), await expose(registry, OPEN)];
  const together = await Promise.all(['', OPEN, '', OPEN].map((accept) => expose(registry, accept)));
  expect(together.map(families)).toEqual([text, open, text, open].map(families));
  expect(text.body).toContain('\nplain_total{webapp="sh\\"op"} 5\n');
  expect(together[2]?.body).toContain('\nplain_total{webapp="sh\\"op"} 5\n');
  expect(open.body).toContain('\nplain_total{webapp="sh\\"op"} 5\n');
  expect(together[2]?.body).toMatch(/^process_cpu_seconds_total\{webapp="sh\\"op"\} [\d.e-]+$/m);
});

test('a WebApp that is given another name has it on all metrics', async () => {
  const registry = makeRegistry();
  registerProcessMetrics(registry);
  await expose(registry, '');
  await expose(registry, OPEN);
  nameWebapp(registry, 'cart');
  const { body } = await expose(registry, '');
  const values = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(values.filter((line) => !line.includes('webapp="cart"'))).toEqual([]);
});

test('what is not in the table, or has a source of another kind, cannot be registered', () => {
  const register = (sources: object): void =>
    registerMetrics(new Registry(), 'webapp_proxy_', PROXY_METRICS, sources as never);
  expect(() => register({})).toThrow('webapp_proxy_requests_total has no source');
  expect(() => register({ requests_total: new TracedDurations() })).toThrow('does not fit a counter');
});

test('what all metrics of a scrape read is asked for once', async () => {
  let asked = 0;
  const read = oncePerTurn(() => ++asked);
  expect([read(), read()]).toEqual([1, 1]);
  await Promise.resolve();
  expect(read()).toBe(2);
});
