// Status and metrics say what happened, each number once and where one would look for it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, ask, makeConfig, type ProxyProcess, startApp, startProxy, until } from './rig.ts';

let folder: string;
let app: App;
let proxy: ProxyProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'metrics-'));
  writeFileSync(join(folder, 'a.css'), 'body{}');
  app = await startApp((request, response) => {
    response.statusCode = Number(request.url?.slice(1, 4));
    response.end();
  });
  const unreachable = { name: 'spare', weight: 0, endpoints: [{ address: '127.0.0.1:1' }] };
  proxy = await startProxy([], {
    groups: [{ name: 'current', weight: 1, endpoints: [{ address: app.address }] }, unreachable],
    static: [{ path: '/static', directories: [folder], maxAgeSeconds: 1, immutable: false }],
  });
  for (const path of ['/200', '/201', '/404', '/500?token=1', '/static/a.css']) await ask(proxy.port, { path });
});
afterAll(async () => {
  await proxy.close();
  await app.close();
  rmSync(folder, { recursive: true });
});

test('status', async () => {
  const status = await proxy.status();
  expect(status.requests).toEqual({
    total: 5,
    inFlight: 0,
    byClass: { '1xx': 0, '2xx': 3, '3xx': 0, '4xx': 1, '5xx': 1 },
    faults: {},
    retried: 0,
    static: 1,
  });
  expect(status).toMatchObject({
    state: 'running',
    name: 'test',
    pid: proxy.pid,
    connections: { max: 1000, upgraded: 0 },
    queue: { length: 0, max: 10_000, oldestMs: 0 },
    bytes: { received: 0, sent: 6 },
  });
  const { request, queue, upstream } = status.durations ?? {};
  const count = (durations: typeof request): number => durations?.counts.reduce((sum, one) => sum + one, 0) ?? 0;
  expect([request, queue, upstream].map(count)).toEqual([5, 4, 4]);
  expect(queue?.sumMs).toBe(0);
  expect(status.errors).toMatchObject([{ method: 'GET', path: '/500', status: 500, id: expect.stringMatching(/./) }]);
  expect(status.errors?.[0]).not.toHaveProperty('fault');
  expect(status.groups.map(({ name, endpoints }) => [name, endpoints.map(({ address }) => address)])).toEqual([
    ['current', [app.address]],
    ['spare', ['127.0.0.1:1']],
  ]);
});

test.each([
  'webapp_proxy_requests_total{method="GET",class="2xx",webapp="test"} 3',
  'webapp_proxy_requests_total{method="GET",class="5xx",webapp="test"} 1',
  'webapp_proxy_requests_total{method="other",class="5xx",webapp="test"} 0',
  'webapp_proxy_requests_in_flight{webapp="test"} 0',
  'webapp_proxy_static_total{webapp="test"} 1',
  'webapp_proxy_upstream_attempts_total{outcome="ok",webapp="test"} 4',
  'webapp_proxy_retried_total{connection="reused",webapp="test"} 0',
  'webapp_proxy_endpoints{group="current",state="ready",webapp="test"} 1',
  'webapp_proxy_request_seconds_count{webapp="test"} 5',
  'webapp_proxy_upstream_seconds_count{webapp="test"} 4',
  'webapp_proxy_queue_seconds_bucket{le="0.001",webapp="test"} 4',
  'webapp_proxy_queue_length{webapp="test"} 0',
  'webapp_proxy_sent_bytes_total{webapp="test"} 6',
  'webapp_proxy_upgraded_connections{webapp="test"} 0',
  'webapp_proxy_connections_max{webapp="test"} 1000',
  'webapp_proxy_config_refused{webapp="test"} 0',
  'webapp_proxy_access_log_dropped_total{webapp="test"} 0',
])('metrics: %s', async (line) => {
  expect((await proxy.admin('/metrics')).body.split('\n')).toContain(line);
});

test('the program lives, and is ready', async () => {
  expect(await proxy.admin('/healthz')).toEqual({ status: 200, body: 'ok\n' });
  expect(await proxy.admin('/readyz')).toEqual({ status: 200, body: 'ready\n' });
});

test('a refused configuration shows, and one that is taken says when and by what name', async () => {
  const metric = async (name: string): Promise<number> => {
    const line = (await proxy.admin('/metrics')).body.split('\n').find((each) => each.startsWith(`${name}{`));
    return Number(line?.split(' ').at(-1));
  };
  const applied = 'webapp_proxy_config_applied_timestamp_seconds';
  const before = await metric(applied);
  const config = makeConfig([app.address]);
  proxy.configure({ ...config, limits: { ...config.limits, connections: -1 } });
  await until(async () => (await metric('webapp_proxy_config_refused')) === 1, 'the refusal to show');
  expect(await metric(applied)).toBe(before);
  await proxy.apply({ ...config, name: 'another' });
  expect(await metric('webapp_proxy_config_refused')).toBe(0);
  expect(await metric(applied)).toBeGreaterThan(before);
  expect((await proxy.admin('/metrics')).body).not.toContain('webapp="test"');
});
