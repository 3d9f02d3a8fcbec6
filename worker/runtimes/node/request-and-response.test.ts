// One request through a slot to a real Express application and back: bodies, streams, heads, and the client's side.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestApp } from './test-app.ts';

const MIB = 1024 * 1024;

const APP = `
const express = require('express');
const { createHash } = require('node:crypto');
const app = express();
const seen = [];
app.get('/client', (req, res) => res.json({
  ip: req.ip, port: req.socket.remotePort, family: req.socket.remoteFamily, protocol: req.protocol, host: req.host,
  url: req.url, originalUrl: req.originalUrl, version: req.httpVersion,
  raw: req.rawHeaders, headers: req.headers, distinct: req.headersDistinct,
}));
app.post('/json', express.json(), (req, res) => res.status(201).json(req.body));
app.all('/digest', async (req, res) => {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const chunk of req) { digest.update(chunk); bytes += chunk.length; }
  res.json({ bytes, sha256: digest.digest('hex'), length: req.headers['content-length'] ?? null, te: req.headers['transfer-encoding'] ?? null });
});
app.get('/bytes/:count', (req, res) => {
  res.type('bin').set('Content-Length', req.params.count);
  let left = Number(req.params.count);
  let written = 0;
  app.locals.written = () => written;
  (function more() {
    while (left > 0) {
      const chunk = Buffer.alloc(Math.min(left, 65536), 'x');
      left -= chunk.length;
      written += chunk.length;
      if (!res.write(chunk)) return res.once('drain', more);
    }
    res.end();
  })();
});
app.get('/written', (req, res) => res.json(app.locals.written()));
app.get('/chunks', (req, res) => { res.write('one '); res.write('two '); res.end('three'); });
app.get('/sse', (req, res) => {
  res.type('text/event-stream').flushHeaders();
  app.locals.tell = (text) => res.write('data: ' + text + '\\n\\n');
  res.on('close', () => seen.push('sse closed'));
});
app.get('/tell', (req, res) => res.json(app.locals.tell(req.query.text)));
app.get('/slow-head', (req, res) => { res.set('Content-Length', '5').flushHeaders(); app.locals.finish = () => res.end('later'); });
app.get('/finish', (req, res) => { app.locals.finish(); res.end(); });
app.get('/cookies', (req, res) => res.cookie('a', '1').cookie('b', '2').send('ok'));
app.get('/status/:code', (req, res) => { res.status(Number(req.params.code)).end(); });
app.get('/page', (req, res) => res.send('twelve bytes'));
app.get('/trailers', (req, res) => { res.set('Trailer', 'X-Sum'); res.write('body'); res.addTrailers({ 'X-Sum': '1' }); res.end(); });
app.get('/hints', (req, res) => { res.writeEarlyHints({ link: '</a.css>; rel=preload' }); res.writeProcessing(); res.send('after'); });
app.post('/processing', (req, res) => { res.writeProcessing(); res.send('after'); });
app.post('/refuse', (req, res) => res.status(413).send('too much'));
app.get('/hang', (req, res) => {
  seen.push('begun');
  req.on('aborted', () => seen.push('aborted'));
  res.on('close', () => seen.push('closed ' + res.writableFinished));
});
app.get('/seen', (req, res) => res.json(seen.splice(0)));
app.get('/destroy', (req) => { seen.push('destroyed'); req.socket.destroy(); });
app.get('/cut', (req, res) => { res.set('Content-Length', '100').write('part'); setTimeout(() => res.destroy(), 20); });
app.get('/garbage', (req, res) => { req.socket.end('this is not HTTP\\r\\n\\r\\n'); });
app.get('/close', (req, res) => res.set('Connection', 'close').send('bye'));
app.get('/block', () => { for (;;); });
app.get('/pid', (req, res) => res.send(String(process.pid)));
module.exports = app;
`;

let app: TestApp;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bodies-'));
  app = await new TestApp({ 'app.js': APP }).ready();
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

describe('the application sees the client', () => {
  test('with address, port, scheme and the headers that the client sent, and no trace of the front', async () => {
    const headers = ['Host', 'shop.test', 'X-A', '1', 'x-a', '2', 'Cookie', 'c=d', 'X-Forwarded-For', '203.0.113.9'];
    const answer = await app.ask({ target: '/client?a=~1,2~b', headers, scheme: 'https' });
    expect(JSON.parse(answer.text)).toEqual({
      ip: '192.0.2.7',
      port: 4711,
      family: 'IPv4',
      protocol: 'https',
      host: 'shop.test',
      url: '/client?a=~1,2~b',
      originalUrl: '/client?a=~1,2~b',
      version: '1.1',
      raw: headers,
      headers: { host: 'shop.test', 'x-a': '1, 2', cookie: 'c=d', 'x-forwarded-for': '203.0.113.9' },
      distinct: { host: ['shop.test'], 'x-a': ['1', '2'], cookie: ['c=d'], 'x-forwarded-for': ['203.0.113.9'] },
    });
  });

  test('anew for each request of a connection', async () => {
    const first = await app.ask({ target: '/client' });
    const second = await app.ask({ target: '/client', clientAddress: '2001:db8::5', scheme: 'http' });
    const third = await app.ask({ target: '/client', clientAddress: '' });
    const seen = [first, second, third].map(({ text }) => JSON.parse(text));
    expect(seen.map(({ ip, family }) => [ip, family])).toEqual([
      ['192.0.2.7', 'IPv4'],
      ['2001:db8::5', 'IPv6'],
      [undefined, undefined],
    ]);
  });

  test('without fields of the connection and without a second 100 Continue', async () => {
    const headers = ['Host', 'a', 'Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Keep-Alive', '5', 'TE', 'trailers'];
    const answer = await app.ask({
      target: '/client',
      headers: [...headers, 'Expect', '100-continue', 'Upgrade', 'x'],
    });
    expect(JSON.parse(answer.text).raw).toEqual(['Host', 'a']);
    expect(answer.informed).toEqual([]);
  });

  test('a target that looks like a preface is a target', async () => {
    const answer = await app.ask({ target: '/~0123~1s80,6.6.6.6~/client' });
    expect([answer.status, answer.text.includes('/~0123~1s80,6.6.6.6~/client')]).toEqual([404, true]);
  });
});

describe('a request body', () => {
  test('small', async () => {
    const body = Buffer.from('{"a":"é"}');
    const headers = ['Host', 'a', 'Content-Type', 'application/json', 'Content-Length', `${body.length}`];
    const answer = await app.ask({ method: 'POST', target: '/json', headers, body });
    expect([answer.status, answer.text, answer.accepted, answer.whole]).toEqual([201, '{"a":"é"}', true, true]);
  });

  test('none, and an empty one', async () => {
    const none = await app.ask({ method: 'DELETE', target: '/digest' });
    const empty = await app.ask({ method: 'POST', target: '/digest', body: Buffer.alloc(0) });
    expect(
      [none, empty].map(({ text }) => JSON.parse(text)).map(({ bytes, length, te }) => [bytes, length, te]),
    ).toEqual([
      [0, null, null],
      [0, '0', null],
    ]);
  });

  test('that came chunked has a length now', async () => {
    const headers = ['Host', 'a', 'Transfer-Encoding', 'chunked'];
    const answer = await app.ask({ method: 'PUT', target: '/digest', headers, body: Buffer.from('abc') });
    expect(JSON.parse(answer.text)).toMatchObject({ bytes: 3, length: '3', te: null });
  });

  test('large, from memory', async () => {
    const body = Buffer.alloc(4 * MIB, 'y');
    expect(JSON.parse((await app.ask({ method: 'POST', target: '/digest', body })).text).bytes).toBe(4 * MIB);
  });

  test('larger, from a file', async () => {
    const bodyFile = join(folder, 'body');
    writeFileSync(bodyFile, Buffer.alloc(20 * MIB, 'z'));
    const answer = await app.ask({ method: 'POST', target: '/digest', bodyFile, bodyBytes: 20 * MIB });
    expect(JSON.parse(answer.text)).toMatchObject({ bytes: 20 * MIB, length: `${20 * MIB}` });
    expect(answer.accepted).toBe(true);
  });

  test('from a file that is shorter than announced, or not there: the request fails, the slot lives', async () => {
    const bodyFile = join(folder, 'short');
    writeFileSync(bodyFile, 'short');
    const short = app.send({ method: 'POST', target: '/digest', bodyFile, bodyBytes: 100 });
    await short.over;
    const missing = app.send({ method: 'POST', target: '/digest', bodyFile: `${bodyFile}-not`, bodyBytes: 100 });
    await missing.over;
    expect([short.failure, missing.failure]).toEqual([
      expect.stringMatching(/^aborted/),
      expect.stringMatching(/^aborted: the request body could not be read: ENOENT/),
    ]);
    expect((await app.ask({ target: '/page' })).text).toBe('twelve bytes');
  });

  test('that the application does not read is no hindrance', async () => {
    const bodyFile = join(folder, 'unread');
    writeFileSync(bodyFile, Buffer.alloc(20 * MIB));
    const answer = await app.ask({ method: 'POST', target: '/refuse', bodyFile, bodyBytes: 20 * MIB });
    expect([answer.status, answer.text]).toEqual([413, 'too much']);
    expect((await app.ask({ target: '/page' })).text).toBe('twelve bytes');
  });
});

describe('a response', () => {
  test('that is small comes whole, without fields that are the front’s', async () => {
    const answer = await app.ask({ target: '/page' });
    expect([answer.whole, answer.status, answer.text]).toEqual([true, 200, 'twelve bytes']);
    const names = answer.headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names).toEqual(['x-powered-by', 'content-type', 'content-length', 'etag']);
  });

  test('that is chunked but written at once comes whole', async () => {
    const answer = await app.ask({ target: '/chunks' });
    expect([answer.whole, answer.text]).toEqual([true, 'one two three']);
  });

  test('that is large streams, and waits for a reader that lags', async () => {
    const bytes = 32 * MIB;
    const answer = app.send({ target: `/bytes/${bytes}` });
    await answer.until(() => answer.chunks.length > 0);
    app.slots[0]?.pause();
    const paused = answer.body.length;
    let written = -1;
    // What the kernel takes is taken; then the application stands still.
    const standsStill = async (): Promise<boolean> => {
      const before = written;
      written = Number((await app.ask({ target: '/written' }, 1)).text);
      return written === before;
    };
    await expect.poll(standsStill).toBe(true);
    expect(written).toBeLessThan(bytes / 2);
    expect(answer.body.length).toBeLessThanOrEqual(paused + 64 * 1024);
    app.slots[0]?.resume();
    await answer.over;
    expect([answer.failure, answer.body.length, answer.whole]).toEqual([null, bytes, false]);
  });

  test('of events comes as it is made', async () => {
    const answer = app.send({ target: '/sse' });
    await answer.until(() => answer.status === 200);
    await app.ask({ target: '/tell?text=a' }, 1);
    await answer.until(() => answer.text === 'data: a\n\n');
    await app.ask({ target: '/tell?text=b' }, 1);
    await answer.until(() => answer.text.endsWith('data: b\n\n'));
    app.slots[0]?.cancel();
    await answer.over;
    await expect.poll(async () => (await app.ask({ target: '/seen' }, 1)).text).toBe('["sse closed"]');
  });

  test('whose body comes after its head is not held back', async () => {
    const answer = app.send({ target: '/slow-head' });
    await answer.until(() => answer.status === 200);
    await app.ask({ target: '/finish' }, 1);
    await answer.over;
    expect([answer.text, answer.whole]).toEqual(['later', false]);
  });

  test('keeps each Set-Cookie', async () => {
    expect((await app.ask({ target: '/cookies' })).all('set-cookie')).toEqual(['a=1; Path=/', 'b=2; Path=/']);
  });

  test('to HEAD has the length and no body', async () => {
    const answer = await app.ask({ method: 'HEAD', target: '/page' });
    expect([answer.all('content-length'), answer.body.length]).toEqual([['12'], 0]);
  });

  test.each([204, 304, 205])('%i has no body', async (code) => {
    const answer = await app.ask({ target: `/status/${code}` });
    expect([answer.status, answer.body.length]).toEqual([code, 0]);
  });

  test('loses its trailers', async () => {
    const answer = await app.ask({ target: '/trailers' });
    expect([answer.text, answer.all('x-sum')]).toEqual(['body', []]);
  });

  test('may be preceded by 1xx, which are the client’s unless one was asked for', async () => {
    expect((await app.ask({ target: '/hints' })).informed).toEqual([103, 102]);
    const processing = await app.ask({ method: 'POST', target: '/processing' });
    expect([processing.accepted, processing.informed]).toEqual([true, [102]]);
  });

  test('after which the application closes its connection is complete, and the next one has a new connection', async () => {
    expect((await app.ask({ target: '/close' })).text).toBe('bye');
    expect((await app.ask({ target: '/page' })).text).toBe('twelve bytes');
  });
});

describe('a response that is no response', () => {
  test.each([
    ['/cut', /^aborted/],
    ['/garbage', /^invalid/],
  ])('%s', async (target, failure) => {
    const answer = app.send({ target });
    await answer.over;
    expect(answer.failure).toMatch(failure);
    expect((await app.ask({ target: '/page' })).text).toBe('twelve bytes');
  });

  test('of a POST that the application drops is told as dropped, and it ran once', async () => {
    await app.ask({ target: '/seen' });
    const answer = app.send({ target: '/destroy', wantAccept: true });
    await answer.over;
    expect([answer.accepted, answer.failure]).toEqual([true, 'aborted: the application closed the connection']);
    expect(JSON.parse((await app.ask({ target: '/seen' })).text)).toEqual(['destroyed']);
  });
});

describe('a client that leaves', () => {
  test('is noticed by the application, and the slot is free again', async () => {
    await app.ask({ target: '/seen' });
    const answer = app.send({ target: '/hang' });
    await expect.poll(async () => (await app.ask({ target: '/seen' }, 1)).text).toBe('["begun"]');
    app.slots[0]?.cancel();
    app.slots[0]?.cancel();
    await answer.over;
    expect([answer.status, answer.failure]).toEqual([0, 'aborted: the client has gone']);
    await expect.poll(async () => (await app.ask({ target: '/seen' }, 1)).text).toMatch(/closed false/);
    expect((await app.ask({ target: '/page' })).text).toBe('twelve bytes');
  });

  test('in the midst of the body from a file', async () => {
    const bodyFile = join(folder, 'left');
    writeFileSync(bodyFile, Buffer.alloc(20 * MIB));
    const answer = app.send({ method: 'POST', target: '/hang-not-there', bodyFile, bodyBytes: 20 * MIB });
    app.slots[0]?.cancel();
    await answer.over;
    expect(answer.failure).toBe('aborted: the client has gone');
    expect((await app.ask({ target: '/page' })).text).toBe('twelve bytes');
  });

  test('of a process whose event loop is blocked: the slot is not free until the process is gone', async () => {
    const blocked = await new TestApp({ 'app.js': APP }).ready();
    const answer = blocked.send({ target: '/block', wantAccept: true });
    let over = false;
    void answer.over.then(() => {
      over = true;
    });
    await answer.until(() => answer.accepted);
    blocked.slots[0]?.cancel();
    // As long as another process takes for ten requests.
    for (let turn = 0; turn < 10; turn++) await app.ask({ target: '/page' });
    expect(over).toBe(false);
    blocked.child.kill(true);
    await answer.over;
    expect(answer.failure).toBe('died: the process ended');
    await blocked.close();
  });
});

test('many slots at once, over and over, each answer to its own request', async () => {
  const rounds = Array.from({ length: 4 }, async (_, slot) => {
    for (let turn = 0; turn < 100; turn++) {
      const address = `192.0.2.${slot}`;
      const answer = await app.ask({ target: `/client?turn=${turn}`, clientAddress: address }, slot);
      expect(JSON.parse(answer.text)).toMatchObject({ ip: address, url: `/client?turn=${turn}` });
    }
  });
  await Promise.all(rounds);
});
