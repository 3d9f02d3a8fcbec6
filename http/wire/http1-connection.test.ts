// The connection over real sockets: what happens when the other side dies, lags, answers early or speaks out of turn.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ListenAddress } from '../address.ts';
import type { RawHeaders } from '../exchange.ts';
import { connectWire, type ResponseConsumer, type WireConnection, type WireRequest } from './connection.ts';

const GET: WireRequest = { method: 'GET', target: '/', headers: ['Host', 'x'], length: undefined };
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let folder: string;
let server: Server;
/** Sockets at the server, in order. */
let peers: Socket[];
let connections: WireConnection[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wire-'));
  peers = [];
  connections = [];
});

afterEach(async () => {
  for (const connection of connections) connection.destroy();
  for (const peer of peers) peer.destroy();
  await new Promise((closed) => (server ? server.close(closed) : closed(null)));
  rmSync(folder, { recursive: true });
});

/** @param onPeer what the server does with a new connection; half-open sockets are its own to close */
async function listen(
  onPeer: (peer: Socket) => void = () => {},
  where: 'tcp' | 'unix' = 'tcp',
): Promise<ListenAddress> {
  server = createServer({ allowHalfOpen: true }, (peer) => {
    peer.on('error', () => {});
    peers.push(peer);
    onPeer(peer);
  });
  const path = join(folder, 'socket');
  await new Promise<void>((listening) =>
    where === 'unix' ? server.listen(path, listening) : server.listen(0, '127.0.0.1', listening),
  );
  const address = server.address();
  return typeof address === 'object' && address !== null ? { host: '127.0.0.1', port: address.port } : { path };
}

function open(address: ListenAddress, connectMs = 10_000): WireConnection {
  const connection = connectWire(address, { connectMs });
  connections.push(connection);
  return connection;
}

/** All that a consumer was told, in order, body chunks joined. */
class Told implements ResponseConsumer {
  readonly events: string[] = [];
  body = '';
  readonly over: Promise<void>;
  #settle: () => void = () => {};
  constructor() {
    this.over = new Promise((settle) => {
      this.#settle = settle;
    });
  }
  onInform(status: number): void {
    this.events.push(`inform ${status}`);
  }
  onHead(status: number): void {
    this.events.push(`head ${status}`);
  }
  onData(chunk: Buffer): void {
    this.body += chunk.toString('latin1');
  }
  onEnd(reusable: boolean): void {
    this.#last(`end ${reusable ? 'reusable' : 'last'}`);
  }
  onError(error: string, began: boolean): void {
    this.#last(`${error} ${began ? 'begun' : 'before'}`);
  }
  onUpgrade(headers: RawHeaders, socket: Socket, rest: Buffer): void {
    this.upgraded = { headers, socket, rest };
    this.#last('upgrade');
  }
  upgraded: { headers: RawHeaders; socket: Socket; rest: Buffer } | undefined;
  #last(event: string): void {
    this.events.push(event);
    this.#settle();
  }
}

function ask(connection: WireConnection, request: Partial<WireRequest> = {}, body?: Buffer): Told {
  const told = new Told();
  connection.send({ ...GET, ...request }, told, body);
  return told;
}

async function answered(connection: WireConnection, request: Partial<WireRequest> = {}, body?: Buffer): Promise<Told> {
  const told = ask(connection, request, body);
  await told.over;
  return told;
}

/** Answers each request, found by its final empty line, with `reply`; remembers all octets. */
function replying(reply: string, received: string[] = []): (peer: Socket) => void {
  return (peer) => {
    peer.on('data', (data) => {
      received.push(data.toString('latin1'));
      if (received.join('').endsWith('\r\n\r\n')) peer.write(reply, 'latin1');
    });
    peer.on('end', () => peer.end());
  };
}

describe.each(['tcp', 'unix'] as const)('over %s', (where) => {
  test('one exchange after another on one connection', async () => {
    const connection = open(await listen(replying(OK), where));
    expect(connection.exchanges).toBe(0);
    for (let exchange = 1; exchange <= 3; exchange++) {
      const told = await answered(connection);
      expect(told).toMatchObject({ events: ['head 200', 'end reusable'], body: 'ok' });
      expect(connection).toMatchObject({ exchanges: exchange, usable: true, connected: true });
    }
    expect(peers).toHaveLength(1);
  });

  test('nobody listens', async () => {
    const address = await listen(() => {}, where);
    await new Promise((closed) => server.close(closed));
    expect((await answered(open(address))).events).toEqual(['REFUSED before']);
  });
});

describe('request bodies', () => {
  const echo = (peer: Socket, wanted: number, received: Buffer[] = []): void => {
    peer.on('data', (data: Buffer) => {
      received.push(data);
      const all = Buffer.concat(received);
      if (all.length < wanted) return;
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${all.length}\r\n\r\n`;
      peer.write(Buffer.concat([Buffer.from(head), all]));
    });
  };
  const headOf = (framing: string): string => `POST / HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`;

  test.each([
    ['small', 5],
    ['large', 200_000],
  ])('whole and %s: as announced', async (_name, bytes) => {
    const body = Buffer.alloc(bytes, 'b');
    const wanted = headOf(`Content-Length: ${bytes}`) + body.toString();
    const connection = open(await listen((peer) => echo(peer, wanted.length)));
    const told = await answered(connection, { method: 'POST', length: bytes }, body);
    expect(told.events).toEqual(['head 200', 'end reusable']);
    expect(told.body).toBe(wanted);
    expect(connection.bytesWritten).toBe(wanted.length);
  });

  test('whole and chunked', async () => {
    const wanted = `${headOf('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`;
    const connection = open(await listen((peer) => echo(peer, wanted.length)));
    const told = await answered(connection, { method: 'POST', length: null }, Buffer.from('hello'));
    expect(told).toMatchObject({ body: wanted, events: ['head 200', 'end reusable'] });
  });

  test('streamed by length: complete with the last octet, before `end`', async () => {
    const wanted = `${headOf('Content-Length: 6')}abcdef`;
    const connection = open(await listen((peer) => echo(peer, wanted.length)));
    const told = ask(connection, { method: 'POST', length: 6 });
    connection.write(Buffer.from('abc'));
    connection.write(Buffer.alloc(0));
    connection.write(Buffer.from('def'));
    await told.over;
    connection.end();
    expect(told).toMatchObject({ body: wanted, events: ['head 200', 'end reusable'] });
  });

  test('streamed in chunks: an empty chunk does not end the body', async () => {
    const big = 'x'.repeat(20_000);
    const wanted = `${headOf('Transfer-Encoding: chunked')}3\r\nabc\r\n4e20\r\n${big}\r\n0\r\n\r\n`;
    const connection = open(await listen((peer) => echo(peer, wanted.length)));
    const told = ask(connection, { method: 'POST', length: null });
    connection.write(Buffer.from('abc'));
    connection.write(Buffer.alloc(0));
    connection.write(Buffer.from(big));
    connection.end();
    connection.end();
    await told.over;
    expect(told.body).toBe(wanted);
    expect(connection.bytesWritten).toBe(wanted.length);
  });

  test('more than announced is not sent: it would be read as another request', async () => {
    const received: string[] = [];
    const connection = open(await listen((peer) => peer.on('data', (data) => received.push(data.toString()))));
    const told = ask(connection, { method: 'POST', length: 3 });
    await vi.waitFor(() => expect(received).toHaveLength(1));
    expect(connection.write(Buffer.from('abcGET /'))).toBe(false);
    await told.over;
    expect(told.events).toEqual(['CLOSED before']);
    await vi.waitFor(() => expect(peers[0]?.readableEnded).toBe(true));
    expect(received.join('')).toBe(headOf('Content-Length: 3'));
  });

  test('less than announced ends the connection', async () => {
    const connection = open(await listen());
    const told = ask(connection, { method: 'POST', length: 3 });
    connection.write(Buffer.from('ab'));
    connection.end();
    await told.over;
    expect(told.events).toEqual(['CLOSED before']);
    expect(connection.usable).toBe(false);
  });

  test('a whole body of another length than announced is not sent', async () => {
    const connection = open(await listen());
    expect((await answered(connection, { method: 'POST', length: 3 }, Buffer.from('ab'))).events).toEqual([
      'CLOSED before',
    ]);
  });

  test('a head that cannot be written leaves the connection as it was', async () => {
    const connection = open(await listen(replying(OK)));
    expect(() => ask(connection, { target: '/\r\n' })).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect((await answered(connection)).events).toEqual(['head 200', 'end reusable']);
  });
});

describe('the peer dies', () => {
  const heads = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';

  test('before an answer: closed', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.end()));
    expect((await answered(open(address))).events).toEqual(['CLOSED before']);
  });

  test('before an answer: reset', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.resetAndDestroy()));
    expect((await answered(open(address))).events).toEqual(['CLOSED before']);
  });

  test('after an interim response', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.end('HTTP/1.1 100 Continue\r\n\r\n')));
    expect((await answered(open(address))).events).toEqual(['inform 100', 'CLOSED begun']);
  });

  test('within the head', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.end('HTTP/1.1 2')));
    expect((await answered(open(address))).events).toEqual(['CLOSED begun']);
  });

  test('mid-body: closed', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.end(heads)));
    expect(await answered(open(address))).toMatchObject({ events: ['head 200', 'CLOSED begun'], body: 'half' });
  });

  test('mid-body: reset', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.write(heads)));
    const told = ask(open(address));
    await vi.waitFor(() => expect(told.body).toBe('half'));
    peers[0]?.resetAndDestroy();
    await told.over;
    expect(told.events).toEqual(['head 200', 'CLOSED begun']);
  });

  test('mid-body until close: a reset is no end', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.write('HTTP/1.1 200 OK\r\n\r\nhalf')));
    const told = ask(open(address));
    await vi.waitFor(() => expect(told.body).toBe('half'));
    peers[0]?.resetAndDestroy();
    await told.over;
    expect(told.events).toEqual(['head 200', 'CLOSED begun']);
  });

  test('half-close after a whole answer until close is its end', async () => {
    const address = await listen((peer) => peer.on('data', () => peer.end('HTTP/1.1 200 OK\r\n\r\nall')));
    expect(await answered(open(address))).toMatchObject({ events: ['head 200', 'end last'], body: 'all' });
  });

  test('while idle: the owner is told once, and nothing was seen of a request that is sent all the same', async () => {
    const connection = open(await listen(replying(OK)));
    const idleClosed = vi.fn();
    connection.onIdleClose = idleClosed;
    await answered(connection);
    peers[0]?.end();
    await vi.waitFor(() => expect(idleClosed).toHaveBeenCalledTimes(1));
    expect(connection.usable).toBe(false);
    expect((await answered(connection)).events).toEqual(['CLOSED before']);
    expect(connection.bytesWritten).toBe(0);
    expect(idleClosed).toHaveBeenCalledTimes(1);
  });
});

describe('bytesWritten', () => {
  test.each(['tcp', 'unix'] as const)(
    'is 0 when the first write over %s is refused: nobody has seen it',
    async (where) => {
      const connection = open(await listen(replying(OK), where));
      await answered(connection);
      // The kernel knows at once; this side hears of it after the write.
      if (where === 'tcp') peers[0]?.resetAndDestroy();
      else peers[0]?.destroy();
      const told = ask(connection, { method: 'POST', length: 6 });
      connection.write(Buffer.from('abc'));
      await told.over;
      expect(told.events).toEqual(['CLOSED before']);
      expect(connection.bytesWritten).toBe(0);
    },
  );
});

describe('the peer speaks out of turn', () => {
  test('before any request', async () => {
    const connection = open(await listen((peer) => peer.write(OK)));
    const idleClosed = vi.fn();
    connection.onIdleClose = idleClosed;
    await vi.waitFor(() => expect(idleClosed).toHaveBeenCalledTimes(1));
    expect(connection.usable).toBe(false);
  });

  test('on an idle connection: that answer is nobody’s', async () => {
    const connection = open(await listen(replying(OK)));
    await answered(connection);
    const idleClosed = vi.fn();
    connection.onIdleClose = idleClosed;
    peers[0]?.write(OK);
    await vi.waitFor(() => expect(idleClosed).toHaveBeenCalledTimes(1));
    expect((await answered(connection)).events).toEqual(['CLOSED before']);
  });

  test('with more than the response: the response counts, the connection does not', async () => {
    const connection = open(await listen(replying(OK + OK)));
    expect(await answered(connection)).toMatchObject({ events: ['head 200', 'end last'], body: 'ok' });
    expect(connection.usable).toBe(false);
  });

  test('with no HTTP', async () => {
    const connection = open(await listen(replying('SSH-2.0-x\r\n')));
    expect((await answered(connection)).events).toEqual(['INVALID begun']);
    expect(connection.usable).toBe(false);
  });

  test('with 101 that nobody asked for', async () => {
    const connection = open(await listen(replying('HTTP/1.1 101 Switching Protocols\r\n\r\n')));
    expect((await answered(connection)).events).toEqual(['INVALID begun']);
  });

  test('before the request is complete: the answer is delivered, the connection not used again', async () => {
    const early = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno';
    const connection = open(await listen((peer) => peer.once('data', () => peer.write(early))));
    const told = ask(connection, { method: 'POST', length: 1_000_000 });
    connection.write(Buffer.alloc(10));
    await told.over;
    expect(told).toMatchObject({ events: ['head 413', 'end last'], body: 'no' });
    expect(connection.usable).toBe(false);
    expect(connection.write(Buffer.alloc(10))).toBe(true);
  });
});

describe.each(['tcp', 'unix'] as const)('the peer has answered early and closed (%s)', (where) => {
  const early = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno';

  async function uploading(): Promise<{ connection: WireConnection; told: Told; peer: Socket }> {
    const connection = open(await listen((peer) => peer.once('data', () => peer.pause()), where));
    const told = ask(connection, { method: 'POST', length: 1_000_000 });
    await vi.waitFor(() => expect(peers[0]?.isPaused()).toBe(true));
    return { connection, told, peer: peers[0] ?? expect.fail('no connection') };
  }

  test('the answer is heard although the next write fails', async () => {
    const { connection, told, peer } = await uploading();
    peer.write(early);
    // With what came unread: the kernel resets the connection.
    connection.write(Buffer.alloc(10));
    peer.destroy();
    connection.write(Buffer.alloc(10));
    await told.over;
    expect(told).toMatchObject({ events: ['head 413', 'end last'], body: 'no' });
    expect(connection.usable).toBe(false);
  });

  test('half an answer is none', async () => {
    const { connection, told, peer } = await uploading();
    peer.write(early.slice(0, -1));
    connection.write(Buffer.alloc(10));
    peer.destroy();
    connection.write(Buffer.alloc(10));
    await told.over;
    expect(told).toMatchObject({ events: ['head 413', 'CLOSED begun'], body: 'n' });
  });

  test('no answer', async () => {
    const { connection, told, peer } = await uploading();
    connection.write(Buffer.alloc(10));
    peer.destroy();
    connection.write(Buffer.alloc(10));
    await told.over;
    expect(told.events).toEqual(['CLOSED before']);
  });
});

describe('upgrade', () => {
  test('the socket is handed over with what came behind the head, and works both ways', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst';
    const address = await listen((peer) => {
      peer.once('data', () => {
        peer.write(switching);
        peer.on('data', (data) => peer.write(data));
        peer.on('end', () => peer.end());
      });
    });
    const told = await answered(open(address), { headers: ['Host', 'x', 'Upgrade', 'echo', 'Connection', 'Upgrade'] });
    expect(told.events).toEqual(['upgrade']);
    const { headers, socket, rest } = told.upgraded ?? expect.fail('not upgraded');
    expect(headers).toEqual(['Upgrade', 'echo', 'Connection', 'Upgrade']);
    const body = Buffer.alloc(1_000_000, 'z');
    const received: Buffer[] = [rest];
    socket.on('data', (data: Buffer) => received.push(data));
    socket.end(body);
    await new Promise((ended) => socket.on('end', ended));
    expect(Buffer.concat(received).equals(Buffer.concat([Buffer.from('first'), body]))).toBe(true);
  });
});

describe('backpressure', () => {
  test('a peer that does not read stops the writer; `onDrain` lets it go on', async () => {
    const address = await listen((peer) => peer.pause());
    const connection = open(address);
    const drained = vi.fn();
    connection.onDrain = drained;
    ask(connection, { method: 'POST', length: null });
    const chunk = Buffer.alloc(256 * 1024);
    let written = 0;
    while (connection.write(chunk)) written += chunk.length;
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    while (written < 64 * 1024 * 1024 && connection.write(chunk)) written += chunk.length;
    expect(drained.mock.calls.length).toBeLessThanOrEqual(1);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    drained.mockClear();
    peers[0]?.resume();
    await vi.waitFor(() => expect(drained).toHaveBeenCalled());
  });

  test('`pause` stops the peer; `resume` brings the rest', async () => {
    const bytes = 16 * 1024 * 1024;
    const body = Buffer.alloc(bytes, 'x');
    const address = await listen((peer) =>
      peer.on('data', () => {
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
        peer.write(body);
      }),
    );
    const connection = open(address);
    let received = 0;
    const over = new Promise<boolean>((settle) => {
      connection.send(GET, {
        onInform() {},
        onHead() {},
        onData(chunk) {
          if (received === 0) connection.pause();
          received += chunk.length;
        },
        onEnd: settle,
        onError: () => settle(false),
      });
    });
    await vi.waitFor(() => expect(received).toBeGreaterThan(0));
    const atPause = received;
    // Time for several reads, were there any: another connection is answered meanwhile.
    await answered(open(address), { method: 'HEAD' });
    expect(received).toBe(atPause);
    connection.resume();
    expect(await over).toBe(true);
    expect(received).toBe(bytes);
  });

  test('a response that ends while paused leaves the connection reading', async () => {
    const connection = open(await listen(replying(OK)));
    const over = new Promise((settle) => {
      connection.send(GET, {
        onInform() {},
        onHead: () => connection.pause(),
        onData() {},
        onEnd: settle,
        onError: settle,
      });
    });
    expect(await over).toBe(true);
    expect((await answered(connection)).events).toEqual(['head 200', 'end reusable']);
  });
});

describe('destroy', () => {
  test.each(['connecting', 'waiting', 'mid-body'] as const)('%s: the consumer hears nothing more', async (when) => {
    const address = await listen((peer) =>
      peer.on('data', () => {
        if (when === 'mid-body') peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      }),
    );
    const connection = open(address);
    const told = ask(connection);
    if (when === 'waiting') await vi.waitFor(() => expect(connection.connected).toBe(true));
    if (when === 'mid-body') await vi.waitFor(() => expect(told.body).toBe('half'));
    const before = [...told.events];
    connection.destroy();
    connection.destroy();
    peers[0]?.write('more!!');
    if (when !== 'connecting')
      await vi.waitFor(() => expect(peers[0]?.readableEnded || peers[0]?.destroyed).toBe(true));
    expect(told.events).toEqual(before);
    expect(connection.usable).toBe(false);
  });

  test('within a callback: the rest of the same read is not told', async () => {
    const connection = open(await listen(replying(OK)));
    const told: string[] = [];
    connection.send(GET, {
      onInform() {},
      onHead() {
        told.push('head');
        connection.destroy();
      },
      onData: () => told.push('data'),
      onEnd: () => told.push('end'),
      onError: () => told.push('error'),
    });
    await vi.waitFor(() => expect(peers[0]?.readableEnded).toBe(true));
    expect(told).toEqual(['head']);
  });

  test('another request may be sent within `onEnd`', async () => {
    const connection = open(await listen(replying(OK)));
    const second = new Told();
    connection.send(GET, {
      onInform() {},
      onHead() {},
      onData() {},
      onEnd: () => connection.send(GET, second),
      onError() {},
    });
    await second.over;
    expect(second.events).toEqual(['head 200', 'end reusable']);
    expect(connection.exchanges).toBe(2);
  });
});

describe('connecting', () => {
  test('onConnect is called once; a failure without a request is told by onIdleClose', async () => {
    const address = await listen();
    const connected = vi.fn();
    const connection = open(address);
    connection.onConnect = connected;
    await vi.waitFor(() => expect(connected).toHaveBeenCalledTimes(1));
    const refused = vi.fn();
    const failing = open({ path: join(folder, 'nobody') });
    failing.onConnect = connected;
    failing.onIdleClose = refused;
    await vi.waitFor(() => expect(refused).toHaveBeenCalledTimes(1));
    expect(connected).toHaveBeenCalledTimes(1);
  });

  test('not in time', async () => {
    const address = await listen();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const connection = open(address, 50);
    const told = ask(connection);
    // In the same turn of the event loop: the kernel may have connected, nobody has heard of it.
    vi.advanceTimersByTime(50);
    vi.useRealTimers();
    expect(told.events).toEqual(['CONNECT_TIMEOUT before']);
    expect(connection.usable).toBe(false);
  });

  test('one exchange at a time', async () => {
    const connection = open(await listen());
    ask(connection);
    expect(() => ask(connection)).toThrow('One exchange at a time');
  });
});
