// Whatever becomes of client or worker, the other one learns of it, nothing is left behind, and no half of an answer looks whole.

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask, makeConfig, type ProxyProcess, RawClient, startProxy, until } from './rig.ts';

let proxy: ProxyProcess;
let sockets: Socket[];
/** What the worker does with a connection, once it has a request head. */
let onHead: (socket: Socket, head: string) => void;

const worker = createServer((socket) => {
  sockets.push(socket);
  let head = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const before = head.includes('\r\n\r\n');
    head += chunk.toString('latin1');
    if (!before && head.includes('\r\n\r\n')) onHead(socket, head);
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => worker.listen(0, '127.0.0.1', resolve));
  proxy = await startProxy([address()], LIMITS);
});
beforeEach(() => {
  sockets = [];
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
});
afterAll(async () => {
  await proxy.close();
  await new Promise((resolve) => worker.close(resolve));
});

const LIMITS = { timeouts: { responseMs: 500 }, limits: { bodyBytes: 10_000_000 } };
const address = () => `127.0.0.1:${(worker.address() as AddressInfo).port}`;
const get = (path = '/') => new RawClient(proxy.port).send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
const accessLine = (path: string) =>
  until(() => proxy.access.find((line) => line['target'] === path) ?? false, `a line of ${path}`);

describe('the worker dies', () => {
  test.each([
    ['of a known length', 'Content-Length: 200000\r\n\r\nhalf'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('in the middle of an answer %s: the client sees it cut', async (_what, rest) => {
    onHead = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${rest}`);
    };
    const client = get();
    await client.receives('half');
    for (const socket of sockets) socket.destroy();
    await client.closes();
    expect(client.received).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  test('in the middle of a short answer that nobody has seen: 502', async () => {
    onHead = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', () => socket.destroy());
    };
    await get().receives('HTTP/1.1 502');
  });

  test('before it answers: 502', async () => {
    onHead = (socket) => socket.destroy();
    const client = new RawClient(proxy.port).send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx');
    await client.receives('HTTP/1.1 502');
    expect(sockets.length).toBe(1);
  });

  test('or falls silent: 504', async () => {
    onHead = () => {};
    await get().receives('HTTP/1.1 504');
    await until(() => sockets.every((socket) => socket.closed), 'the worker being let go');
  });

  test('or falls silent in the middle of an answer: cut', async () => {
    onHead = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf');
    };
    const client = get();
    await client.closes();
    expect(client.received).toContain('half');
  });

  test('or speaks nonsense: 502', async () => {
    onHead = (socket) => {
      socket.write('220 smtp ready\r\n\r\n');
    };
    await get().receives('HTTP/1.1 502');
  });
});

test('a stream of events may be silent for longer than any other answer', async () => {
  onHead = (socket) => {
    socket.write(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
    );
    setTimeout(() => socket.write('6\r\nsecond\r\n0\r\n\r\n'), 1500);
  };
  const client = get();
  await client.receives('first');
  await client.receives('second');
});

describe('the client leaves', () => {
  test('before the answer: the worker is let go, and the log says so', async () => {
    onHead = () => {};
    const client = get('/gone');
    await until(() => sockets.length === 1, 'a request at the worker');
    client.socket.destroy();
    await until(() => sockets.every((socket) => socket.closed), 'the worker being let go');
    expect(await accessLine('/gone')).toMatchObject({ status: 0, gone: true });
  });

  test('in the middle of the answer: the worker is let go', async () => {
    onHead = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    };
    const client = get('/middle');
    await client.receives('first');
    client.socket.destroy();
    await until(() => sockets.every((socket) => socket.closed), 'the worker being let go');
    expect(await accessLine('/middle')).toMatchObject({ status: 200, gone: true });
  });

  test('in the middle of a large upload: the worker is let go', async () => {
    onHead = () => {};
    const client = new RawClient(proxy.port).send(
      `POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(100_000)}`,
    );
    await until(() => sockets.length === 1, 'the upload at the worker');
    client.socket.destroy();
    await until(() => sockets.every((socket) => socket.closed), 'the worker being let go');
  });

  test('in the middle of a small upload: no worker has heard of it', async () => {
    onHead = () => {};
    const client = new RawClient(proxy.port).send('POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
    await until(async () => (await proxy.status()).requests.inFlight === 1, 'the request in flight');
    client.socket.destroy();
    await accessLine('/small');
    expect(sockets.length).toBe(0);
  });
});

describe('an answer before the whole request has come', () => {
  test('reaches the client', async () => {
    onHead = (socket) => {
      socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large');
    };
    const client = new RawClient(proxy.port).send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbegin');
    await client.receives('HTTP/1.1 413');
    await client.receives('too large');
  });

  test('of the proxy itself, by its limit: no worker has heard of it', async () => {
    const answer = await ask(proxy.port, {
      path: '/',
      method: 'POST',
      headers: { 'content-length': '10000001' },
    }).catch(String);
    expect(answer).toMatchObject({ status: 413 });
    expect(sockets.length).toBe(0);
  });

  test('by its limit, in chunks: 413, and the worker is let go', async () => {
    await proxy.apply(makeConfig([address()], { ...LIMITS, limits: { bodyBytes: 10 } }));
    onHead = () => {};
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n',
    );
    await client.receives('HTTP/1.1 413');
    await until(() => sockets.every((socket) => socket.closed), 'the worker being let go');
    await proxy.apply(makeConfig([address()], LIMITS));
  });
});

test('103 Early Hints pass, before the answer', async () => {
  onHead = (socket) => {
    socket.write(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
  };
  const client = get();
  await client.receives('\r\n\r\nok');
  expect(client.received).toMatch(/^HTTP\/1\.1 103 [\s\S]*Link: <\/a\.css>[\s\S]*HTTP\/1\.1 200 /);
});
