import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { makeClient } from './client.ts';
import type { KubeObject, Resource } from './object.ts';
import { putWhole } from './put-whole.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { makeTransport } from './transport.ts';

const SERVICE: Resource = { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true };
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(): Promise<{ fake: FakeApiServer; client: ReturnType<typeof makeClient> }> {
  const fake = await startFakeApiServer();
  const log = makeLog(() => {}, systemClock.wall);
  const transport = makeTransport({ access: fake.access(), log, clock: systemClock, userAgent: 'test' });
  closing.push(
    () => fake.close(),
    () => transport.close(),
  );
  return { fake, client: makeClient({ transport, fieldManager: 'ours', metricPrefix: 'test' }) };
}

const service = (port: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { ports: [{ name: 'http', port }] },
});

test('lists are put whole: another’s entry does not stay beside ours', async () => {
  const { fake, client } = await start();
  fake.put(SERVICE, {
    ...service(81),
    spec: {
      ports: [
        { name: 'http', port: 81 },
        { name: 'more', port: 82 },
      ],
      type: 'ClusterIP',
    },
  });
  await putWhole(client, SERVICE, service(80));
  expect(fake.get(SERVICE, service(80).metadata)?.['spec']).toEqual({
    ports: [{ name: 'http', port: 80 }],
    type: 'ClusterIP',
  });
});

test('the patch comes first, the apply that owns the fields last', async () => {
  const { fake, client } = await start();
  fake.put(SERVICE, service(81));
  fake.clearLog();
  await putWhole(client, SERVICE, service(80));
  const types = fake.writes.map(({ contentType }) => contentType);
  expect(types.at(0)).toBe('application/merge-patch+json');
  expect(types.at(-1)).toBe('application/apply-patch+yaml');
});

test('what is refused whole is refused in the server’s words', async () => {
  const { fake, client } = await start();
  fake.put(SERVICE, service(81));
  fake.fail({ method: 'PATCH' }, { status: 422, reason: 'Invalid', message: 'spec.ports: no' });
  await expect(putWhole(client, SERVICE, service(80))).rejects.toMatchObject({
    status: 422,
    message: 'spec.ports: no',
  });
});
