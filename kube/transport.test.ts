import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { inClusterAccess } from './access/in-cluster.ts';
import { KubeError } from './errors.ts';
import type { KubeObject, Resource } from './object.ts';
import { makeAuthority } from './testing/certificates.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { type Access, makeTransport, type Transport, type TransportOptions } from './transport.ts';

const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const PATH = '/api/v1/namespaces/shop/configmaps';
const log = makeLog(() => {}, Date.now, 'error');
const configMap = (name: string, data: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data,
});

let fake: FakeApiServer;
let transport: Transport;
const open = (options: Partial<TransportOptions> = {}): Transport =>
  makeTransport({ access: fake.access(), log, clock: systemClock, userAgent: 'test', ...options });

beforeEach(async () => {
  fake = await startFakeApiServer();
  fake.put(CONFIG_MAPS, configMap('a', { x: '1' }));
  transport = open();
});
afterEach(async () => {
  transport.close();
  await fake.close();
});

const get = (more: object = {}) => transport.request<KubeObject>({ method: 'GET', path: `${PATH}/a`, ...more });
const apply = (data: object) =>
  transport.request<KubeObject>({
    method: 'PATCH',
    path: `${PATH}/a`,
    query: { fieldManager: 't', force: true, left: undefined },
    body: configMap('a', data),
    contentType: 'application/apply-patch+yaml',
  });
const create = (name: string) => transport.request<KubeObject>({ method: 'POST', path: PATH, body: configMap(name) });

/** @returns the KubeError that `call` ends in */
async function failure(call: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KubeError)) throw new Error(`no KubeError but ${String(error)}`, { cause: error });
  return error;
}

describe('what is sent and what comes back', () => {
  test('method, query, content type and JSON of an apply, and its result', async () => {
    const applied = await apply({ x: 'ü' });
    expect(applied['data']).toEqual({ x: 'ü' });
    expect(fake.requests.at(-1)).toMatchObject({
      method: 'PATCH',
      query: { fieldManager: 't', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { data: { x: 'ü' } },
    });
    expect(fake.requests.at(-1)?.query).not.toHaveProperty('left');
  });

  test('a refusal is an error with the status, the reason and the words of the server', async () => {
    const error = await failure(transport.request({ method: 'GET', path: `${PATH}/none` }));
    expect(error).toMatchObject({ code: 'API', status: 404, reason: 'NotFound' });
    expect(error.message).toBe('configmaps "none" not found');
  });

  test('a page of a load balancer in between is an error by its status alone', async () => {
    const server = createServer((_, response) => response.writeHead(502).end('<html>Bad gateway</html>'));
    await withServer(server, async (access) => {
      const other = open({ access });
      const error = await failure(other.request({ method: 'GET', path: '/x' }));
      expect(error).toMatchObject({ code: 'API', status: 502, reason: '' });
      expect(error.message).toContain('was answered 502');
      other.close();
    });
  });

  test.each(['', '<html>', '{"kind":'])('200 with %j is INVALID_RESPONSE', async (answer) => {
    fake.fail({}, { answer });
    expect(await failure(get())).toMatchObject({ code: 'INVALID_RESPONSE' });
  });

  test('an answer that breaks off is NETWORK', async () => {
    fake.fail({}, { answer: '{"metadata":{"name":"a"}}', cut: true });
    expect(await failure(get())).toMatchObject({ code: 'NETWORK' });
  });

  test('text comes as it is, and is cut at 1 MiB', async () => {
    const path = '/api/v1/namespaces/shop/pods/p/log';
    fake.serveText(path, 'line\n');
    expect(await transport.text({ method: 'GET', path })).toBe('line\n');
    fake.serveText(path, 'x'.repeat(3 * 1024 * 1024));
    expect(await transport.text({ method: 'GET', path })).toHaveLength(1024 * 1024);
    expect(await get()).toMatchObject({ kind: 'ConfigMap' });
  });

  test("a path of the server's own goes before that of the request", async () => {
    const other = open({ access: { ...fake.access(), server: new URL('/api/v1/namespaces/', fake.url) } });
    expect(await other.request<KubeObject>({ method: 'GET', path: '/shop/configmaps/a' })).toMatchObject({
      data: { x: '1' },
    });
    other.close();
  });
});

describe('throttled', () => {
  test('a storm of 429 ends with every call answered, and none sent while it waits', async () => {
    const storm = fake.fail({ times: 60 }, { status: 429, retryAfter: 0 });
    await Promise.all(Array.from({ length: 30 }, () => get()));
    expect(storm.hits).toBe(60);
    expect(fake.requests).toHaveLength(90);
  });

  test('a create is tried again after 429: it was not carried out', async () => {
    fake.fail({ method: 'POST' }, { status: 429, retryAfter: 0 });
    expect(await create('b')).toMatchObject({ metadata: { name: 'b' } });
  });

  test('a wait that does not fit into the time of the call is left to the caller, with the time asked for', async () => {
    const throttle = fake.fail({ times: 9 }, { status: 429, retryAfter: 600 });
    expect(await failure(get())).toMatchObject({ status: 429, reason: 'TooManyRequests', retryAfterMs: 600_000 });
    expect(throttle.hits).toBe(1);
  });

  test('503 is tried again only when it says when', async () => {
    fake.fail({}, { status: 503, retryAfter: 0 });
    expect(await get()).toMatchObject({ kind: 'ConfigMap' });
    fake.fail({}, { status: 503 });
    expect(await failure(get())).toMatchObject({ status: 503, retryAfterMs: undefined });
  });

  test.each([400, 403, 409, 410, 422, 500])('%i is not tried again', async (status) => {
    const fault = fake.fail({ times: 9 }, { status });
    expect(await failure(get())).toMatchObject({ code: 'API', status });
    expect(fault.hits).toBe(1);
  });
});

describe('connections that fail', () => {
  test('a server that never answers: TIMEOUT, and the next call has a connection of its own', async () => {
    await get();
    fake.fail({}, { silence: true });
    expect(await failure(get({ timeoutMs: 100 }))).toMatchObject({ code: 'TIMEOUT', status: 0 });
    expect(await get()).toMatchObject({ kind: 'ConfigMap' });
    expect(new Set(fake.requests.map(({ socket }) => socket)).size).toBe(2);
  });

  test.each(['before', 'after'] as const)(
    'a kept connection reset %s the request was carried out: unseen, save for a create',
    async (reset) => {
      await get();
      fake.fail({ socket: 'reused' }, { reset });
      expect(await get()).toMatchObject({ kind: 'ConfigMap' });
      fake.fail({ socket: 'reused' }, { reset });
      expect(await apply({ x: '2' })).toMatchObject({ data: { x: '2' } });
      fake.fail({ socket: 'reused' }, { reset });
      expect(await failure(create('b'))).toMatchObject({ code: 'NETWORK' });
      expect(fake.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    },
  );

  test('a fresh connection that is reset is NETWORK at once, and so is a second dead one', async () => {
    const fault = fake.fail({ times: 2 }, { reset: 'before' });
    expect(await failure(get())).toMatchObject({ code: 'NETWORK' });
    expect(fault.hits).toBe(1);
    expect(await failure(get())).toMatchObject({ code: 'NETWORK' });
  });

  test('while the server is away: NETWORK; when it is back, calls go on', async () => {
    await Promise.all(Array.from({ length: 8 }, () => get()));
    await fake.down();
    expect(await failure(get())).toMatchObject({ code: 'NETWORK' });
    await fake.up();
    expect(await Promise.all(Array.from({ length: 8 }, () => get()))).toHaveLength(8);
  });

  test('connections stay within the bound, watches not counted', async () => {
    transport.close();
    transport = open({ connections: 3 });
    const ended = Array.from({ length: 5 }, () => failure(transport.watch(watching())));
    await vi.waitFor(() => expect(fake.openWatches).toBe(5));
    await Promise.all(Array.from({ length: 60 }, () => get()));
    expect(fake.connections.peak).toBe(8);
    transport.close();
    expect((await Promise.all(ended)).map(({ code }) => code)).toEqual(Array(5).fill('CLOSED'));
  });
});

describe('ended by the caller', () => {
  test('an aborted call is CLOSED and gives its connection up', async () => {
    fake.fail({}, { silence: true });
    const abort = new AbortController();
    const call = failure(get({ signal: abort.signal }));
    await vi.waitFor(() => expect(fake.requests).toHaveLength(1));
    abort.abort();
    expect(await call).toMatchObject({ code: 'CLOSED' });
    await vi.waitFor(() => expect(fake.connections.open).toBe(0));
    expect(await failure(get({ signal: abort.signal }))).toMatchObject({ code: 'CLOSED' });
    expect(fake.requests).toHaveLength(1);
  });

  test('close rejects what is in flight, what waits for its turn, after a 429, and on a watch', async () => {
    transport.close();
    transport = open({ connections: 1 });
    const watch = failure(transport.watch(watching()));
    await vi.waitFor(() => expect(fake.openWatches).toBe(1));
    const throttle = fake.fail({}, { status: 429, retryAfter: 20 });
    const waiting = failure(get());
    await vi.waitFor(() => expect(throttle.hits).toBe(1));
    const silence = fake.fail({}, { silence: true });
    const inFlight = failure(get());
    const queued = failure(get());
    await vi.waitFor(() => expect(silence.hits).toBe(1));
    transport.close();
    transport.close();
    for (const error of await Promise.all([watch, waiting, inFlight, queued, failure(get())]))
      expect(error).toMatchObject({ code: 'CLOSED' });
    await vi.waitFor(() => expect(fake.connections.open).toBe(0));
  });
});

describe('watch', () => {
  test('lines come in order and whole, characters split between packets too', async () => {
    const text = `{"a":"ä€😀"}\n\n{"b":"${'ü'.repeat(70_000)}"}\n`;
    const bytes = Buffer.from(text);
    const server = createServer(async (_, response) => {
      for (let at = 0; at < 40; at++) await new Promise((done) => response.write(bytes.subarray(at, at + 1), done));
      response.end(bytes.subarray(40));
    });
    await withServer(server, async (access) => {
      const lines: string[] = [];
      const onOpen = vi.fn();
      const other = open({ access });
      await other.watch({ ...watching(), onLine: (line) => lines.push(line), onOpen });
      expect(lines).toEqual(text.split('\n').filter((line) => line !== ''));
      expect(onOpen).toHaveBeenCalledOnce();
      other.close();
    });
  });

  test('a watch that falls silent is TIMEOUT; one that is cut is NETWORK; one that the server ends is done', async () => {
    fake.fail({}, { watch: 'silence', afterEvents: 1 });
    expect(await failure(transport.watch({ ...watching(), idleMs: 100 }))).toMatchObject({ code: 'TIMEOUT' });
    fake.fail({}, { watch: 'cut', afterEvents: 1 });
    expect(await failure(transport.watch(watching()))).toMatchObject({ code: 'NETWORK' });
    fake.fail({}, { watch: 'end', afterEvents: 1 });
    await transport.watch(watching());
  });

  test('bytes keep it alive for longer than its idle time', async () => {
    let lines = 0;
    const watch = transport.watch({ ...watching(), idleMs: 1_000, onLine: () => lines++ });
    await vi.waitFor(() => expect(lines).toBe(1));
    for (let n = 0; n < 8; n++) {
      await new Promise((done) => setTimeout(done, 200));
      fake.put(CONFIG_MAPS, configMap('a', { n }));
    }
    fake.endWatches('end');
    await watch;
    expect(lines).toBe(9);
  });

  test('a refusal is an error, 429 too: the caller has a backoff of its own', async () => {
    const gone = fake.fail({}, { status: 410 });
    expect(await failure(transport.watch(watching()))).toMatchObject({ status: 410, reason: 'Expired' });
    fake.fail({}, { status: 429, retryAfter: 2 });
    expect(await failure(transport.watch(watching()))).toMatchObject({ status: 429, retryAfterMs: 2_000 });
    expect(gone.hits).toBe(1);
  });

  test('what onLine throws is thrown, nothing is told after it, and the connection ends', async () => {
    fake.put(CONFIG_MAPS, configMap('b'));
    const onLine = vi.fn(() => {
      throw new Error('no');
    });
    await expect(transport.watch({ ...watching(), onLine })).rejects.toThrow('no');
    expect(onLine).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(fake.openWatches).toBe(0));
  });

  test('an end within a line is INVALID_RESPONSE', async () => {
    const server = createServer((_, response) => response.end('{"type":"ADDED"}\n{"ty'));
    await withServer(server, async (access) => {
      const other = open({ access });
      expect(await failure(other.watch(watching()))).toMatchObject({ code: 'INVALID_RESPONSE' });
      other.close();
    });
  });
});

describe('credentials', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kube-credentials-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const authority = () => makeAuthority(folder, 'any');
  const give = (token: string, ca = authority().ca): void => {
    writeFileSync(join(folder, 'token'), `${token}\n`);
    writeFileSync(join(folder, 'ca.crt'), ca);
  };
  const inPod = (now: () => number): Access => {
    const clock = { now, wall: () => 0 };
    return inClusterAccess({ host: '127.0.0.1', port: fake.url.port, folder, clock });
  };
  const overHttp = (access: Access): Access => ({ ...access, server: fake.url });

  test('a token that was replaced is read after the first 401, and the call succeeds', async () => {
    give('old');
    fake.requireToken('old');
    const other = open({ access: overHttp(inPod(() => 0)) });
    const path = `${PATH}/a`;
    await other.request({ method: 'GET', path });
    give('new');
    fake.requireToken('new');
    const calls = Array.from({ length: 5 }, () => other.request<KubeObject>({ method: 'GET', path }));
    for (const object of await Promise.all(calls)) expect(object.metadata.name).toBe('a');
    const shown = fake.requests.map(({ authorization }) => authorization);
    expect(shown.filter((header) => header === 'Bearer new')).toHaveLength(5);
    other.close();
  });

  test('a token that is refused and was not replaced is an error, without a second try', async () => {
    give('wrong');
    fake.requireToken('right');
    const other = open({ access: overHttp(inPod(() => 0)) });
    const error = await failure(other.request({ method: 'GET', path: `${PATH}/a` }));
    expect(error).toMatchObject({ code: 'API', status: 401, reason: 'Unauthorized' });
    expect(fake.requests).toHaveLength(1);
    other.close();
  });

  test('credentials that never come are TIMEOUT, and CLOSED after close', async () => {
    const other = open({ access: { ...fake.access(), headers: () => new Promise(() => {}) } });
    const path = `${PATH}/a`;
    expect(await failure(other.request({ method: 'GET', path, timeoutMs: 50 }))).toMatchObject({ code: 'TIMEOUT' });
    const waiting = failure(other.request({ method: 'GET', path }));
    other.close();
    expect(await waiting).toMatchObject({ code: 'CLOSED' });
  });

  test('files that are not there are CREDENTIALS', async () => {
    const other = open({ access: inPod(() => 0) });
    expect(await failure(other.request({ method: 'GET', path: '/x' }))).toMatchObject({ code: 'CREDENTIALS' });
    expect(await failure(other.watch(watching()))).toMatchObject({ code: 'CREDENTIALS' });
    other.close();
  });

  test('a new CA is trusted on new connections once its file is read, calls on old ones end in peace', async () => {
    await fake.close();
    const [before, after] = [makeAuthority(folder, 'before'), makeAuthority(folder, 'after')];
    fake = await startFakeApiServer({ tls: before.issue('server') });
    fake.put(CONFIG_MAPS, configMap('a'));
    give('token', before.ca);
    let now = 0;
    const other = open({ access: inPod(() => now) });
    const call = () => other.request<KubeObject>({ method: 'GET', path: `${PATH}/a` });
    await call();
    const slow = fake.fail({}, { delayMs: 300 });
    const old = call();
    await vi.waitFor(() => expect(slow.hits).toBe(1));

    fake.renewCertificate(after.issue('server'));
    expect(await failure(call())).toMatchObject({ code: 'NETWORK', message: expect.stringMatching(/certificate/) });
    give('token', after.ca);
    now = 61_000;
    expect(await call()).toMatchObject({ metadata: { name: 'a' } });
    expect(await old).toMatchObject({ metadata: { name: 'a' } });
    await vi.waitFor(() => expect(fake.connections.open).toBe(1));
    other.close();
  });

  test('a client certificate that cannot be used is CREDENTIALS', async () => {
    const tls = { key: 'nonsense', cert: 'nonsense' };
    const server = new URL('https://127.0.0.1:1');
    const other = open({ access: { server, headers: () => ({}), tls: () => tls } });
    expect(await failure(other.request({ method: 'GET', path: '/x' }))).toMatchObject({ code: 'CREDENTIALS' });
    other.close();
  });
});

test("client-go's metrics count every try; transports share a registry", async () => {
  const registry = new Registry();
  const [one, two] = [open({ registry }), open({ registry })];
  fake.fail({}, { status: 429, retryAfter: 0 });
  await one.request({ method: 'GET', path: `${PATH}/a` });
  fake.fail({}, { reset: 'before' });
  await failure(two.request({ method: 'POST', path: PATH, body: {} }));
  fake.fail({}, { silence: true });
  await failure(two.request({ method: 'DELETE', path: `${PATH}/a`, timeoutMs: 50 }));
  const text = await registry.metrics();
  const host = fake.url.host;
  for (const line of [
    `rest_client_requests_total{code="429",method="GET",host="${host}"} 1`,
    `rest_client_requests_total{code="200",method="GET",host="${host}"} 1`,
    `rest_client_requests_total{code="<error>",method="POST",host="${host}"} 1`,
    `rest_client_requests_total{code="<error>",method="DELETE",host="${host}"} 1`,
    `rest_client_request_retries_total{code="429",verb="GET",host="${host}"} 1`,
    `rest_client_request_duration_seconds_count{verb="GET",host="${host}"} 2`,
  ])
    expect(text).toContain(line);
  one.close();
  two.close();
});

function watching() {
  return { path: PATH, query: { watch: true }, idleMs: 20_000, onLine: () => {} };
}

async function withServer(server: Server, use: (access: Access) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    await use({ server: url, headers: () => ({}), tls: () => ({}) });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
