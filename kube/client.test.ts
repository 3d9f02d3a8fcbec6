import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { type Client, makeClient } from './client.ts';
import { isConflict, isNotFound } from './errors.ts';
import type { KubeObject, Resource } from './object.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { makeTransport, type Transport } from './transport.ts';

const WEB_APPS: Resource = { group: 'example.io', version: 'v1', plural: 'webapps', kind: 'WebApp', namespaced: true };
const PLACE = { namespace: 'shop', name: 'a' };
const webApp = (spec: object, more: object = {}): KubeObject => ({
  apiVersion: 'example.io/v1',
  kind: 'WebApp',
  metadata: { ...PLACE },
  spec,
  ...more,
});

let fake: FakeApiServer;
let transport: Transport;
let client: Client;
const registry = new Registry();
beforeEach(async () => {
  fake = await startFakeApiServer();
  const log = makeLog(() => {}, Date.now, 'error');
  transport = makeTransport({ access: fake.access(), log, clock: systemClock, userAgent: 'test' });
  client = makeClient({ transport, fieldManager: 'me', registry, metricPrefix: 'test' });
});
afterEach(async () => {
  transport.close();
  await fake.close();
});

async function writes(): Promise<Record<string, number>> {
  const metric = await registry.getSingleMetric('test_api_writes_total')?.get();
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [`${labels['kind']} ${labels['verb']}`, value]),
  );
}

test('apply sends the whole intent as this manager, by force, and brings back the object without managedFields', async () => {
  const applied = await client.apply(WEB_APPS, webApp({ n: 1 }));
  expect(fake.requests.at(-1)).toMatchObject({
    method: 'PATCH',
    path: '/apis/example.io/v1/namespaces/shop/webapps/a',
    query: { fieldManager: 'me', force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: webApp({ n: 1 }),
  });
  expect(applied).toMatchObject({ spec: { n: 1 }, metadata: { name: 'a', resourceVersion: /./ } } as object);
  expect(fake.get(WEB_APPS, PLACE)?.metadata).toHaveProperty('managedFields');
  expect(applied.metadata).not.toHaveProperty('managedFields');
  expect((await client.get(WEB_APPS, PLACE)).metadata).not.toHaveProperty('managedFields');
});

test('apply to a subresource, and as another manager', async () => {
  await client.apply(WEB_APPS, webApp({ n: 1 }));
  await client.apply(WEB_APPS, webApp({}, { status: { ready: 1 } }), { subresource: 'status', fieldManager: 'other' });
  expect(fake.requests.at(-1)).toMatchObject({
    path: expect.stringMatching(/\/a\/status$/),
    query: { fieldManager: 'other' },
  });
  expect(fake.get(WEB_APPS, PLACE)).toMatchObject({ spec: { n: 1 }, status: { ready: 1 } });
});

test('create, patch and replace; a replace of what is no longer so is a conflict', async () => {
  const made = await client.create(WEB_APPS, webApp({ n: 1 }));
  await client.patch(WEB_APPS, PLACE, { spec: { m: 2 }, metadata: { annotations: { x: 'y' } } });
  const replaced = client.replace(WEB_APPS, { ...made, spec: { n: 3 } });
  expect(await replaced.catch(isConflict)).toBe(true);
  const now = await client.get(WEB_APPS, PLACE);
  expect(now).toMatchObject({ spec: { n: 1, m: 2 }, metadata: { annotations: { x: 'y' } } });
  expect(await client.replace(WEB_APPS, { ...now, spec: { n: 4 } })).toMatchObject({ spec: { n: 4 } });
  await client.replace(WEB_APPS, { ...webApp({}), status: { z: 1 } }, { subresource: 'status' });
  expect(fake.get(WEB_APPS, PLACE)).toMatchObject({ spec: { n: 4 }, status: { z: 1 } });
  expect(await client.create(WEB_APPS, webApp({})).catch(isConflict)).toBe(true);
});

test('remove takes exactly what was seen; what is gone is done', async () => {
  const seen = (await client.create(WEB_APPS, webApp({ n: 1 }))).metadata;
  fake.put(WEB_APPS, webApp({ n: 2 }));
  expect(await client.remove(WEB_APPS, seen).catch(isConflict)).toBe(true);
  await client.remove(WEB_APPS, (await client.get(WEB_APPS, PLACE)).metadata);
  expect(fake.list(WEB_APPS)).toEqual([]);
  expect(fake.requests.at(-1)?.body).toMatchObject({ kind: 'DeleteOptions', propagationPolicy: 'Background' });
  await client.remove(WEB_APPS, seen);
  expect(await client.get(WEB_APPS, PLACE).catch(isNotFound)).toBe(true);
});

test('writes that were carried out are counted by kind and verb; refused ones and reads are not', async () => {
  registry.resetMetrics();
  const again = makeClient({ transport, fieldManager: 'lease', registry, metricPrefix: 'test' });
  await client.apply(WEB_APPS, webApp({ n: 1 }));
  await again.apply(WEB_APPS, webApp({}, { status: {} }), { subresource: 'status' });
  await client.create(WEB_APPS, webApp({})).catch(() => {});
  await client.patch(WEB_APPS, PLACE, {});
  await client.get(WEB_APPS, PLACE);
  await client.remove(WEB_APPS, PLACE);
  await client.remove(WEB_APPS, PLACE);
  expect(await writes()).toEqual({
    'WebApp apply': 1,
    'WebApp apply_status': 1,
    'WebApp patch': 1,
    'WebApp delete': 1,
  });
});

test('a verb on one object without its name never reaches the collection', async () => {
  expect(() => client.get(WEB_APPS, { namespace: 'shop' })).toThrow(RangeError);
  await expect(client.remove(WEB_APPS, { namespace: 'shop', name: '' })).rejects.toThrow(RangeError);
  expect(fake.requests).toEqual([]);
});

test.each(['null', '[]', '{}', '{"metadata":{}}', '{"metadata":{"name":1}}', '"x"'])(
  '%s is no object',
  async (answer) => {
    fake.fail({}, { answer });
    await expect(client.get(WEB_APPS, PLACE)).rejects.toMatchObject({ code: 'INVALID_RESPONSE' });
  },
);
