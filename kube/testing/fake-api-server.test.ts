import { get, request as httpRequest } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KubeObject, Resource } from '../object.ts';
import { type FakeApiServer, startFakeApiServer } from './fake-api-server.ts';

const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const WEB_APPS: Resource = { group: 'example.io', version: 'v1', plural: 'webapps', kind: 'WebApp', namespaced: true };
const PATH = '/api/v1/namespaces/shop/configmaps';
const WEB = '/apis/example.io/v1/namespaces/shop/webapps';

let fake: FakeApiServer;
beforeEach(async () => {
  fake = await startFakeApiServer();
});
afterEach(() => fake.close());

/** An object, a list or a Status, as far as the tests look into it. */
interface Body extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly continue?: string };
  readonly items: readonly KubeObject[];
}
interface Reply {
  readonly status: number;
  readonly body: Body;
}
interface WatchEvent {
  readonly type: string;
  readonly object: KubeObject;
}

function send(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) };
    const call = httpRequest(new URL(path, fake.url), { method, agent: false, headers });
    call.on('error', reject);
    call.on('response', async (response) => {
      let answer = '';
      for await (const chunk of response) answer += String(chunk);
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) });
    });
    call.end(text);
  });
}
const apply = (path: string, body: unknown) =>
  send('PATCH', `${path}?fieldManager=t&force=true`, body, 'application/apply-patch+yaml');
const merge = (path: string, body: unknown) => send('PATCH', path, body, 'application/merge-patch+json');

function watch(path: string): { events: WatchEvent[]; ended: () => string | undefined } {
  const events: WatchEvent[] = [];
  let ended: string | undefined;
  const call = get(new URL(path, fake.url), { agent: false }, async (response) => {
    let text = '';
    try {
      for await (const chunk of response) {
        text += String(chunk);
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          events.push(JSON.parse(text.slice(0, end)));
          text = text.slice(end + 1);
        }
      }
      ended = 'end';
    } catch {
      ended = 'cut';
    }
  });
  call.on('error', () => {
    ended ??= 'cut';
  });
  return { events, ended: () => ended };
}

const configMap = (name: string, data: object = {}, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', labels },
  data,
});
const webApp = (name: string, spec: object): KubeObject => ({
  apiVersion: 'example.io/v1',
  kind: 'WebApp',
  metadata: { name, namespace: 'shop' },
  spec,
});

test('create stamps, create again conflicts, a stale update conflicts, delete holds its preconditions', async () => {
  const made = await send('POST', PATH, configMap('a'));
  expect(made).toMatchObject({ status: 201, body: { metadata: { name: 'a', namespace: 'shop', uid: /./ } } } as object);
  expect((await send('POST', PATH, configMap('a'))).body).toMatchObject({ reason: 'AlreadyExists', code: 409 });
  const updated = await send('PUT', `${PATH}/a`, { ...made.body, data: { x: '1' } });
  expect(Number(updated.body.metadata.resourceVersion)).toBeGreaterThan(Number(made.body.metadata.resourceVersion));
  expect((await send('PUT', `${PATH}/a`, made.body)).body).toMatchObject({ reason: 'Conflict', code: 409 });
  const { uid } = made.body.metadata;
  expect((await send('DELETE', `${PATH}/a`, { preconditions: { uid: 'other' } })).status).toBe(409);
  expect((await send('DELETE', `${PATH}/a`, { preconditions: { uid } })).status).toBe(200);
  expect((await send('GET', `${PATH}/a`)).body).toMatchObject({ reason: 'NotFound', code: 404 });
});

test('apply creates, merges, removes what its manager dropped, and a no-op changes no version', async () => {
  const first = await apply(`${PATH}/a`, configMap('a', { x: '1', y: '2' }));
  expect(first.status).toBe(201);
  fake.put(CONFIG_MAPS, { ...configMap('a', { x: '1', y: '2', other: '3' }) });
  const second = await apply(`${PATH}/a`, configMap('a', { x: '9' }));
  expect(second.body.data).toEqual({ x: '9', other: '3' });
  const third = await apply(`${PATH}/a`, configMap('a', { x: '9' }));
  expect(third.body.metadata.resourceVersion).toBe(second.body.metadata.resourceVersion);
});

test('status and spec are split, the generation counts changes of the spec alone', async () => {
  await apply(`${WEB}/a`, { ...webApp('a', { n: 1 }), status: { no: true } });
  const status = await apply(`${WEB}/a/status`, { ...webApp('a', { n: 7 }), status: { ready: 1 } });
  expect(status.body).toMatchObject({ spec: { n: 1 }, status: { ready: 1 }, metadata: { generation: 1 } });
  const spec = await merge(`${WEB}/a`, { spec: { n: 2 }, status: null });
  expect(spec.body).toMatchObject({ spec: { n: 2 }, status: { ready: 1 }, metadata: { generation: 2 } });
});

test('a list comes in pages of one version, selected by labels and name; after a compaction it cannot go on', async () => {
  for (const name of ['a', 'b', 'c']) fake.put(CONFIG_MAPS, configMap(name, {}, { tier: name === 'b' ? 'db' : 'web' }));
  const first = await send('GET', `${PATH}?limit=2`);
  expect(first.body.items.map((item) => item.metadata.name)).toEqual(['a', 'b']);
  fake.put(CONFIG_MAPS, configMap('d'));
  const token = first.body.metadata.continue;
  const second = await send('GET', `${PATH}?limit=2&continue=${token}`);
  expect(second.body.items.map((item) => item.metadata.name)).toEqual(['c']);
  expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  fake.compact();
  expect((await send('GET', `${PATH}?limit=2&continue=${token}`)).status).toBe(410);
  expect((await send('GET', `${PATH}?labelSelector=tier%3Dweb`)).body.items).toHaveLength(2);
  expect((await send('GET', `${PATH}?labelSelector=tier%20in%20(db,x)`)).body.items).toHaveLength(1);
  expect((await send('GET', `/api/v1/configmaps?fieldSelector=metadata.name%3Dd`)).body.items).toHaveLength(1);
});

test('a watch resumes from a version, follows the selection, sends bookmarks and ends by its timeout', async () => {
  const old = fake.put(CONFIG_MAPS, configMap('old', {}, { tier: 'web' }));
  fake.put(CONFIG_MAPS, configMap('a', {}, { tier: 'web' }));
  const from = old.metadata.resourceVersion;
  const query = `watch=true&resourceVersion=${from}&labelSelector=tier%3Dweb&allowWatchBookmarks=true`;
  const seen = watch(`${PATH}?${query}&timeoutSeconds=1`);
  await vi.waitFor(() => expect(seen.events).toHaveLength(1));
  fake.put(CONFIG_MAPS, configMap('a', { x: '1' }, { tier: 'web' }));
  fake.put(CONFIG_MAPS, configMap('a', { x: '1' }, { tier: 'db' }));
  fake.remove(CONFIG_MAPS, { namespace: 'shop', name: 'old' });
  await vi.waitFor(() => expect(seen.ended()).toBe('end'), { timeout: 10_000 });
  expect(seen.events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'DELETED', 'BOOKMARK']);
  expect(seen.events.at(-1)?.object.metadata.resourceVersion).toBe(fake.resourceVersion);
});

test('a compaction answers older watches with ERROR 410, those open and those that come', async () => {
  const { resourceVersion } = fake.put(CONFIG_MAPS, configMap('a')).metadata;
  const open = watch(`${PATH}?watch=true&resourceVersion=${resourceVersion}`);
  await vi.waitFor(() => expect(fake.openWatches).toBe(1));
  fake.compact();
  const late = watch(`${PATH}?watch=true&resourceVersion=${resourceVersion}`);
  for (const seen of [open, late]) {
    await vi.waitFor(() => expect(seen.ended()).toBe('end'));
    expect(seen.events).toEqual([{ type: 'ERROR', object: expect.objectContaining({ code: 410, reason: 'Expired' }) }]);
  }
  expect(fake.openWatches).toBe(0);
});

test('faults take the next requests that match, and are used up', async () => {
  fake.put(CONFIG_MAPS, configMap('a'));
  const throttle = fake.fail({ method: 'GET', times: 2 }, { status: 429, retryAfter: 3 });
  fake.fail({ method: 'PUT' }, { reset: 'after' });
  expect((await send('GET', `${PATH}/a`)).body).toMatchObject({ code: 429, reason: 'TooManyRequests' });
  await expect(send('PUT', `${PATH}/a`, configMap('a', { x: '1' }))).rejects.toThrow(/ECONNRESET|hang up/);
  expect(fake.get(CONFIG_MAPS, { namespace: 'shop', name: 'a' })?.['data']).toEqual({ x: '1' });
  expect((await send('GET', PATH)).status).toBe(429);
  expect((await send('GET', PATH)).status).toBe(200);
  expect(throttle.hits).toBe(2);
  expect(fake.writes.map(({ method }) => method)).toEqual(['PUT']);
});

test('a watch is cut after so many events, or falls silent', async () => {
  fake.fail({}, { watch: 'cut', afterEvents: 2 });
  const cut = watch(`${PATH}?watch=true`);
  await vi.waitFor(() => expect(fake.openWatches).toBe(1));
  for (const name of ['a', 'b', 'c']) fake.put(CONFIG_MAPS, configMap(name));
  await vi.waitFor(() => expect(cut.ended()).toBe('cut'));
  fake.fail({}, { watch: 'silence', afterEvents: 3 });
  const silent = watch(`${PATH}?watch=true`);
  await vi.waitFor(() => expect(silent.events).toHaveLength(3));
  fake.put(CONFIG_MAPS, configMap('d'));
  fake.bookmark();
  expect(fake.openWatches).toBe(1);
  await fake.close();
  await vi.waitFor(() => expect(silent.ended()).toBe('cut'));
  expect(silent.events).toHaveLength(3);
});

test('a watch that has ended is told nothing more, whatever ends it again', async () => {
  const seen = watch(`${PATH}?watch=true`);
  await vi.waitFor(() => expect(fake.openWatches).toBe(1));
  for (const how of ['end', 'garbage', 'gone', 'end', 'cut', 'silence'] as const) fake.endWatches(how);
  fake.put(CONFIG_MAPS, configMap('a'));
  await vi.waitFor(() => expect(seen.ended()).toBe('end'));
  expect(seen.events).toEqual([]);
});

test('discovery lists what is served; what is not there is 404 as a whole', async () => {
  fake.serve(WEB_APPS);
  expect((await send('GET', '/apis/example.io/v1')).body.resources).toMatchObject([
    { name: 'webapps', kind: 'WebApp' },
  ]);
  expect((await send('GET', '/apis')).body.groups).toMatchObject([{ name: 'example.io' }]);
  fake.unserve(WEB_APPS);
  expect((await send('GET', '/apis/example.io/v1')).status).toBe(404);
  expect((await send('GET', WEB)).status).toBe(404);
});

test('down and up again: the same port, and nothing forgotten', async () => {
  fake.put(CONFIG_MAPS, configMap('a'));
  const { port } = fake.url;
  await fake.down();
  await expect(send('GET', PATH)).rejects.toThrow(/ECONNREFUSED/);
  await fake.up();
  expect(fake.url.port).toBe(port);
  expect((await send('GET', PATH)).body.items).toHaveLength(1);
});

test('an object with a finalizer is only marked, and goes when the finalizer does', async () => {
  const finalized = configMap('a');
  fake.put(CONFIG_MAPS, {
    ...finalized,
    metadata: { ...finalized.metadata, finalizers: ['x'] } as KubeObject['metadata'],
  });
  await send('DELETE', `${PATH}/a`);
  expect(fake.get(CONFIG_MAPS, { namespace: 'shop', name: 'a' })?.metadata.deletionTimestamp).toBeDefined();
  await merge(`${PATH}/a`, { metadata: { finalizers: null } });
  expect(fake.get(CONFIG_MAPS, { namespace: 'shop', name: 'a' })).toBeUndefined();
});

test('the garbage collector takes what is owned by the gone, and what that owned', () => {
  const owner = fake.put(CONFIG_MAPS, configMap('owner'));
  const owned = (name: string, uid = ''): KubeObject => {
    const by = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid, controller: true };
    const object = configMap(name);
    return { ...object, metadata: { ...object.metadata, ownerReferences: [by] } };
  };
  const child = fake.put(CONFIG_MAPS, owned('child', owner.metadata.uid));
  fake.put(CONFIG_MAPS, owned('grandchild', child.metadata.uid));
  expect(fake.collectGarbage()).toBe(0);
  fake.remove(CONFIG_MAPS, { namespace: 'shop', name: 'owner' });
  expect(fake.collectGarbage()).toBe(2);
  expect(fake.list(CONFIG_MAPS)).toEqual([]);
});
