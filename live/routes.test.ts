// The routes over a real admin port: what a browser is told of them, who is let in, and what a stream does.
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { openAdmin } from '../http/admin.ts';
import { LivePages } from './live-pages.ts';
import type { Picture } from './picture.ts';
import { addLiveRoutes, type RouteOptions } from './routes.ts';
import type { Source, WebAppDocuments } from './source.ts';
import { makeDocuments, makeProcess, makeWorker } from './testing/documents.ts';

interface Rig {
  readonly ask: (path: string, headers?: Record<string, string>) => Promise<Response>;
  readonly listen: (path: string) => Promise<Stream>;
  readonly reads: () => number;
  now: WebAppDocuments | undefined;
}

interface Stream {
  readonly status: number;
  /** The data of the next event of this name. */
  next<T>(event: string): Promise<T>;
  close(): void;
}

async function open(options: RouteOptions & { maxListeners?: number; socketPath?: string } = {}): Promise<Rig> {
  const { maxListeners, socketPath, ...routes } = options;
  let reads = 0;
  const rig = { now: makeDocuments() as WebAppDocuments | undefined };
  const source: Source = {
    list: () => [{ namespace: 'default', name: 'shop', tone: 'good', text: '3 of 3 processes ready.' }],
    read: async ({ name }) => {
      reads++;
      return name === 'shop' ? rig.now : undefined;
    },
  };
  const pages = new LivePages({ source, clock: systemClock, ...(maxListeners !== undefined && { maxListeners }) });
  const admin = await openAdmin(socketPath === undefined ? { host: '127.0.0.1', port: 0 } : { path: socketPath }, {
    ready: () => null,
    status: () => ({}),
    metrics: new Registry(),
    routes: (app) => addLiveRoutes(app, pages, routes),
  });
  onTestFinished(async () => {
    pages.close();
    await admin.close();
  });
  const base = 'port' in admin.address ? `http://127.0.0.1:${admin.address.port}` : 'http://localhost';
  return Object.assign(rig, {
    ask: (path: string, headers = {}) => fetchRaw(base, path, headers, socketPath),
    listen: (path: string) => openStream(`${base}${path}`),
    reads: () => reads,
  });
}

/** fetch sets Host itself. */
function fetchRaw(base: string, path: string, headers: Record<string, string>, socketPath?: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = get(`${base}${path}`, { headers, agent: false, socketPath }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const told = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 0, headers: told }));
      });
    });
    request.on('error', reject);
  });
}

function openStream(url: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => resolve(streamOf(response, () => request.destroy())));
    request.on('error', reject);
    onTestFinished(() => void request.destroy());
  });
}

function streamOf(response: IncomingMessage, close: () => void): Stream {
  let text = '';
  let wake = (): void => {};
  response.setEncoding('utf8');
  response.on('error', () => {});
  response.on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  return {
    status: response.statusCode ?? 0,
    next: async <T>(event: string): Promise<T> => {
      for (;;) {
        const found = new RegExp(`event: ${event}\ndata: (.*)\n\n`).exec(text);
        if (found) {
          text = text.slice(found.index + found[0].length);
          return JSON.parse(found[1] ?? '') as T;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    close,
  };
}

test.each([
  '/',
  '/live/default/shop',
  '/live.json',
  '/live.page/page.css',
  '/live.page/page/main.js',
  '/live.page/nope',
])('%s forbids the browser everything that the page does not need', async (path) => {
  const { headers } = await (await open()).ask(path);
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'; require-trusted-types-for 'script'/,
  );
  expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
});

test('a page holds no script and no style of its own', async () => {
  const { ask } = await open();
  for (const path of ['/', '/live/default/shop']) {
    const html = await (await ask(path)).text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|https?:\/\//);
  }
});

test.each([
  ['evil.example', 421],
  ['127.0.0.1', 200],
  ['localhost:1', 200],
  ['operator.web.svc', 200],
])('asked for as %s: %i, on every route', async (host, status) => {
  const { ask } = await open({ hosts: ['.svc'] });
  for (const path of ['/', '/live/default/shop', '/live.json', '/live.json/default/shop', '/live.page/page.css'])
    expect((await ask(path, { host })).status).toBe(status);
  if (status !== 200) expect((await ask('/live.events/default/shop', { host })).status).toBe(status);
});

test('where only this machine is let in, others are told how to come', async () => {
  const onlyHere = 'Come by a port-forward.';
  expect((await (await open({ onlyHere })).ask('/live.json')).status).toBe(200);
  // Who comes by a socket file has no address.
  const socketPath = join(tmpdir(), `live-${process.pid}.sock`);
  const refused = await (await open({ onlyHere, socketPath })).ask('/live.json');
  expect([refused.status, await refused.text()]).toEqual([403, `${onlyHere}\n`]);
});

test.each([
  '/live.json/default/other',
  '/live.json/Default/shop',
  '/live.json/default/..%2f..%2fetc',
  '/live.page/../routes.ts',
  '/live.page/..%2froutes.ts',
  '/live.page/page/nope.ts',
  '/live.page/source.ts',
  '/live.page/page/..%2f..%2froutes.ts',
])('%s is not there', async (path) => {
  expect((await (await open()).ask(path)).status).toBe(404);
});

test('probes and metrics need no name', async () => {
  const { ask } = await open({ onlyHere: 'no' });
  expect((await ask('/healthz', { host: 'whatever.example' })).status).toBe(200);
});

test('a stream tells the configuration once, pictures again and again, and a change within a second', async () => {
  const rig = await open();
  const stream = await rig.listen('/live.events/default/shop');
  expect(stream.status).toBe(200);
  expect(await stream.next('configuration')).toBe('app: shop:app\n');
  expect((await stream.next<Picture>('picture')).now.processes.ready).toBe(3);
  rig.now = makeDocuments({ workers: [{ place: 'here', status: makeWorker({ list: [makeProcess(1)] }) }] });
  while ((await stream.next<Picture>('picture')).now.processes.ready !== 1);
  rig.now = undefined;
  await stream.next('gone');
});

test('nobody is asked when nobody looks', async () => {
  const rig = await open();
  const stream = await rig.listen('/live.events/default/shop');
  await stream.next('picture');
  stream.close();
  let before = -1;
  // It stands still for longer than a look takes.
  while (rig.reads() !== before) {
    before = rig.reads();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
});

test('as many listen as may; one that leaves makes room', async () => {
  const rig = await open({ maxListeners: 2 });
  const path = '/live.events/default/shop';
  const [first] = [await rig.listen(path), await rig.listen(path)];
  const third = await rig.listen(path);
  expect(third.status).toBe(503);
  first?.close();
  for (;;) {
    const again = await rig.listen(path);
    if (again.status === 200) break;
  }
});
