// Every rule by Prometheus' own tool: it parses, comes when it must, and stays away when it must.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ALERTS, type AlertName, makeAlerts } from './alerts.ts';
import { makeRuleGroups } from './files.ts';
import { makePlaceholders, makeSettings } from './settings.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rules-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Scenario {
  readonly what: string;
  /** Series → values, as promtool has them. One each minute. */
  readonly series: Readonly<Record<string, string>>;
  /** When to look. */
  readonly at: string;
  /** Severity and marks of what fires then. Empty: nothing does. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const SHOP = 'namespace="web", webapp="shop"';
const WEB_SHOP = { namespace: 'web', webapp: 'shop' };
const critical = { ...WEB_SHOP, severity: 'critical' };
const warning = { ...WEB_SHOP, severity: 'warning' };

/** 100 requests a minute, of which so many fail. */
function traffic(failed: number, minutes: number): Scenario['series'] {
  const requests = (of: string, a: number): [string, string] => [
    `webapp_proxy_requests_total{${SHOP}, method="GET", class="${of}"}`,
    `0+${a}x${minutes}`,
  ];
  return {
    ...Object.fromEntries([requests('2xx', 100 - failed), requests('5xx', failed)]),
    [`webapp_proxy_faults_total{${SHOP}, code="MAINTENANCE"}`]: `0x${minutes}`,
  };
}

/** Requests that take `queue` seconds to find a process: a bucket below, and one above. */
function queued(program: string, queue: 'short' | 'long'): Scenario['series'] {
  const bucket = (le: string, step: number): [string, string] => [
    `webapp_${program}_queue_seconds_bucket{${SHOP}, le="${le}"}`,
    `0+${step}x60`,
  ];
  return Object.fromEntries([bucket('0.3', queue === 'short' ? 60 : 0), bucket('1', 60), bucket('+Inf', 60)]);
}

const slots = (busy: number, idle: number): Scenario['series'] => ({
  [`webapp_worker_slots{${SHOP}, pod="a", state="busy"}`]: `${busy}x60`,
  [`webapp_worker_slots{${SHOP}, pod="a", state="idle"}`]: `${idle}x60`,
  [`webapp_worker_slots{${SHOP}, pod="a", state="booting"}`]: '100x60',
});

const ends = (cause: string, values: string): Scenario['series'] => ({
  [`webapp_worker_process_ends_total{${SHOP}, pod="a", cause="${cause}"}`]: values,
});

/** As Prometheus has it where the operator's pod has a namespace, and its labels are not honoured; or where they are. */
const told = (metric: string, labels: string, values: string, honoured = false): Scenario['series'] => {
  const where = honoured ? 'namespace="web"' : 'namespace="operator", exported_namespace="web"';
  return { [`webapp_operator_${metric}{${where}, webapp="shop", ${labels}}`]: values };
};

const condition = (type: string, status: string, reason: string, values: string, honoured = false) =>
  told('condition', `type="${type}", status="${status}", reason="${reason}"`, values, honoured);

const processes = (desired: string, ready: string): Scenario['series'] => ({
  [`webapp_worker_processes{${SHOP}, pod="a", state="desired"}`]: desired,
  [`webapp_worker_processes{${SHOP}, pod="a", state="ready"}`]: ready,
});

/** As two proxies see them. */
const endpoints = (failing: string): Scenario['series'] => ({
  [`webapp_proxy_endpoints{${SHOP}, pod="a", group="current", state="failing"}`]: failing,
  [`webapp_proxy_endpoints{${SHOP}, pod="b", group="current", state="failing"}`]: '0x20',
  [`webapp_proxy_endpoints{${SHOP}, pod="a", group="current", state="ready"}`]: '1x20',
});

const expiry = (seconds: number): Scenario['series'] =>
  told('certificate_expiry_timestamp_seconds', 'secret="shop-tls"', `${seconds}x60`);

const AT = 'namespace="operator", job="pods", instance="10.0.0.1:9100"';
const operator = (leads: number, depth: number, passes: string, longest = 0): Scenario['series'] => ({
  [`leader_election_master_status{${AT}, name="webapp-operator"}`]: `${leads}x60`,
  [`workqueue_depth{${AT}, name="webapp", controller="webapp", priority="0"}`]: `${depth}x60`,
  [`workqueue_longest_running_processor_seconds{${AT}, name="webapp", controller="webapp"}`]: `${longest}x60`,
  [`controller_runtime_reconcile_total{${AT}, controller="webapp", result="success"}`]: passes,
});

const DAY_S = 86_400;

const SCENARIOS: Readonly<Record<AlertName, readonly Scenario[]>> = {
  WebAppErrorBudgetBurn: [
    {
      what: 'two in a hundred fail',
      series: traffic(2, 80),
      at: '40m',
      fires: ['1h', '6h'].map((window) => ({ ...critical, window })),
    },
    { what: 'one in ten thousand fails', series: traffic(0.01, 400), at: '400m', fires: [] },
    {
      what: 'one in a hundred fails, for long',
      series: traffic(0.8, 400),
      at: '400m',
      fires: [{ ...critical, window: '6h' }, ...['1d', '3d'].map((window) => ({ ...warning, window }))],
    },
    {
      what: 'four in a thousand fail, for long',
      series: traffic(0.4, 400),
      at: '400m',
      fires: ['1d', '3d'].map((window) => ({ ...warning, window })),
    },
    {
      what: 'all is well again',
      series: {
        ...traffic(0, 500),
        [`webapp_proxy_requests_total{${SHOP}, method="GET", class="5xx"}`]: '0+50x20 1000x480',
      },
      at: '430m',
      fires: [],
    },
    {
      what: 'it is suspended: the maintenance page is no failure',
      series: { ...traffic(50, 80), [`webapp_proxy_faults_total{${SHOP}, code="MAINTENANCE"}`]: '0+50x80' },
      at: '70m',
      fires: [],
    },
    {
      what: 'nobody comes',
      series: { [`webapp_proxy_requests_total{${SHOP}, method="GET", class="5xx"}`]: '7x80' },
      at: '70m',
      fires: [],
    },
  ],
  WebAppRequestsWait: [
    {
      what: 'in the worker',
      series: { ...queued('worker', 'long'), ...queued('proxy', 'short') },
      at: '30m',
      fires: [warning],
    },
    {
      what: 'in the proxy',
      series: { ...queued('worker', 'short'), ...queued('proxy', 'long') },
      at: '30m',
      fires: [warning],
    },
    { what: 'not yet for long', series: queued('worker', 'long'), at: '8m', fires: [] },
    { what: 'hardly', series: { ...queued('worker', 'short'), ...queued('proxy', 'short') }, at: '30m', fires: [] },
  ],
  WebAppSaturated: [
    { what: 'all are busy', series: slots(8, 0), at: '30m', fires: [warning] },
    { what: 'not yet for long', series: slots(8, 0), at: '14m', fires: [] },
    { what: 'some are idle', series: slots(7, 1), at: '30m', fires: [] },
  ],
  WebAppWorkerUnreachable: [
    { what: 'one of two', series: endpoints('1x20'), at: '10m', fires: [warning] },
    { what: 'for as long as a rollout', series: endpoints('0x4 1x3 0x20'), at: '10m', fires: [] },
    { what: 'none', series: endpoints('0x20'), at: '10m', fires: [] },
  ],
  WebAppCrashLoop: [
    {
      what: 'by the kernel, for want of memory',
      series: ends('oom', '0 0 1 2 3x20'),
      at: '6m',
      fires: [{ ...critical, cause: 'oom' }],
    },
    { what: 'long ago', series: ends('oom', '0 0 1 2 3x40'), at: '30m', fires: [] },
    { what: 'once', series: ends('signal', '0 0 1x20'), at: '6m', fires: [] },
    { what: 'as they are meant to', series: ends('max-requests', '0+1x20'), at: '15m', fires: [] },
    {
      what: 'whole containers',
      series: told('problems', 'type="Crashing"', '1x20'),
      at: '6m',
      fires: [{ ...critical, cause: 'Crashing' }],
    },
    { what: 'another problem', series: told('problems', 'type="ImagePull"', '1x20'), at: '6m', fires: [] },
  ],
  WebAppNoReadyProcess: [
    { what: 'none of two', series: processes('2x20', '0x20'), at: '6m', fires: [{ ...critical, seen_by: 'worker' }] },
    {
      what: 'none of one pod, some of another',
      series: {
        ...processes('2x20', '0x20'),
        [`webapp_worker_processes{${SHOP}, pod="b", state="ready"}`]: '1x20',
      },
      at: '6m',
      fires: [],
    },
    { what: 'none is wanted', series: processes('0x20', '0x20'), at: '6m', fires: [] },
    {
      what: 'the operator sees no worker pod',
      series: condition('Ready', 'False', 'NoReadyWorker', '1x20'),
      at: '6m',
      fires: [{ ...critical, seen_by: 'operator', reason: 'NoReadyWorker' }],
    },
    { what: 'it is suspended', series: condition('Ready', 'False', 'Suspended', '1x20'), at: '6m', fires: [] },
  ],
  WebAppCertificateExpires: [
    {
      what: 'tomorrow',
      series: expiry(DAY_S),
      at: '30m',
      fires: ['critical', 'warning'].map((severity) => ({ ...WEB_SHOP, severity, secret: 'shop-tls' })),
    },
    { what: 'in a week', series: expiry(7 * DAY_S), at: '30m', fires: [{ ...warning, secret: 'shop-tls' }] },
    { what: 'in a month', series: expiry(30 * DAY_S), at: '30m', fires: [] },
  ],
  WebAppRolloutStuck: [
    {
      what: 'it failed',
      series: condition('Progressing', 'False', 'DeadlineExceeded', '1x60', true),
      at: '6m',
      fires: [{ ...critical, reason: 'DeadlineExceeded' }],
    },
    {
      what: 'it takes long',
      series: condition('Progressing', 'True', 'RollingOut', '1x60'),
      at: '40m',
      fires: [{ ...warning, reason: 'RollingOut' }],
    },
    { what: 'it takes its time', series: condition('Progressing', 'True', 'RollingOut', '1x60'), at: '20m', fires: [] },
    { what: 'it is over', series: condition('Progressing', 'False', 'Complete', '1x60'), at: '40m', fires: [] },
  ],
  WebAppConfigNotApplied: [
    {
      what: 'a worker refused it',
      series: { [`webapp_worker_config_refused{${SHOP}, pod="a"}`]: '1x20' },
      at: '10m',
      fires: [{ ...warning, seen_by: 'program', program: 'worker', pod: 'a' }],
    },
    {
      what: 'a proxy refused it',
      series: { [`webapp_proxy_config_refused{${SHOP}, pod="b"}`]: '1x20' },
      at: '10m',
      fires: [{ ...warning, seen_by: 'program', program: 'proxy', pod: 'b' }],
    },
    {
      what: 'it was taken',
      series: { [`webapp_worker_config_refused{${SHOP}, pod="a"}`]: '0x20' },
      at: '10m',
      fires: [],
    },
    {
      what: 'a pod does not get it',
      series: condition('ConfigApplied', 'False', 'Applying', '1x20'),
      at: '15m',
      fires: [{ ...warning, seen_by: 'operator', reason: 'Applying' }],
    },
    { what: 'it is on its way', series: condition('ConfigApplied', 'False', 'Applying', '1x20'), at: '5m', fires: [] },
  ],
  WebAppOperatorNotReconciling: [
    {
      what: 'there is none',
      series: {},
      at: '10m',
      fires: [{ severity: 'critical', cause: 'no operator', name: 'webapp-operator' }],
    },
    {
      what: 'none leads',
      series: operator(0, 0, '0x60'),
      at: '10m',
      fires: [{ severity: 'critical', cause: 'no leader', namespace: 'operator', job: 'pods' }],
    },
    {
      what: 'its queue stands still',
      series: operator(1, 3, '9x60'),
      at: '30m',
      fires: [
        {
          severity: 'critical',
          cause: 'queue stands still',
          namespace: 'operator',
          job: 'pods',
          instance: '10.0.0.1:9100',
        },
      ],
    },
    {
      what: 'a pass hangs',
      series: operator(1, 0, '9x60', 900),
      at: '30m',
      fires: [
        {
          severity: 'critical',
          cause: 'queue stands still',
          namespace: 'operator',
          job: 'pods',
          instance: '10.0.0.1:9100',
        },
      ],
    },
    { what: 'it has much to do', series: operator(1, 30, '0+50x60'), at: '30m', fires: [] },
    { what: 'it has nothing to do', series: operator(1, 0, '9x60'), at: '30m', fires: [] },
    {
      what: 'one leads, another stands by with a full queue',
      series: {
        ...operator(1, 0, '9x60'),
        ...Object.fromEntries(
          Object.entries(operator(0, 9, '0x60')).map(([name, values]) => [
            name.replace('10.0.0.1', '10.0.0.2'),
            values,
          ]),
        ),
      },
      at: '30m',
      fires: [],
    },
  ],
};

describe.each(Object.entries(SCENARIOS))('%s', (alert, scenarios) => {
  test('each of its rules fires in one of them, and there is one in which none does', () => {
    const rules = makeAlerts(makeSettings()).filter((rule) => rule.alert === alert);
    const unseen = rules.filter(
      ({ labels }) =>
        !scenarios.some(({ fires }) =>
          fires.some((found) => Object.entries(labels).every(([label, value]) => found[label] === value)),
        ),
    );
    expect(unseen).toEqual([]);
    expect(scenarios.some(({ fires }) => fires.length === 0)).toBe(true);
  });

  test.each(scenarios)('$what', async ({ series, at, fires }) => {
    const firing = `ALERTS{alertname="${alert}", alertstate="firing"}`;
    const samples = fires.map((labels) => ({ labels: ofAlert(alert, labels), value: 1 }));
    const said = await promtool(
      'test',
      'rules',
      await testFile(series, { expr: firing, eval_time: at, exp_samples: samples }),
    );
    expect(said).toContain('SUCCESS');
  });
});

test('all of them pass promtool check, as do those of the chart', async () => {
  expect(await promtool('check', 'rules', await rulesFile())).toContain('SUCCESS: 32 rules found');
  const placeholders = await write({ groups: makeRuleGroups({ ...makePlaceholders(), budget: '1e-05' }) });
  expect(await promtool('check', 'rules', placeholders)).toContain('SUCCESS');
});

test('tests may shorten what rules wait for, and nothing else', () => {
  const names = Object.keys(ALERTS);
  const short = makeAlerts({ ...makeSettings(), time: () => '7s' });
  expect(new Set(short.map(({ alert }) => alert))).toEqual(new Set(names));
  for (const [i, { alert, for: hold, ...rest }] of short.entries()) {
    const { alert: same, for: _, ...long } = makeAlerts(makeSettings())[i] ?? { alert: '' };
    expect([alert, hold]).toEqual([same, '7s']);
    expect(JSON.stringify(long).replace(/\[10m\]/g, '[7s]')).toBe(JSON.stringify(rest));
  }
});

function ofAlert(alertname: string, labels: Readonly<Record<string, string>>): string {
  const all = Object.entries({ alertname, alertstate: 'firing', ...labels });
  return `ALERTS{${all.map(([label, value]) => `${label}="${value}"`).join(', ')}}`;
}

let files = 0;

async function write(content: object): Promise<string> {
  const path = join(folder, `${++files}.yaml`);
  await writeFile(path, stringify(content));
  return path;
}

const rulesFile = (): Promise<string> => write({ groups: makeRuleGroups(makeSettings()) });

async function testFile(series: Scenario['series'], expected: object): Promise<string> {
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values }));
  return write({
    rule_files: [await rulesFile()],
    evaluation_interval: '1m',
    tests: [{ interval: '1m', input_series: input, promql_expr_test: [expected] }],
  });
}

/** @returns what it said, also when it fails */
function promtool(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('promtool', args, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(new Error(`promtool (Debian: prometheus): ${error.message}`));
      else resolve(stdout + stderr);
    });
  });
}
