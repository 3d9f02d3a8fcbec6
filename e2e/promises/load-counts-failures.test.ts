// "0 failed" is worth what the load would have seen: each kind of failure, made on purpose, is counted.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type LoadOptions, type LoadReport, startLoad } from '../load.ts';
import { eventually } from '../namespace.ts';
import { startSocketLoad } from './socket-load.ts';

const ENOUGH = 20;
const usual = { perSecond: 200, expect: 'Teapot' };

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function loaded(options: LoadOptions): Promise<LoadReport> {
  const load = startLoad(options);
  await eventually(
    () => load.report.sent >= ENOUGH,
    () => 'nothing is sent',
  );
  return load.stop();
}

const kindsOf = ({ failures }: LoadReport): string[] => Object.keys(failures);

test.each<[string, RequestListener, Partial<LoadOptions>, string]>([
  ['another status', (_, answer) => answer.writeHead(502).end('no'), {}, 'status 502: no'],
  ['another body', (_, answer) => answer.end('Cup'), {}, 'wrong body'],
  ['a reset connection', (request) => request.socket.destroy(), {}, 'ECONNRESET at use of a new connection'],
  [
    'a body cut short',
    (request, answer) => {
      answer.writeHead(200, { 'content-length': '100' }).write('Teapot');
      setImmediate(() => request.socket.destroy());
    },
    {},
    'cut: ECONNRESET',
  ],
  ['no answer in time', () => {}, { timeoutMs: 50 }, 'timeout'],
  [
    'nothing to follow',
    (_, answer) => answer.end('Teapot'),
    { follow: 'href="([^"]+)"' },
    'nothing to follow in the body',
  ],
  [
    'what the page names is not there',
    ({ url }, answer) => answer.writeHead(url === '/' ? 200 : 404).end('Teapot href="/style.css"'),
    { follow: 'href="([^"]+)"' },
    '/style.css: status 404: Teapot href="/style.css"',
  ],
  [
    'a 503 that is not the one that is as good',
    (_, answer) => answer.writeHead(503).end('full'),
    { alsoGood: { status: 503, expect: 'maintenance' } },
    'status 503: full',
  ],
])('%s', async (_, listener, options, kind) => {
  const report = await loaded({ ...usual, url: await serve(listener), ...options });
  expect(kindsOf(report)).toEqual([kind]);
  expect(report.ok).toBe(0);
  expect(report.failures[kind]).toBe(report.sent);
});

test('good answers are no failures, whichever of the two they are', async () => {
  let turn = 0;
  const url = await serve((_, answer) => {
    if (turn++ % 2 === 0) answer.end('a Teapot');
    else answer.writeHead(503).end('down for maintenance');
  });
  const report = await loaded({ ...usual, url, alsoGood: { status: 503, expect: 'maintenance' } });
  expect(report).toMatchObject({ ok: report.sent, failures: {} });
});

test('a WebSocket that ends', async () => {
  const server = await serve((request) => request.socket.destroy());
  const load = startSocketLoad({ url: server.replace('http:', 'ws:'), sockets: 3, everyMs: 20 });
  await eventually(
    () => Object.keys(load.report.failures).length > 0,
    () => 'no failure is counted',
  );
  expect(kindsOf(await load.stop())).toEqual(['closed 1006']);
});
