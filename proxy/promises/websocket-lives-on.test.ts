// WebSocket connections: made through the proxy, untouched by changes, never left half open.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCollector } from '../../tracing/testing/collector.ts';
import { makeConfig, type ProxyProcess, RawClient, startProxy, until } from './rig.ts';

let server: Server;
let proxy: ProxyProcess;
let upgraded: Duplex[];
let requests: IncomingMessage[];
/** What the application does instead of taking the upgrade. */
let refusal: string | null;

const TIMEOUTS = { requestHeadMs: 1000, requestBodyMs: 1000, sendMs: 1000, connectMs: 1000, responseMs: 1000 };

beforeAll(async () => {
  server = makeEchoServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await startProxy([address()], { timeouts: TIMEOUTS });
});
beforeEach(() => {
  upgraded = [];
  requests = [];
  refusal = null;
});
afterEach(() => {
  for (const socket of upgraded) socket.destroy();
});
afterAll(async () => {
  await proxy.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** The usual configuration, changed in nothing that these tests look at. */
const usual = () => makeConfig([address()], { timeouts: TIMEOUTS });
const noneUpgraded = () => until(async () => (await proxy.status()).connections.upgraded === 0, 'none upgraded');

const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Takes an upgrade as RFC 6455 says, then sends every byte back. */
function makeEchoServer(): Server {
  return createServer().on('upgrade', (request, socket, head) => {
    requests.push(request);
    upgraded.push(socket);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    if (refusal !== null) {
      socket.write(refusal);
      socket.resume();
      return;
    }
    const accept = createHash('sha1').update(
      `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    );
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\nX-Request-Id: theirs\r\n\r\n`,
    );
    socket.write(head);
    socket.on('data', (chunk) => socket.write(chunk));
  });
}

const handshake = (target = '/ws', more = '') =>
  `GET ${target} HTTP/1.1\r\nHost: shop.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

async function openEcho(): Promise<RawClient> {
  const client = new RawClient(proxy.port).send(handshake());
  await client.receives('\r\n\r\n');
  expect(client.received).toMatch(/^HTTP\/1\.1 101 /);
  return client;
}

async function echoes(client: RawClient, text: string): Promise<void> {
  client.send(text);
  await client.receives(text);
}

test('the handshake is the application’s, the bytes pass both ways', async () => {
  await noneUpgraded();
  const client = await openEcho();
  expect(client.received.toLowerCase()).toContain('sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=');
  await echoes(client, 'one');
  await echoes(client, '\x81\x85\x00\xff binary');
  expect((await proxy.status()).connections.upgraded).toBe(1);
  client.socket.destroy();
});

test('the application is told of the client by us alone, and gets the very target', async () => {
  const client = new RawClient(proxy.port).send(
    handshake('/a//b?x=http://y//z', 'X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Request-Id: chosen\r\n'),
  );
  await client.receives('101');
  const [request] = requests;
  expect(request?.url).toBe('/a//b?x=http://y//z');
  expect(JSON.stringify(request?.rawHeaders)).not.toMatch(/6\.6\.6\.6|chosen/);
  expect(request?.headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'shop.example.com',
    host: 'shop.example.com',
  });
  const id = request?.headers['x-request-id'];
  expect(client.received.match(/x-request-id: (.*)\r/gi)).toHaveLength(1);
  expect(client.received).toContain(`${id}`);
  client.socket.destroy();
});

test.each(['/?a=http://[::1', '//[x/..//y', '/%00%ff%', '/a;b@c:d|e^`{}', '/a\\b', "/'%2f..%2f", '/?', '/#x', '/\xff'])(
  'a target that is hard to parse, %s, arrives as it is, or is refused',
  async (target) => {
    const client = new RawClient(proxy.port).send(handshake(target));
    await client.receives('\r\n\r\n');
    if (client.received.startsWith('HTTP/1.1 101')) expect(requests[0]?.url).toBe(target);
    else expect(client.received).toMatch(/^HTTP\/1\.1 400 /);
    client.socket.destroy();
  },
);

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const FROM_CLIENT = `00-${TRACE}-b7ad6b7169203331-01`;

test.each([
  ['a trace context goes on as it came', `Traceparent: ${FROM_CLIENT}\r\nTracestate: a=1\r\n`, FROM_CLIENT, 'a=1'],
  ['one that is malformed goes no further', 'Traceparent: 00-1-2-3\r\nTracestate: a=1\r\n', undefined, undefined],
])('%s', async (_, fields, traceparent, tracestate) => {
  const client = new RawClient(proxy.port).send(handshake('/ws', fields));
  await client.receives('101');
  expect(requests[0]?.headers['traceparent']).toBe(traceparent);
  expect(requests[0]?.headers['tracestate']).toBe(tracestate);
  client.socket.destroy();
});

test('with a collector a connection is one span, told when it ends', async () => {
  const collector = await openCollector();
  const tracing = { endpoint: collector.endpoint, ratio: 0 };
  await proxy.apply(makeConfig([address()], { timeouts: TIMEOUTS, tracing }));
  const client = new RawClient(proxy.port).send(handshake('/ws?token=secret', `Traceparent: ${FROM_CLIENT}\r\n`));
  await client.receives('101');
  const [, traceId, spanId] = String(requests[0]?.headers['traceparent']).split('-');
  await echoes(client, 'hello');
  expect(collector.spans).toEqual([]);
  client.socket.destroy();
  const [span] = await until(() => collector.spans.length > 0 && collector.spans, 'a span');
  expect(span).toMatchObject({ traceId: TRACE, spanId, parentSpanId: 'b7ad6b7169203331', name: 'GET' });
  expect(span?.attributes).toMatchObject({ 'http.response.status_code': 101, 'url.path': '/ws' });
  expect(traceId).toBe(TRACE);
  await proxy.apply(usual());
});

test('bytes sent right behind the handshake arrive', async () => {
  const client = new RawClient(proxy.port).send(`${handshake()}early`);
  await client.receives('early');
  client.socket.destroy();
});

test('a connection lives across changes, even of its own endpoint', async () => {
  const client = await openEcho();
  await echoes(client, 'before');
  await proxy.apply(makeConfig([address()], { limits: { bodyBytes: 5 } }));
  await echoes(client, 'between');
  await proxy.apply(makeConfig(['127.0.0.1:1']));
  await echoes(client, 'after');
  client.socket.destroy();
  await noneUpgraded();
  await proxy.apply(usual());
});

describe('when one side ends', () => {
  test('the client: the application’s connection ends', async () => {
    const client = await openEcho();
    client.socket.end();
    await until(() => upgraded.every((socket) => socket.closed), 'the end at the application');
    await client.closes();
  });

  test('the client by a reset: the application’s connection ends', async () => {
    const client = await openEcho();
    client.socket.resetAndDestroy();
    await until(() => upgraded.every((socket) => socket.closed), 'the end at the application');
    await noneUpgraded();
  });

  test('the application: the client’s connection ends', async () => {
    const client = await openEcho();
    for (const socket of upgraded) socket.destroy();
    await client.closes();
    await noneUpgraded();
  });

  test('both directions stop while the client does not read', async () => {
    const client = await openEcho();
    client.socket.pause();
    let taken = 0;
    const piece = Buffer.alloc(64 * 1024, 'x');
    const [socket] = upgraded;
    while (socket?.write(piece)) taken += piece.length;
    await until(() => (socket?.writableLength ?? 0) > 0, 'a full connection');
    for (let i = 0; i < 512; i++) socket?.write(piece);
    client.socket.destroy();
    await until(() => upgraded.every((each) => each.closed), 'the end at the application');
    expect(taken).toBeLessThan(512 * piece.length);
  });
});

describe('a handshake that does not succeed', () => {
  test('refused by the application: its answer arrives as it is, and the connection closes', async () => {
    refusal =
      'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=1\r\n\r\n4\r\nshut\r\n4\r\n out\r\n0\r\n\r\n';
    const client = new RawClient(proxy.port).send(handshake());
    await client.closes();
    expect(client.received).toMatch(/^HTTP\/1\.1 403 /);
    expect(client.received).toContain('Set-Cookie: a=1');
    expect(client.received).toContain('Connection: close');
    expect(client.received).not.toMatch(/transfer-encoding/i);
    expect(client.received).toMatch(/\r\n\r\nshut out$/);
  });

  test('answered 200 instead of 101 is a plain answer, never a tunnel', async () => {
    refusal = 'HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno';
    const client = new RawClient(proxy.port).send(handshake());
    await client.closes();
    expect(client.received).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nno$/);
    expect(client.received).not.toMatch(/^upgrade:/im);
  });

  test('cut off in the middle of a refusal: the client sees it', async () => {
    refusal = 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nshut\r\n';
    const client = new RawClient(proxy.port).send(handshake());
    await client.receives('shut');
    for (const socket of upgraded) socket.destroy();
    await client.closes();
    expect(client.reset).toBe(true);
  });

  test('the application says nothing: 504, and it is let go', async () => {
    refusal = '';
    const client = new RawClient(proxy.port).send(handshake());
    await client.closes();
    expect(client.received).toMatch(/^HTTP\/1\.1 504 /);
    await until(() => upgraded.every((socket) => socket.closed), 'the end at the application');
  });

  test('the application is not there: 502, or 503 when none is known', async () => {
    await proxy.apply(makeConfig(['127.0.0.1:1'], { timeouts: TIMEOUTS }));
    const refused = new RawClient(proxy.port).send(handshake());
    await refused.closes();
    expect(refused.received).toMatch(/^HTTP\/1\.1 502 /);
    await proxy.apply(makeConfig([], { timeouts: TIMEOUTS }));
    const none = new RawClient(proxy.port).send(handshake());
    await none.closes();
    expect(none.received).toMatch(/^HTTP\/1\.1 503 /);
    expect((await proxy.status()).requests.faults).toMatchObject({ UPSTREAM_REFUSED: 1, NO_ENDPOINT: 1 });
    await proxy.apply(usual());
  });

  test('a worker that is just restarting is waited for', async () => {
    await proxy.apply(makeConfig([]));
    const client = new RawClient(proxy.port).send(handshake());
    await until(async () => (await proxy.status()).connections.upgraded === 1, 'the handshake');
    await proxy.apply(usual());
    await client.receives('101');
    client.socket.destroy();
  });

  test('the client leaves while the application thinks: it is let go', async () => {
    refusal = '';
    const client = new RawClient(proxy.port).send(handshake());
    await until(() => upgraded.length === 1, 'the handshake at the application');
    client.socket.resetAndDestroy();
    await until(() => upgraded.every((socket) => socket.closed), 'the end at the application');
  });
});

test('the access log tells of it when it ends', async () => {
  const client = new RawClient(proxy.port).send(handshake('/logged'));
  await client.receives('101');
  await echoes(client, 'x'.repeat(1000));
  client.socket.destroy();
  const line = await until(() => proxy.access.find(({ target }) => target === '/logged') ?? false, 'a line');
  expect(line).toMatchObject({ status: 101, upstream: address(), host: 'shop.example.com', id: expect.any(String) });
  expect(line['bytes']).toBeGreaterThan(1000);
});

test('another protocol is not tunnelled: the request is served as if it had not asked', async () => {
  server.on('request', (request, response) => response.end(`upgrade: ${request.headers.upgrade}`));
  const client = new RawClient(proxy.port).send(
    'GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n',
  );
  await client.receives('upgrade: undefined');
  client.socket.destroy();
});

test('workers behind Unix sockets are upgraded too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ws-'));
  const local = makeEchoServer();
  await new Promise<void>((resolve) => local.listen(join(folder, 'app'), resolve));
  await proxy.apply(makeConfig([`unix:${join(folder, 'app')}`]));
  const client = await openEcho();
  await echoes(client, 'over a file');
  client.socket.destroy();
  await proxy.apply(usual());
  local.close();
  rmSync(folder, { recursive: true });
});

test('a drain waits for them as long as for the slowest request, then closes them', async () => {
  const client = await openEcho();
  proxy.signal('SIGTERM');
  await until(async () => (await proxy.admin('/readyz')).status === 503, 'draining').catch(() => {});
  await client.closes();
  expect(await proxy.exited).toBe(0);
});
