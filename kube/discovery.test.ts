import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { discover } from './discovery.ts';
import type { Resource } from './object.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { makeTransport, type Transport } from './transport.ts';

const resource = (group: string, plural: string): Resource => ({
  group,
  version: 'v1',
  plural,
  kind: plural,
  namespaced: true,
});
const ROUTES = resource('gateway.networking.k8s.io', 'httproutes');
const GRPC = resource('gateway.networking.k8s.io', 'grpcroutes');
const MONITORS = resource('monitoring.coreos.com', 'servicemonitors');
const PODS = resource('', 'pods');

let fake: FakeApiServer;
let transport: Transport;
beforeEach(async () => {
  fake = await startFakeApiServer({ resources: [ROUTES, PODS] });
  const log = makeLog(() => {}, Date.now, 'error');
  transport = makeTransport({ access: fake.access(), log, clock: systemClock, userAgent: 'test' });
});
afterEach(async () => {
  transport.close();
  await fake.close();
});

test('a group that is not there and a kind its group does not have are answers; one request for each group version', async () => {
  expect(await discover(transport, [ROUTES, GRPC, MONITORS, PODS])).toEqual(new Set([ROUTES, PODS]));
  expect(fake.requests.map(({ path }) => path).sort()).toEqual([
    '/api/v1',
    '/apis/gateway.networking.k8s.io/v1',
    '/apis/monitoring.coreos.com/v1',
  ]);
  fake.serve(MONITORS);
  fake.unserve(ROUTES);
  expect(await discover(transport, [ROUTES, MONITORS])).toEqual(new Set([MONITORS]));
});

test('a server that cannot be asked is an error', async () => {
  fake.fail({ path: /monitoring/ }, { status: 503 });
  await expect(discover(transport, [ROUTES, MONITORS])).rejects.toMatchObject({ code: 'API', status: 503 });
});

test.each(['{}', '{"resources":7}', '{"resources":[null,{},{"name":7}]}'])('%s lists nothing', async (answer) => {
  fake.fail({}, { answer });
  expect(await discover(transport, [ROUTES])).toEqual(new Set());
});
