// Upgrades through the front to a real Node server that plays the application.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeLog } from '../../core/log.ts';
import { RawClient } from '../../http/raw-client.ts';
import { type Front, openFront } from './front.ts';
import { makeConfig, until, type Wanted } from './rig.ts';
import { ScriptedPool, type ScriptedProcess } from './scripted-pool.ts';

let directory = '';
const closers: (() => unknown)[] = [];
const clients: RawClient[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upgrade-'));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  for (const close of closers.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function listen(server: Server | NetServer, name = 'app'): Promise<string> {
  const path = join(directory, `${name}.sock`);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

/** @returns a process whose application listens on `path` */
function upgradable(process: ScriptedProcess | undefined, path: string): ScriptedProcess {
  if (process === undefined) throw new Error('no such process');
  return Object.assign(process, { connect: () => connect({ path }) });
}

async function open(pool: ScriptedPool, wanted: Wanted = {}): Promise<Front> {
  const front = await openFront({
    listen: { host: '127.0.0.1', port: 0 },
    config: makeConfig({ runtime: 'node', ...wanted }),
    pool,
    runDirectory: directory,
    log: makeLog(() => {}, Date.now),
    clock: { now: () => performance.now(), wall: () => Date.now() },
  });
  closers.push(() => front.drain(0));
  return front;
}

async function client(front: Front, text: string): Promise<RawClient> {
  const made = await RawClient.connect(front.address);
  clients.push(made);
  made.send(text);
  return made;
}

const ASK =
  'GET /chat?room=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** An application that takes upgrades and echoes. */
function makeEcho(seen: IncomingMessage[] = []): Server {
  return createServer((_request, response) => response.end('plain')).on('upgrade', (request, socket) => {
    seen.push(request);
    socket.write(`${SWITCH}hello`);
    socket.pipe(socket);
  });
}

test('the head goes to the application as it came, then bytes both ways, and no slot is held', async () => {
  const pool = new ScriptedPool(1);
  const seen: IncomingMessage[] = [];
  const process = upgradable(pool.takers[0], await listen(makeEcho(seen)));
  const front = await open(pool);
  const asked = await client(front, ASK);
  await until('it is open', () => asked.received.endsWith('hello'));
  expect(asked.received.startsWith('HTTP/1.1 101 Switching Protocols\r\n')).toBe(true);
  expect(seen[0]?.url).toBe('/chat?room=1');
  expect(seen[0]?.headers).toMatchObject({ upgrade: 'websocket', 'x-forwarded-for': '203.0.113.1' });
  expect(process).toMatchObject({ upgraded: 1, busy: 0 });
  const big = 'abcdefgh'.repeat(200_000);
  asked.send(big);
  await until('all has come back', () => asked.received.length > big.length);
  expect(asked.received.endsWith(big)).toBe(true);
  asked.socket.resetAndDestroy();
  await until('the process is free of it', () => process.upgraded === 0);
  expect(front.snapshot().requests).toMatchObject({ total: 1, byClass: { '1xx': 1 } });
});

test('what the client sends before the 101 reaches the application after it', async () => {
  const pool = new ScriptedPool(1);
  upgradable(pool.takers[0], await listen(makeEcho()));
  const asked = await client(await open(pool), `${ASK}early`);
  await until('it has been echoed', () => asked.received.endsWith('helloearly'));
});

describe('a refusal passes back as it is, and nothing of the client goes on', () => {
  test.each([
    ['with a length', 'HTTP/1.1 403 No\r\nContent-Length: 4\r\nX-A: 1\r\n\r\nnope', 'HTTP/1.1 403 No\r\n', 'nope'],
    [
      'chunked',
      'HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n',
      'HTTP/1.1 400 Bad\r\n',
      'nope',
    ],
    ['with 200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'HTTP/1.1 200 OK\r\n', 'hi'],
  ])('%s', async (_name, reply, head, body) => {
    const pool = new ScriptedPool(1);
    let received = '';
    const app = createNetServer((socket) => {
      socket.on('data', (chunk) => {
        received += chunk;
        if (received.endsWith('\r\n\r\n')) socket.write(reply);
      });
    });
    const process = upgradable(pool.takers[0], await listen(app));
    const asked = await client(await open(pool), ASK);
    await until('it is ended', () => asked.ended);
    expect(asked.received.startsWith(head)).toBe(true);
    expect(asked.received).toContain('Connection: close\r\n');
    expect(asked.received.toLowerCase()).not.toContain('transfer-encoding');
    expect(asked.received.endsWith(`\r\n\r\n${body}`)).toBe(true);
    asked.send('GET /smuggled HTTP/1.1\r\n\r\n');
    await until('the process is free of it', () => process.upgraded === 0);
    expect(received).not.toContain('smuggled');
  });

  test('not when it is no HTTP: 502', async () => {
    const pool = new ScriptedPool(1);
    upgradable(pool.takers[0], await listen(createNetServer((socket) => socket.write('SSH-2.0-x\r\n\r\n'))));
    const asked = await client(await open(pool), ASK);
    await until('it is answered', () => asked.received.includes('\r\n\r\n'));
    expect(asked.received).toContain('502 Bad Gateway');
  });
});

test('an application that ends its side: the client gets the last bytes and the end', async () => {
  const pool = new ScriptedPool(1);
  const app = createServer().on('upgrade', (_request, socket) => socket.end(`${SWITCH}bye`));
  const process = upgradable(pool.takers[0], await listen(app));
  const asked = await client(await open(pool), ASK);
  await until('it is ended', () => asked.ended);
  expect(asked.received.endsWith('bye')).toBe(true);
  await until('the process is free of it', () => process.upgraded === 0);
});

test('a process that is gone, though the pool does not know, is not the end: another one is asked', async () => {
  const pool = new ScriptedPool(2);
  const gone = upgradable(pool.takers[0], join(directory, 'gone.sock'));
  upgradable(pool.takers[1], await listen(makeEcho()));
  const asked = await client(await open(pool), ASK);
  await until('it is open', () => asked.received.endsWith('hello'));
  expect(gone.upgraded).toBe(0);
});

test('a process that dies before it answers: 502', async () => {
  const pool = new ScriptedPool(1);
  const app = createNetServer((socket) => socket.on('data', () => socket.destroy()));
  const process = upgradable(pool.takers[0], await listen(app));
  const asked = await client(await open(pool), ASK);
  await until('it is answered', () => asked.received.includes('\r\n\r\n'));
  expect(asked.received).toContain('502 Bad Gateway');
  expect(process.upgraded).toBe(0);
});

test('an application that does not answer: 504', async () => {
  const pool = new ScriptedPool(1);
  const process = upgradable(pool.takers[0], await listen(createNetServer(() => {})));
  const asked = await client(await open(pool, { requestMs: 100 }), ASK);
  await until('it is answered', () => asked.received.includes('\r\n\r\n'));
  expect(asked.received).toContain('504 Gateway Timeout');
  await until('the process is free of it', () => process.upgraded === 0);
});

test('without a process it waits for one', async () => {
  const pool = new ScriptedPool(0);
  const path = await listen(makeEcho());
  const front = await open(pool);
  const asked = await client(front, ASK);
  await until('it has come', () => asked.socket.bytesWritten > 0);
  pool.add(1);
  upgradable(pool.takers[0], path);
  // A process is ready only with its connections: the pool says so once more.
  await until('it is open', () => {
    pool.onFree?.();
    return asked.received.endsWith('hello');
  });
});

test('without a process for too long: 503 with Retry-After', async () => {
  const asked = await client(await open(new ScriptedPool(0), { queueMs: 50 }), ASK);
  await until('it is answered', () => asked.received.includes('\r\n\r\n'));
  expect(asked.received).toContain('503 Service Unavailable');
  expect(asked.received).toMatch(/Retry-After: \d+/);
});

test('they are spread over the processes', async () => {
  const pool = new ScriptedPool(2);
  const path = await listen(makeEcho());
  for (const process of pool.takers) upgradable(process, path);
  const front = await open(pool);
  for (let i = 0; i < 4; i++) {
    const asked = await client(front, ASK);
    await until('it is open', () => asked.received.endsWith('hello'));
  }
  expect(pool.takers.map((process) => process.upgraded)).toEqual([2, 2]);
});

test('a WSGI application sees such a request as any other', async () => {
  const pool = new ScriptedPool(1);
  pool.script = (slot) => slot.respond(200, 'plain');
  const asked = await client(await open(pool, { runtime: 'wsgi' }), ASK);
  await until('it is answered', () => asked.received.endsWith('plain'));
  expect(asked.received).toContain('200 OK');
});
