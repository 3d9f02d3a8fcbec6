// docs/metrics.md against programs that run and have had traffic: every metric that it names is told, with its labels; nothing else is.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMON_LABEL, type Metric, PROXY_METRICS, WORKER_METRICS } from '../../core/metrics.ts';
import { STANDARD_FAMILIES } from '../../core/metrics-reference.ts';
import { SHOPS, type Stack, startStack, until } from '../laptop/stack.ts';

const PROGRAMS: readonly (readonly ['proxy' | 'worker', Readonly<Record<string, Metric>>])[] = [
  ['proxy', PROXY_METRICS],
  ['worker', WORKER_METRICS],
];
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';
const PROMTOOL = '/usr/bin/promtool';
/** Told by a proxy that finds its workers by EndpointSlices only, which no laptop has. */
const IN_CLUSTERS_ONLY = ['webapp_proxy_discovery_in_step'];

describe.each(SHOPS)('$name', ({ name, app }) => {
  test('every metric is told with its labels, and no other is', async () => {
    const stack = await startStack(`examples/${name}`, { app, workers: { processes: 2 } });
    await makeTraffic(stack);
    for (const [program, table] of PROGRAMS) {
      const told = familiesOf(await stack.metrics(program));
      const own = Object.keys(table).filter((metric) => !IN_CLUSTERS_ONLY.includes(metric));
      expect(own.filter((metric) => (told.get(metric)?.labels.size ?? 0) === 0)).toEqual([]);
      expect([...told.keys()].filter((metric) => !(metric in table) && !isUsual(program, metric))).toEqual([]);
      for (const metric of own)
        expect([metric, ...describeTold(told, metric)]).toEqual([metric, ...describeWanted(table, metric)]);
    }
  });

  test('what the worker has counted outlives the processes of the application', async () => {
    const stack = await startStack(`examples/${name}`, { app, workers: { processes: 1 } });
    await makeTraffic(stack);
    const before = await countersOf(stack);
    const [first] = (await stack.workerStatus()).list;
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until('another process is ready', async () => {
      const { list } = await stack.workerStatus();
      return list.some(({ pid, state }) => pid !== first?.pid && state === 'ready') ? true : undefined;
    });
    const after = await countersOf(stack);
    expect(before.size).toBeGreaterThan(0);
    expect([...before].filter(([series, value]) => (after.get(series) ?? 0) < value)).toEqual([]);
    expect(after.get(ENDS_BY_SIGNAL)).toBe((before.get(ENDS_BY_SIGNAL) ?? 0) + 1);
  });

  test('OpenMetrics has the same families', async () => {
    const stack = await startStack(`examples/${name}`, { app, workers: { processes: 1 } });
    for (const [program] of PROGRAMS) {
      const [text, open] = [await stack.metrics(program), await stack.metrics(program, OPEN_METRICS)];
      const inText = [...familiesOf(text).keys()].map((metric) => metric.replace(/_total$/, ''));
      expect([...familiesOf(open).keys()]).toEqual(inText);
      expect(open.endsWith('\n# EOF\n')).toBe(true);
    }
  });

  test.skipIf(!existsSync(PROMTOOL) && process.env['CI'] === undefined)(
    `Prometheus' own check finds nothing (skipped without ${PROMTOOL}: npm run cluster install)`,
    async () => {
      const stack = await startStack(`examples/${name}`, { app, workers: { processes: 1 } });
      await makeTraffic(stack);
      for (const [program] of PROGRAMS) {
        const { status, stdout, stderr, error } = spawnSync(PROMTOOL, ['check', 'metrics'], {
          input: await stack.metrics(program),
          encoding: 'utf8',
        });
        expect([program, status, stdout, stderr, error]).toEqual([program, 0, '', '', undefined]);
      }
    },
  );
});

const ENDS_BY_SIGNAL = 'webapp_worker_process_ends_total{cause="signal",webapp="app"}';

/** Counters and counts of histograms of the worker's own, by series. */
async function countersOf(stack: Stack): Promise<Map<string, number>> {
  const samples = (await stack.metrics('worker')).matchAll(
    /^(webapp_worker_\w+(?:_total|_count|_bucket)\{[^}]*\}) (\S+)$/gm,
  );
  return new Map([...samples].map(([, series = '', value]) => [series, Number(value)]));
}

async function makeTraffic({ url }: Stack): Promise<void> {
  for (const path of ['/', '/healthz', '/nowhere', '/static/nothing.css']) {
    const response = await fetch(`${url}${path}`);
    await response.arrayBuffer();
  }
  await fetch(`${url}/`, { method: 'DELETE' }).then((response) => response.arrayBuffer());
}

function isUsual(program: 'proxy' | 'worker', metric: string): boolean {
  return STANDARD_FAMILIES.some(({ prefix, programs }) => programs.includes(program) && metric.startsWith(prefix));
}

interface Family {
  readonly type: string;
  readonly help: string;
  /** The names of the labels of each sample, sorted, without those of a histogram's buckets. */
  readonly labels: Set<string>;
}

const describeTold = (told: ReadonlyMap<string, Family>, metric: string): readonly unknown[] => {
  const family = told.get(metric);
  return [family?.type, family?.help, [...(family?.labels ?? [])]];
};

const describeWanted = (table: Readonly<Record<string, Metric>>, metric: string): readonly unknown[] => {
  const { type, help, labels } = table[metric] ?? {};
  return [type, help, [[...Object.keys(labels ?? {}), COMMON_LABEL].sort().join(',')]];
};

/** Reads either format. */
function familiesOf(exposition: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let help = '';
  let current: Family | undefined;
  for (const line of exposition.split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') help = rest;
    else if (keyword === 'TYPE') {
      current = { type: rest, help, labels: new Set() };
      families.set(name, current);
    } else if (line !== '' && !line.startsWith('#')) current?.labels.add(labelNames(line));
  }
  return families;
}

function labelNames(sample: string): string {
  const names = [...sample.replace(/ # \{.*$/, '').matchAll(/[{,](\w+)="/g)].map((match) => match[1] ?? '');
  return names
    .filter((name) => name !== 'le')
    .sort()
    .join(',');
}
