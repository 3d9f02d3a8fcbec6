// Bodies of any size pass without being held, and a client that does not read stops the worker, not the proxy.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, type ProxyProcess, startApp, startProxy, until } from './rig.ts';

const TOTAL = 256 * 1024 * 1024;
/** Garbage that the collector leaves lying for a while; far below TOTAL. */
const GROWTH = 112 * 1024 * 1024;
const PIECE = Buffer.alloc(1024 * 1024, 'x');

let app: App;
let proxy: ProxyProcess;
let folder: string;
/** Bytes that the application could get rid of. */
let sent = 0;

beforeAll(async () => {
  app = await startApp((incoming, response) => {
    if (incoming.method === 'GET') {
      if (incoming.url === '/sized') response.setHeader('Content-Length', TOTAL);
      sent = 0;
      const push = (): void => {
        while (sent < TOTAL) {
          sent += PIECE.length;
          if (!response.write(PIECE)) break;
        }
        if (sent >= TOTAL) response.end();
      };
      response.on('drain', push);
      push();
      return;
    }
    let received = 0;
    incoming.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    incoming.on('end', () => response.end(String(received)));
  });
  folder = mkdtempSync(join(tmpdir(), 'memory-'));
  writeFileSync(join(folder, 'file'), '');
  truncateSync(join(folder, 'file'), TOTAL);
  const files = { path: '/static', directories: [folder], maxAgeSeconds: 0, immutable: false };
  proxy = await startProxy([app.address], { static: [files] });
  // Its heap and code grow with the first use, whatever that is.
  await download('/chunked');
});
afterAll(async () => {
  await proxy.close();
  await app.close();
  rmSync(folder, { recursive: true });
});

function residentBytes(): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(proxy.pid)], { encoding: 'utf8' });
  return Number(stdout.trim()) * 1024;
}

/** Runs `work`, sampling the proxy's memory, and @returns by how much it grew at most. */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const before = residentBytes();
  let most = before;
  const sampler = setInterval(() => {
    most = Math.max(most, residentBytes());
  }, 100);
  await work;
  clearInterval(sampler);
  return Math.max(most, residentBytes()) - before;
}

function download(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port: proxy.port, host: '127.0.0.1', path, agent: false }, (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () => resolve(received));
    })
      .on('error', reject)
      .end();
  });
}

function upload(headers: Record<string, number>): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port: proxy.port, host: '127.0.0.1', method: 'POST', headers, agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      },
    );
    outgoing.on('error', reject);
    let written = 0;
    const push = (): void => {
      while (written < TOTAL) {
        written += PIECE.length;
        if (!outgoing.write(PIECE)) return;
      }
      outgoing.end();
    };
    outgoing.on('drain', () => (written < TOTAL ? push() : outgoing.end()));
    push();
  });
}

test.each(['/sized', '/chunked', '/static/file'])('a download of 256 MiB: %s', async (path) => {
  const work = download(path);
  expect(await growthDuring(work)).toBeLessThan(GROWTH);
  expect(await work).toBe(TOTAL);
});

test.each([
  ['with a length', { 'content-length': TOTAL }],
  ['in chunks', {}],
])('an upload of 256 MiB %s', async (_how, headers: Record<string, number>) => {
  const work = upload(headers);
  expect(await growthDuring(work)).toBeLessThan(GROWTH);
  expect(await work).toBe(String(TOTAL));
});

test('a client that does not read stops the application', async () => {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.pause();
  socket.write('GET /sized HTTP/1.1\r\nHost: h\r\n\r\n');
  await until(() => sent > 0, 'the application sending');
  // It stops when nothing more is taken for a while, far from the end.
  let last = -1;
  await until(async () => {
    const stopped = sent === last;
    last = sent;
    if (!stopped) await new Promise((resolve) => setTimeout(resolve, 300));
    return stopped;
  }, 'the application being stopped');
  expect(sent).toBeLessThan(TOTAL / 2);
  socket.destroy();
});
