// An application that is suspended: everyone is told so in a form they can read, files are still served, and neither the
// beginning nor the end of it costs a request.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type App, ask, makeConfig, type ProxyProcess, RawClient, startApp, startProxy, until } from './rig.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

let folder: string;
let app: App;
let asked: number;
let proxy: ProxyProcess;

beforeEach(async () => {
  asked = 0;
  folder = mkdtempSync(join(tmpdir(), 'maintenance-'));
  writeFileSync(join(folder, 'a.css'), 'body{}');
  app = await startApp((_request, response) => {
    asked++;
    setTimeout(() => response.end('served'), 5);
  });
  proxy = await startProxy([app.address], change(true));
});
afterEach(async () => {
  await proxy.close();
  await app.close();
  rmSync(folder, { recursive: true });
});

const change = (suspended: boolean) => ({
  static: [{ path: '/static', directories: [folder], maxAgeSeconds: 1, immutable: false }],
  ...(suspended && { maintenance: { retryAfterSeconds: 90 } }),
});
const config = (suspended: boolean) => makeConfig([app.address], change(suspended));

describe('while it lasts', () => {
  test('a browser gets a page that needs nothing from anywhere', async () => {
    const { status, headers, body } = await ask(proxy.port, { path: '/cart', headers: { accept: BROWSER } });
    expect(status).toBe(503);
    expect(headers).toMatchObject({
      'retry-after': '90',
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      vary: 'Accept',
    });
    const page = body.toString();
    expect(page).toContain('Down for maintenance');
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).not.toMatch(/src=|href=|url\(|@import|<script/);
    expect(asked).toBe(0);
  });

  test('a program gets JSON, who does not care gets text', async () => {
    const json = await ask(proxy.port, { path: '/api', headers: { accept: 'application/json' } });
    expect(json.headers).toMatchObject({ 'content-type': 'application/json', 'retry-after': '90' });
    expect(JSON.parse(json.body.toString())).toMatchObject({ status: 503, code: 'MAINTENANCE', retryAfterSeconds: 90 });
    const text = await ask(proxy.port, { path: '/api', headers: { accept: '*/*' } });
    expect(text.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'retry-after': '90' });
    expect(text.body.toString()).toBe('503 Service Unavailable\nThe application is down for maintenance.\n');
  });

  test('HEAD: the fields of GET, no body', async () => {
    const get = await ask(proxy.port, { path: '/', headers: { accept: BROWSER } });
    const head = await ask(proxy.port, { path: '/', method: 'HEAD', headers: { accept: BROWSER } });
    expect([head.status, head.body.length]).toEqual([503, 0]);
    expect(head.headers['content-length']).toBe(String(get.body.length));
  });

  test('files are served', async () => {
    expect(await ask(proxy.port, { path: '/static/a.css' })).toMatchObject({
      status: 200,
      body: Buffer.from('body{}'),
    });
    expect((await ask(proxy.port, { path: '/static/none.css' })).status).toBe(503);
  });

  test('a body that nobody reads does not become the next request', async () => {
    const client = new RawClient(proxy.port);
    client.send(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nGET /static/a.css HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    await client.closes();
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 503']);
  });

  test('a WebSocket is refused likewise', async () => {
    const client = new RawClient(proxy.port);
    client.send(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await client.closes();
    expect(client.received).toMatch(/^HTTP\/1\.1 503 /);
    expect(client.received).toContain('Retry-After: ');
    expect(asked).toBe(0);
  });

  test('it is counted under its code, and the log names it; the proxy itself is ready', async () => {
    await ask(proxy.port, { path: '/a', headers: { accept: BROWSER } });
    await ask(proxy.port, { path: '/b' });
    expect((await proxy.status()).requests.faults).toEqual({ MAINTENANCE: 2 });
    expect((await proxy.admin('/metrics')).body).toContain(
      'webapp_proxy_faults_total{code="MAINTENANCE",webapp="test"} 2',
    );
    expect(await until(() => proxy.access.find(({ target }) => target === '/a') ?? false, 'line')).toMatchObject({
      status: 503,
      fault: 'MAINTENANCE',
    });
    expect((await proxy.admin('/readyz')).status).toBe(200);
  });
});

test('it begins and ends under load: every request is answered, by the application or by the page', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const counts: Record<string, number> = {};
  const count = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const answered = request({ port: proxy.port, host: '127.0.0.1', path: '/', agent }, (response) => {
        response.resume();
        response.on('error', () => count('cut'));
        response.on('close', () => {
          count(response.complete ? String(response.statusCode) : 'cut');
          resolve();
        });
      });
      answered.on('error', () => {
        count('error');
        resolve();
      });
      answered.end();
    });
  let running = true;
  const loops = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (running) await one();
    }),
  );
  for (let round = 0; round < 5; round++) {
    await proxy.apply(config(round % 2 === 1));
    const status = round % 2 === 1 ? '503' : '200';
    const before = counts[status] ?? 0;
    await until(() => (counts[status] ?? 0) > before + 20, `answers ${status}`);
  }
  running = false;
  await loops;
  agent.destroy();
  expect(Object.keys(counts).toSorted()).toEqual(['200', '503']);
});

test('a request that the application has when it begins is answered by the application', async () => {
  await proxy.apply(config(false));
  const slow = await startApp((_request, response) => {
    slowly = () => response.end('whole');
  });
  let slowly: (() => void) | undefined;
  try {
    await proxy.apply(makeConfig([slow.address]));
    const answer = ask(proxy.port, { path: '/' });
    await until(() => slowly !== undefined, 'the request');
    await proxy.apply(makeConfig([slow.address], change(true)));
    slowly?.();
    expect(await answer).toMatchObject({ status: 200, body: Buffer.from('whole') });
  } finally {
    await slow.close();
  }
});
