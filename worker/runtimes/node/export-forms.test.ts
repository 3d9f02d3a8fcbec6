// What an application may export, or do, to be served.
import { afterEach, describe, expect, test } from 'vitest';
import { type AppOptions, TestApp } from './test-app.ts';

let app: TestApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});

async function serve(files: Record<string, string>, options?: AppOptions): Promise<string> {
  app = await new TestApp(files, options).ready();
  return (await app.ask({ target: '/path?q=1' })).text;
}

const SAY = `(req, res) => res.end('served ' + req.url)`;
const SERVED = 'served /path?q=1';

describe('an export that serves', () => {
  const forms: [string, Record<string, string>, string?][] = [
    ['module.exports = function', { 'server.js': `module.exports = ${SAY}` }],
    ['exports.app', { 'server.cjs': `exports.app = ${SAY}` }],
    ['exports.handler beside other things', { 'server.cjs': `exports.PORT = 3; exports.handler = ${SAY}` }],
    ['an export by its name', { 'a/b.js': `exports.web = ${SAY}; exports.app = 3` }, 'a/b.js:web'],
    ['module.exports by the name default', { 'server.js': `module.exports = ${SAY}` }, 'server.js:default'],
    ['export default', { 'server.mjs': `export default ${SAY}` }],
    ['export const server', { 'server.mjs': `export const server = ${SAY}` }],
    ['an ES module by its syntax alone', { 'server.js': `import 'node:fs'; export const application = ${SAY}` }],
    ['an ES module by package.json', { 'server.js': `export default ${SAY}`, 'package.json': '{"type": "module"}' }],
    ['await at the top level', { 'server.js': `import 'node:fs'; await 1; export default ${SAY}` }],
    ['an export behind await by its name', { 's.js': `export const x = await (${SAY})` }, 's.js:x'],
    [
      'TypeScript',
      {
        'server.ts': `const listener: unknown = ${SAY.replace('req, res', 'req: any, res: any')}; export default listener`,
      },
    ],
    [
      'CommonJS that requires an ES module',
      { 'server.cjs': `module.exports = require('./esm.mjs')`, 'esm.mjs': `export default ${SAY}` },
    ],
    [
      'a transpiled module',
      { 'server.js': `Object.defineProperty(exports, '__esModule', {value: true}); exports.default = ${SAY}` },
    ],
    ['an http.Server', { 'server.js': `module.exports = require('node:http').createServer(${SAY})` }],
    ['a factory', { 'server.mjs': `export const createApp = () => ${SAY}` }, 'server.mjs:createApp()'],
    [
      'an asynchronous factory',
      { 'server.mjs': `export async function make() { await 1; return ${SAY} }` },
      'server.mjs:make()',
    ],
    ['Express', { 'server.js': `const app = require('express')(); app.use(${SAY}); module.exports = app` }],
    ['what looks like Koa', { 'server.js': `module.exports = { use() {}, callback() { return ${SAY} } }` }],
    [
      'what looks like Fastify',
      {
        'server.mjs': `import { createServer } from 'node:http';
        let listener = (req, res) => res.end('too early');
        export const app = { server: createServer((q, s) => listener(q, s)), async ready() { listener = ${SAY} } }`,
      },
    ],
  ];
  test.each(forms)('%s', async (_name, files, reference) => {
    expect(await serve(files, reference === undefined ? {} : { app: reference })).toBe(SERVED);
  });
});

describe('a script that listens itself', () => {
  test('serves there, is called back, and sees the port it asked for', async () => {
    const answer = await serve({
      'server.js': `
        const app = require('express')();
        const server = app.listen(3000, '127.0.0.1', () => { app.ready = true; });
        app.use((req, res) => res.json({ ready: app.ready, address: server.address(), listening: server.listening }));`,
    });
    expect(JSON.parse(answer)).toEqual({
      ready: true,
      address: { address: '127.0.0.1', family: 'IPv4', port: 3000 },
      listening: true,
    });
  });

  const ways: [string, string][] = [
    ['listen(PORT) of a variable that is not set otherwise', 'server.listen(process.env.PORT)'],
    ['listen({ port })', 'server.listen({ port: 80, host: "::1", exclusive: true })'],
    ['listen() of a path', 'server.listen("/tmp/of-its-own.sock", () => {})'],
    ['listen() with nothing', 'server.listen()'],
    ['after its database has answered', 'setTimeout(() => server.listen(3000), 100)'],
    ['when it is the main module', 'if (require.main === module) server.listen(3000)'],
  ];
  test.each(ways)('%s', async (_name, listen) => {
    expect(await serve({ 'server.js': `const server = require('node:http').createServer(${SAY}); ${listen}` })).toBe(
      SERVED,
    );
  });

  test('an ES module that asks by argv whether it is the main module', async () => {
    const text = `import { createServer } from 'node:http'; import { fileURLToPath } from 'node:url';
      if (process.argv[1] === fileURLToPath(import.meta.url)) createServer(${SAY}).listen(3000)`;
    expect(await serve({ 'server.mjs': text })).toBe(SERVED);
  });

  test('an ES module that asks by import.meta whether it is the main module', async () => {
    const text = `import { createServer } from 'node:http'; if (import.meta.main) createServer(${SAY}).listen(3000)`;
    expect(await serve({ 'server.mjs': text })).toBe(SERVED);
  });

  test('a main module is run once', async () => {
    const text = `import { createServer } from 'node:http'; globalThis.runs = (globalThis.runs ?? 0) + 1; await 1;
      createServer((req, res) => res.end(String(globalThis.runs))).listen(3000)`;
    expect(await serve({ 'server.mjs': text })).toBe('1');
  });

  test('the server that listens is served rather than the function it exports as well', async () => {
    const text = `const { createServer } = require('node:http');
      createServer(${SAY}).listen(3000); module.exports = (req, res) => res.end('the export')`;
    expect(await serve({ 'server.js': text })).toBe(SERVED);
  });

  test('a server that listens after the export was taken serves from then on', async () => {
    app = await new TestApp({
      'server.js': `const { createServer } = require('node:http');
        module.exports = (req, res) => { res.end('early'); server.listen(3000) };
        const server = createServer((req, res) => res.end('late'))`,
    }).ready();
    expect((await app.ask()).text).toBe('early');
    await expect.poll(async () => (await app?.ask())?.text).toBe('late');
  });

  test('a named export is served though another server listens', async () => {
    const text = `const { createServer } = require('node:http');
      createServer((req, res) => res.end('the server')).listen(3000); exports.web = ${SAY}`;
    expect(await serve({ 'server.js': text }, { app: 'server.js:web' })).toBe(SERVED);
  });

  test('the named export may be the server that listens', async () => {
    const text = `exports.server = require('node:http').createServer(${SAY}).listen(3000)`;
    expect(await serve({ 'server.js': text }, { app: 'server.js:server' })).toBe(SERVED);
  });

  test('https is taken off: TLS is the business of the proxy', async () => {
    expect(await serve({ 'server.js': `require('node:https').createServer(${SAY}).listen(443)` })).toBe(SERVED);
  });

  test('a second server is left alone', async () => {
    const answer = await serve({
      'server.js': `const { createServer } = require('node:http');
        const metrics = createServer();
        createServer((req, res) => res.end(typeof metrics.address().port)).listen(3000);
        metrics.listen(0, '127.0.0.1')`,
    });
    expect(answer).toBe('number');
  });
});

describe('a fetch handler', () => {
  const forms: [string, Record<string, string>][] = [
    [
      'export default { fetch }',
      { 'server.mjs': `export default { fetch: (r) => new Response('served ' + new URL(r.url).pathname) }` },
    ],
    [
      'export function fetch',
      { 'server.mjs': `export const fetch = (r) => new Response('served ' + new URL(r.url).pathname)` },
    ],
    [
      'an object with state',
      {
        'server.mjs': `class App { word = 'served'; async fetch(r) { return new Response(this.word + ' ' + new URL(r.url).pathname) } }
        export const app = new App()`,
      },
    ],
  ];
  test.each(forms)('%s', async (_name, files) => {
    expect(await serve(files)).toBe('served /path');
  });

  test('sees the request as the client sent it', async () => {
    app = await new TestApp({
      'server.mjs': `export default { async fetch(r) {
        return Response.json({ url: r.url, method: r.method, cookie: r.headers.get('cookie'), body: await r.text() }) } }`,
    }).ready();
    const headers = ['Host', 'shop.test', 'Cookie', 'a=1', 'Content-Length', '5'];
    const answer = await app.ask({
      method: 'POST',
      target: '/a?b=c',
      headers,
      scheme: 'https',
      body: Buffer.from('héy!'),
    });
    expect(JSON.parse(answer.text)).toEqual({
      url: 'https://shop.test/a?b=c',
      method: 'POST',
      cookie: 'a=1',
      body: 'héy!',
    });
  });

  test('answers with status, text and each Set-Cookie on its own', async () => {
    app = await new TestApp({
      'server.mjs': `export default { fetch() {
        return new Response('made', { status: 201, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-y', 'z']] }) } }`,
    }).ready();
    const answer = await app.ask();
    expect([answer.status, answer.all('set-cookie'), answer.all('x-y'), answer.text]).toEqual([
      201,
      ['a=1', 'b=2'],
      ['z'],
      'made',
    ]);
  });

  test('HEAD has no body, and the body is let go', async () => {
    app = await new TestApp({
      'server.mjs': `let cancelled = false;
        export default { fetch(r) { return r.method === 'HEAD'
          ? new Response(new ReadableStream({ cancel() { cancelled = true } }))
          : new Response(String(cancelled)) } }`,
    }).ready();
    expect((await app.ask({ method: 'HEAD' })).body.length).toBe(0);
    expect((await app.ask()).text).toBe('true');
  });

  test('streams', async () => {
    app = await new TestApp({
      'server.mjs': `let go; const gate = new Promise((resolve) => { go = resolve });
        export default { async fetch(r) {
          if (r.url.endsWith('/go')) return go(), new Response('');
          async function* parts() { yield Buffer.from('one '); await gate; yield Buffer.from('two') }
          return new Response(ReadableStream.from(parts())) } }`,
    }).ready();
    const answer = app.send({ target: '/' }, 0);
    await answer.until(() => answer.text === 'one ');
    await app.ask({ target: '/go' }, 1);
    await answer.over;
    expect(answer.text).toBe('one two');
  });

  test('hears that its client has gone, in the request and in the stream', async () => {
    app = await new TestApp({
      'server.mjs': `const heard = [];
        export default { fetch(r) {
          if (r.url.endsWith('/heard')) return Response.json(heard);
          r.signal.addEventListener('abort', () => heard.push('abort'));
          return new Response(new ReadableStream({ pull(c) { c.enqueue(Buffer.from('x')); return new Promise((r) => setTimeout(r, 5)) }, cancel() { heard.push('cancel') } })) } }`,
    }).ready();
    const answer = app.send({}, 0);
    await answer.until(() => answer.chunks.length > 2);
    app.slots[0]?.cancel();
    await answer.over;
    await expect
      .poll(async () => JSON.parse((await app?.ask({ target: '/heard' }, 1))?.text ?? '').sort())
      .toEqual(['abort', 'cancel']);
  });

  test('a throw is a 500, a stream that fails is a cut', async () => {
    app = await new TestApp({
      'server.mjs': `export default { fetch(r) {
        if (r.url.endsWith('/throw')) throw new Error('on purpose');
        if (r.url.endsWith('/nothing')) return;
        async function* parts() { yield Buffer.from('begun'); throw new Error('on purpose') }
        return new Response(ReadableStream.from(parts())) } }`,
    }).ready();
    expect((await app.ask({ target: '/throw' })).status).toBe(500);
    expect((await app.ask({ target: '/nothing' })).status).toBe(500);
    const answer = app.send({ target: '/stream' });
    await answer.over;
    expect(answer.failure).toMatch(/^aborted/);
  });
});
