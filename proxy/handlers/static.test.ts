import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type FrontDoor, openFrontDoor } from '../../http/listen.ts';
import { staticFiles } from './static.ts';

const LIMITS = {
  bodyBytes: 1e6,
  headBytes: 32_768,
  connections: 100,
  requestHeadMs: 60_000,
  requestBodyMs: 60_000,
  idleMs: 60_000,
  sendMs: 60_000,
};
const LARGE = Buffer.alloc(300_000, 'abcdefghij');

let root: string;
let door: FrontDoor;
let served: number;
/** Added to the clock: entries are believed for a second. */
let ahead: number;
const clock: Clock = { now: () => performance.now() + ahead, wall: () => Date.now() };

/** Files of the folder under test, and one beside it that nobody may reach. */
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'static-'));
  served = 0;
  ahead = 0;
  mkdirSync(join(root, 'site/sub/.git'), { recursive: true });
  writeFileSync(join(root, 'secret.txt'), 'secret');
  file('a.css', 'body{}');
  file('sub/b.txt', 'hello');
  file('.env', 'secret');
  file('sub/.git/config', 'secret');
  file('large.bin', LARGE);
  file('empty.txt', '');
  door = await openFrontDoor({ path: join(root, 's') }, { limits: LIMITS, onRequest: makeHandler() });
});
afterEach(async () => {
  await door.drain(0);
  rmSync(root, { recursive: true });
});

function file(name: string, content: string | Buffer, secondsAgo = 100): void {
  const path = join(root, 'site', name);
  writeFileSync(path, content);
  const time = Date.now() / 1000 - secondsAgo;
  utimesSync(path, time, time);
}

function makeHandler() {
  const policy = { maxAgeSeconds: 3600, immutable: false };
  const middleware = staticFiles({
    folders: [
      { path: '/static', directories: [join(root, 'site'), join(root, 'older')], ...policy },
      { path: '/static/hashed', directories: [join(root, 'site/sub')], maxAgeSeconds: 31_536_000, immutable: true },
    ],
    clock,
    onServed: () => served++,
    onError: (error) => {
      throw error;
    },
  });
  const app = (exchange: Exchange): void => exchange.respond(404, [], 'the application');
  const handle = middleware(app);
  return (exchange: Exchange): void => {
    // The door stamps by the real clock.
    Object.assign(exchange, { startedAt: clock.now(), requestId: 'id-1' });
    handle(exchange);
  };
}

/** Names of what this process has open. */
function openFiles(): string {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .join(' ');
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly complete: boolean;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ socketPath: join(root, 's'), path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => {});
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          complete: response.complete,
        }),
      );
    })
      .on('error', reject)
      .end();
  });
}

describe('a file', () => {
  test('comes with type, validators and caching, and the request id', async () => {
    const { status, headers, body } = await ask('/static/a.css?v=1');
    expect([status, body.toString()]).toEqual([200, 'body{}']);
    expect(headers).toMatchObject({
      'content-type': 'text/css; charset=utf-8',
      'content-length': '6',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=3600',
      'x-request-id': 'id-1',
    });
    expect(headers.etag).toMatch(/^"[\w-]{22}"$/);
    expect(headers['last-modified']).toMatch(/GMT$/);
    expect(headers['vary']).toBeUndefined();
    expect(served).toBe(1);
  });

  test('of the longest matching path', async () => {
    expect((await ask('/static/hashed/b.txt')).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect((await ask('/static/sub/b.txt')).headers['cache-control']).toBe('public, max-age=3600');
  });

  test('that is large is streamed whole', async () => {
    const { headers, body } = await ask('/static/large.bin');
    expect(headers['content-length']).toBe(String(LARGE.length));
    expect(body.equals(LARGE)).toBe(true);
  });

  test('that is empty is answered', async () => {
    expect(await ask('/static/empty.txt')).toMatchObject({ status: 200, headers: { 'content-length': '0' } });
  });

  test.each(['/static/a.css', '/static/large.bin'])('HEAD %s: the fields of GET, no body', async (path) => {
    const [get, head] = [await ask(path), await ask(path, {}, 'HEAD')];
    expect(head.body.length).toBe(0);
    for (const name of ['content-length', 'content-type', 'etag', 'last-modified'])
      expect(head.headers[name]).toBe(get.headers[name]);
  });

  test.each(['POST', 'DELETE', 'PUT', 'OPTIONS'])('%s: 405 with Allow', async (method) => {
    expect(await ask('/static/a.css', {}, method)).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });
});

describe('what is no file goes to the application', () => {
  test.each(['/static', '/static/', '/static/sub', '/static/none.css', '/static/a.css/x', '/staticfoo', '/other'])(
    '%s',
    async (path) => {
      expect(await ask(path)).toMatchObject({ status: 404, body: Buffer.from('the application') });
      expect(await ask(path, {}, 'POST')).toMatchObject({ status: 404 });
      expect(served).toBe(0);
    },
  );
});

describe('nothing outside the folder, and nothing hidden, is reached', () => {
  test.each([
    '/static/../secret.txt',
    '/static/%2e%2e/secret.txt',
    '/static/..%2fsecret.txt',
    '/static/sub/../../secret.txt',
    '/static/./a.css',
    '/static//a.css',
    '/static/.env',
    '/static/%2eenv',
    '/static/sub/.git/config',
    '/static/a.css%00.txt',
    '/static/outward.txt',
    '/static/outward/secret.txt',
    '/static/loop',
    '/static/dangling',
  ])('%s', async (path) => {
    symlinkSync(join(root, 'secret.txt'), join(root, 'site/outward.txt'));
    symlinkSync(root, join(root, 'site/outward'));
    symlinkSync('loop', join(root, 'site/loop'));
    symlinkSync('nowhere', join(root, 'site/dangling'));
    expect(await ask(path)).toMatchObject({ status: 404, body: Buffer.from('the application') });
  });

  test('a link that stays inside is followed, as mounted ConfigMaps need', async () => {
    mkdirSync(join(root, 'site/..2026'));
    file('..2026/conf.txt', 'inside');
    symlinkSync('..2026', join(root, 'site/..data'));
    symlinkSync('..data/conf.txt', join(root, 'site/conf.txt'));
    expect((await ask('/static/conf.txt')).body.toString()).toBe('inside');
  });

  test('a compressed form that is a link to the outside is not used', async () => {
    writeFileSync(join(root, 'secret.gz'), 'secret');
    symlinkSync(join(root, 'secret.gz'), join(root, 'site/a.css.gz'));
    expect((await ask('/static/a.css', { 'accept-encoding': 'gzip' })).body.toString()).toBe('body{}');
  });
});

describe('an earlier version beside the current one', () => {
  beforeEach(() => {
    mkdirSync(join(root, 'older/sub'), { recursive: true });
    writeFileSync(join(root, 'older/a.css'), 'old{}');
    writeFileSync(join(root, 'older/app.1f3c.js'), 'old()');
    writeFileSync(join(root, 'older/sub/large.1f3c.bin'), LARGE);
  });
  const text = async (path: string, headers = {}) => (await ask(path, headers)).body.toString();

  test('a file of both is the current one', async () => {
    expect(await text('/static/a.css')).toBe('body{}');
  });

  test('a file of the earlier one only is served with all that a file has, small or large', async () => {
    const small = await ask('/static/app.1f3c.js');
    expect(small).toMatchObject({ status: 200, headers: { 'cache-control': 'public, max-age=3600' } });
    expect(small.body.toString()).toBe('old()');
    const again = await ask('/static/app.1f3c.js', { 'if-none-match': small.headers.etag ?? '' });
    expect(again.status).toBe(304);
    expect((await ask('/static/sub/large.1f3c.bin')).body.equals(LARGE)).toBe(true);
  });

  test('a file of neither goes to the application', async () => {
    expect(await ask('/static/none.js')).toMatchObject({ status: 404, body: Buffer.from('the application') });
  });

  test('one that comes to the current version takes the place of the earlier one, with its own tag', async () => {
    const before = await ask('/static/app.1f3c.js');
    file('app.1f3c.js', 'new()');
    ahead = 1001;
    const after = await ask('/static/app.1f3c.js');
    expect(after.body.toString()).toBe('new()');
    expect(after.headers.etag).not.toBe(before.headers.etag);
  });

  test('its compressed form is never sent for the current file, which has none', async () => {
    writeFileSync(join(root, 'older/a.css.gz'), gzipSync('old{}'));
    expect(await text('/static/a.css', { 'accept-encoding': 'gzip' })).toBe('body{}');
  });

  test('nothing outside the earlier folder, and nothing hidden in it, is reached', async () => {
    symlinkSync(join(root, 'secret.txt'), join(root, 'older/outward.txt'));
    symlinkSync(join(root, 'site'), join(root, 'older/across'));
    writeFileSync(join(root, 'older/.env'), 'secret');
    for (const path of ['outward.txt', 'across/a.css', '.env', '../secret.txt', '%2e%2e/secret.txt'])
      expect(await text(`/static/${path}`), path).toBe('the application');
  });

  test('a current file that leads outside is as if it were not there', async () => {
    symlinkSync(join(root, 'secret.txt'), join(root, 'site/app.1f3c.js'));
    expect(await text('/static/app.1f3c.js')).toBe('old()');
  });
});

describe('files of a reproducible image, which all have the time of 1980', () => {
  const since1980 = (Date.now() - Date.UTC(1980, 0, 1, 0, 0, 1)) / 1000;
  beforeEach(() => mkdirSync(join(root, 'older')));
  const put = (path: string, fill: string): void => file(path, Buffer.alloc(200_000, fill), since1980);

  test('another version of the same size is another file', async () => {
    put('../older/app.js', 'a');
    const before = await ask('/static/app.js');
    expect(before.headers['last-modified']).toBeUndefined();
    expect((await ask('/static/app.js', { 'if-none-match': before.headers.etag ?? '' })).status).toBe(304);
    put('app.js', 'b');
    ahead = 1001;
    const after = await ask('/static/app.js', { 'if-none-match': before.headers.etag ?? '' });
    expect([after.status, after.body.subarray(0, 1).toString()]).toEqual([200, 'b']);
  });

  test('no date of a client is believed to be later', async () => {
    put('app.js', 'a');
    const now = new Date().toUTCString();
    expect((await ask('/static/app.js', { 'if-modified-since': now })).status).toBe(200);
    expect((await ask('/static/app.js', { range: 'bytes=0-1', 'if-range': now })).status).toBe(200);
  });
});

describe('conditional requests', () => {
  test.each(['/static/a.css', '/static/large.bin'])('%s: 304 to who has it', async (path) => {
    const first = await ask(path);
    const again = await ask(path, { 'if-none-match': first.headers.etag ?? '' });
    expect(again).toMatchObject({
      status: 304,
      headers: { etag: first.headers.etag, 'cache-control': 'public, max-age=3600' },
    });
    expect(again.body.length).toBe(0);
    expect((await ask(path, { 'if-modified-since': first.headers['last-modified'] ?? '' })).status).toBe(304);
    expect((await ask(path, { 'if-none-match': '"other"' })).status).toBe(200);
    expect((await ask(path, { 'if-match': '"other"' })).status).toBe(412);
  });
});

describe('ranges', () => {
  test.each([
    ['/static/a.css', 'bytes=1-3', 'ody', 'bytes 1-3/6'],
    ['/static/a.css', 'bytes=-2', '{}', 'bytes 4-5/6'],
    ['/static/large.bin', 'bytes=299990-', 'abcdefghij', 'bytes 299990-299999/300000'],
  ])('%s %s', async (path, range, text, contentRange) => {
    const { status, headers, body } = await ask(path, { range });
    expect([status, body.toString(), headers['content-range']]).toEqual([206, text, contentRange]);
    expect(headers['content-length']).toBe(String(text.length));
    expect(headers.etag).toBeDefined();
  });

  test('a long range of a large file', async () => {
    const { status, body } = await ask('/static/large.bin', { range: 'bytes=5-250004' });
    expect([status, body.equals(LARGE.subarray(5, 250_005))]).toEqual([206, true]);
  });

  test('beyond the end: 416', async () => {
    expect(await ask('/static/a.css', { range: 'bytes=6-' })).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */6' },
    });
  });

  test('of another version, by If-Range: the whole file', async () => {
    const { headers } = await ask('/static/a.css');
    expect((await ask('/static/a.css', { range: 'bytes=0-1', 'if-range': headers.etag ?? '' })).status).toBe(206);
    expect((await ask('/static/a.css', { range: 'bytes=0-1', 'if-range': '"old"' })).status).toBe(200);
  });

  test('HEAD has none', async () => {
    expect((await ask('/static/a.css', { range: 'bytes=0-1' }, 'HEAD')).status).toBe(200);
  });
});

describe('compressed forms beside the file', () => {
  const text = 'body{}'.repeat(100);
  beforeEach(() => {
    file('c.css', text);
    file('c.css.gz', gzipSync(text), 50);
    file('c.css.br', 'brotli', 50);
  });

  test('the best that the client takes, with Vary and a tag of its own', async () => {
    const [plain, gzip, br] = [
      await ask('/static/c.css'),
      await ask('/static/c.css', { 'accept-encoding': 'gzip' }),
      await ask('/static/c.css', { 'accept-encoding': 'gzip, br, zstd' }),
    ];
    expect(plain.headers).toMatchObject({ vary: 'Accept-Encoding' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(gzip.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gzip.headers['content-type']).toBe('text/css; charset=utf-8');
    expect(gzip.body.equals(gzipSync(text))).toBe(true);
    expect(br.headers['content-encoding']).toBe('br');
    expect(new Set([plain.headers.etag, gzip.headers.etag, br.headers.etag]).size).toBe(3);
  });

  test('one that is older than the file is not used', async () => {
    file('c.css', `${text}changed`, 10);
    expect((await ask('/static/c.css', { 'accept-encoding': 'gzip, br' })).headers['content-encoding']).toBeUndefined();
  });
});

describe('a file that changes', () => {
  test('is served anew a second later, with another tag', async () => {
    const before = await ask('/static/a.css');
    file('a.css', 'p{}', 10);
    ahead = 1001;
    const after = await ask('/static/a.css');
    expect(after.body.toString()).toBe('p{}');
    expect(after.headers.etag).not.toBe(before.headers.etag);
  });

  test('is gone a second later, and there when it comes back', async () => {
    await ask('/static/a.css');
    rmSync(join(root, 'site/a.css'));
    ahead = 1001;
    expect((await ask('/static/a.css')).status).toBe(404);
    file('a.css', 'new');
    ahead = 2002;
    expect((await ask('/static/a.css')).body.toString()).toBe('new');
  });

  test('large, and swapped within the second: the new one, never a mixture', async () => {
    await ask('/static/large.bin');
    file('large.bin', Buffer.alloc(200_000, 'x'), 10);
    const { status, headers, body } = await ask('/static/large.bin');
    expect([status, headers['content-length'], body.equals(Buffer.alloc(200_000, 'x'))]).toEqual([200, '200000', true]);
  });

  test('is let go of when the client leaves in the middle', async () => {
    file('huge.bin', Buffer.alloc(32 * 1024 * 1024));
    const client = request({ socketPath: join(root, 's'), path: '/static/huge.bin', agent: false }).end();
    client.on('error', () => {});
    await new Promise((resolve) => client.once('response', resolve));
    expect(openFiles()).toContain('huge.bin');
    client.destroy();
    await expect.poll(openFiles).not.toContain('huge.bin');
  });

  test('while it is sent: the client sees the answer cut', async () => {
    file('huge.bin', Buffer.alloc(32 * 1024 * 1024));
    const outcome = await new Promise<{ complete: boolean; bytes: number }>((resolve) => {
      request({ socketPath: join(root, 's'), path: '/static/huge.bin', agent: false }, (response) => {
        let bytes = 0;
        response.once('readable', () => {
          // The client has begun and takes nothing: the file is far from read.
          truncateSync(join(root, 'site/huge.bin'), 1024);
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
          });
        });
        response.on('error', () => {});
        response.on('close', () => resolve({ complete: response.complete, bytes }));
      }).end();
    });
    expect(outcome.complete).toBe(false);
    expect(outcome.bytes).toBeLessThan(32 * 1024 * 1024);
  });
});
