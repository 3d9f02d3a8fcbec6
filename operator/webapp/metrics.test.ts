import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { type LogFields, makeLog } from '../../core/log.ts';
import { OPERATOR_METRICS } from '../../core/metrics.ts';
import type { KubeObject } from '../../kube/object.ts';
import { registerWebAppMetrics, type WebAppMetricsOptions } from './metrics.ts';

const webApp = (name: string, status?: object): KubeObject => ({
  apiVersion: 'webapp-operator.io/v1alpha1',
  kind: 'WebApp',
  metadata: { name, namespace: 'web' },
  ...(status && { status }),
});
const SERVING = {
  state: 'ImagePull',
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Serving', message: '', lastTransitionTime: '' },
    { type: 'Degraded', status: 'True', reason: 'ImagePull', message: '', lastTransitionTime: '' },
  ],
  problems: [
    { type: 'ImagePull', field: 'a', message: '', mend: '' },
    { type: 'ImagePull', field: 'b', message: '', mend: '' },
  ],
  pods: { desired: 2, ready: 1, updated: 1, summary: '1/2' },
  proxies: { desired: 3, ready: 3, summary: '3/3' },
  workers: { desired: 8, ready: 4, summary: '4/8' },
};

function rig(webApps: readonly KubeObject[], options: Partial<WebAppMetricsOptions> = {}) {
  const lines: LogFields[] = [];
  const registry = new Registry();
  registerWebAppMetrics(registry, {
    webApps: () => webApps,
    certificateOf: () => undefined,
    isLeading: () => true,
    log: makeLog(
      (line) => lines.push(JSON.parse(line) as LogFields),
      () => 0,
    ),
    ...options,
  });
  const samples = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { registry, lines, samples };
}

test('a WebApp is told of as its status has it', async () => {
  const certificateOf = () => ({ secret: 'shop-tls', expiresAt: 1_800_000_000_000 });
  const { samples } = rig([webApp('shop', SERVING)], { certificateOf });
  const own = 'namespace="web",webapp="shop"';
  expect(await samples()).toEqual([
    `webapp_operator_condition{${own},type="Ready",status="True",reason="Serving"} 1`,
    `webapp_operator_condition{${own},type="Degraded",status="True",reason="ImagePull"} 1`,
    `webapp_operator_problems{${own},type="ImagePull"} 2`,
    `webapp_operator_pods{${own},component="worker",state="desired"} 2`,
    `webapp_operator_pods{${own},component="worker",state="ready"} 1`,
    `webapp_operator_pods{${own},component="proxy",state="desired"} 3`,
    `webapp_operator_pods{${own},component="proxy",state="ready"} 3`,
    `webapp_operator_processes{${own},state="desired"} 8`,
    `webapp_operator_processes{${own},state="ready"} 4`,
    `webapp_operator_certificate_expiry_timestamp_seconds{${own},secret="shop-tls"} 1800000000`,
    'webapp_operator_webapps{state="ImagePull"} 1',
    'webapp_operator_webapps_untold 0',
  ]);
});

test('one that was not looked at yet is counted', async () => {
  const { samples } = rig([webApp('new')]);
  expect(await samples()).toEqual(['webapp_operator_webapps{state="Unknown"} 1', 'webapp_operator_webapps_untold 0']);
});

test('words that nobody here writes are no labels', async () => {
  const { samples } = rig([
    webApp('odd', {
      state: 'x'.repeat(64),
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Nonsense' },
        { type: 'constructor', status: 'True', reason: 'name' },
      ],
      problems: [{ type: 'toString' }],
    }),
  ]);
  expect(await samples()).toEqual(['webapp_operator_webapps{state="Unknown"} 1', 'webapp_operator_webapps_untold 0']);
});

test('only the one that leads tells', async () => {
  let isLeading = false;
  const { samples } = rig([webApp('shop', SERVING)], { isLeading: () => isLeading });
  expect(await samples()).toEqual(['webapp_operator_webapps_untold 0']);
  isLeading = true;
  expect(await samples()).toContain('webapp_operator_webapps{state="ImagePull"} 1');
});

test('of too many some are told by name, and how many are not is said, once in the log', async () => {
  const webApps = [webApp('a', SERVING), webApp('b', SERVING), webApp('c', SERVING)];
  const { samples, lines } = rig(webApps, { most: 2 });
  await samples();
  const told = await samples();
  expect(told.filter((line) => line.startsWith('webapp_operator_problems'))).toHaveLength(2);
  expect(told).toContain('webapp_operator_webapps{state="ImagePull"} 3');
  expect(told).toContain('webapp_operator_webapps_untold 1');
  expect(lines).toMatchObject([{ level: 'warn', most: 2, untold: 1 }]);
});

test('it registers the table, but for what the client counts', () => {
  const { registry } = rig([]);
  const names = [...registry.getMetricsAsArray().map(({ name }) => name), 'webapp_operator_api_writes_total'];
  expect(names.sort()).toEqual(Object.keys(OPERATOR_METRICS).sort());
});
