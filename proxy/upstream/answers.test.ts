// What becomes of an answer that comes late, not at all, cut, or to nobody.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Upstreams } from './client.ts';
import { Asked, ask, configure, OK, Worker } from './rig.ts';

let upstreams: Upstreams;
let worker: Worker;

beforeEach(async () => {
  upstreams = new Upstreams();
  worker = await new Worker().start();
  configure(upstreams, [worker]);
});

afterEach(async () => {
  upstreams.close();
  await worker.kill();
});

const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
const endpoint = () => upstreams.status()[0]?.endpoints[0];

describe('an answer', () => {
  test('is passed on as it came, and its connection kept', async () => {
    worker.answer = (socket) =>
      socket.write(
        'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Nope\r\nA: 1\r\na: 2\r\nContent-Length: 4\r\n\r\nbody',
      );
    const asked = new Asked(upstreams).start();
    expect(await asked.answer).toEqual({ status: 404, body: 'body', fault: null, began: true });
    expect(asked).toMatchObject({ informs: [103], headers: ['A', '1', 'a', '2', 'Content-Length', '4'] });
    expect(endpoint()).toMatchObject({ idle: 1, outstanding: 0, state: 'ready' });
    expect(asked.call.address).toBe(worker.address);
  });

  test('with Connection: close leaves nothing to keep', async () => {
    worker.answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect(endpoint()?.idle).toBe(0);
  });

  test('that is cut is no answer: the consumer hears that it had begun', async () => {
    worker.answer = (socket) => socket.end(HALF);
    expect(await ask(upstreams)).toEqual({ status: 200, body: 'half', fault: 'UPSTREAM_CLOSED', began: true });
    expect(worker.seen).toHaveLength(1);
  });

  test('that is no HTTP', async () => {
    worker.answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab');
    expect(await ask(upstreams)).toEqual({ status: 0, body: '', fault: 'UPSTREAM_INVALID', began: false });
    expect(worker.seen).toHaveLength(1);
    expect(upstreams.counters.attempts.invalid).toBe(1);
  });

  test('that comes before the body is sent ends the call; the body is no longer wanted', async () => {
    worker.answer = () => {};
    const asked = new Asked(upstreams, { method: 'POST', length: 1_000_000 });
    asked.sendBody = () => asked.call.write(Buffer.alloc(10));
    asked.start();
    await vi.waitFor(() => expect(worker.sockets.size).toBe(1));
    for (const socket of worker.sockets) socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
    expect(await asked.answer).toMatchObject({ status: 413, fault: null });
    expect(asked.call.write(Buffer.alloc(10))).toBe(true);
    asked.call.end();
    expect(endpoint()).toMatchObject({ idle: 0, outstanding: 0 });
  });

  test('a request that cannot be written is our own fault, and sent to nobody', async () => {
    expect(await ask(upstreams, { target: '/a b' })).toMatchObject({ fault: 'INTERNAL', began: false });
    expect(worker.seen).toEqual([]);
    expect(endpoint()?.outstanding).toBe(0);
  });
});

describe('silence', () => {
  test('before the answer', async () => {
    configure(upstreams, [worker], 200);
    worker.answer = () => {};
    expect(await ask(upstreams)).toMatchObject({ fault: 'UPSTREAM_TIMEOUT', began: false });
    await vi.waitFor(() => expect(worker.sockets.size).toBe(0));
    expect(endpoint()).toMatchObject({ idle: 0, outstanding: 0 });
    expect(worker.seen).toHaveLength(1);
  });

  test('inside the answer', async () => {
    configure(upstreams, [worker], 200);
    worker.answer = (socket) => socket.write(HALF);
    expect(await ask(upstreams)).toEqual({ status: 200, body: 'half', fault: 'UPSTREAM_TIMEOUT', began: true });
  });

  test('is broken by each byte: a slow answer may take as long as it likes', async () => {
    configure(upstreams, [worker], 400);
    worker.answer = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
      let sent = 0;
      const drip = setInterval(() => {
        socket.write('x');
        if (++sent === 10) clearInterval(drip);
      }, 100);
    };
    expect(await ask(upstreams)).toMatchObject({ status: 200, body: 'xxxxxxxxxx', fault: null });
  });

  test('is none while the client is the slow one: a pause, or a body that has not come', async () => {
    configure(upstreams, [worker], 200);
    const paused = new Asked(upstreams, { target: '/paused' }).start();
    paused.call.pause();
    const uploading = new Asked(upstreams, { method: 'POST', target: '/upload', length: 2 }).start();
    const silent = new Asked(upstreams, { target: '/silent' });
    worker.answer = (socket, { target }) => {
      if (target !== '/silent') socket.write(OK);
    };
    // Twice the limit, told by calls that do time out.
    await silent.start().answer;
    await ask(upstreams, { target: '/silent' });
    expect([paused.over, uploading.over]).toEqual([false, false]);
    paused.call.resume();
    uploading.call.write(Buffer.from('ab'));
    expect(await paused.answer).toMatchObject({ status: 200, fault: null });
    expect(await uploading.answer).toMatchObject({ status: 200, fault: null });
  });

  test('may be allowed for one call, as event streams need it', async () => {
    configure(upstreams, [worker], 200);
    worker.answer = (socket, { target }) => {
      if (target === '/events') socket.write('HTTP/1.1 200 OK\r\n\r\n');
    };
    const events = new Asked(upstreams, { target: '/events' });
    events.call.setResponseMs(0);
    events.start();
    await ask(upstreams, { target: '/silent' });
    await ask(upstreams, { target: '/silent' });
    expect(events).toMatchObject({ status: 200, over: false });
    events.call.cancel();
  });
});

describe('the client leaves', () => {
  test.each([
    ['before the answer', () => {}],
    ['inside the answer', (socket: import('node:net').Socket) => socket.write(HALF)],
  ] as const)('%s: the worker’s connection is closed, and nothing more is told', async (when, answer) => {
    worker.answer = answer;
    const asked = new Asked(upstreams).start();
    await vi.waitFor(() => expect(worker.seen).toHaveLength(1));
    if (when === 'inside the answer') await vi.waitFor(() => expect(asked.bytes).toBe(4));
    asked.call.cancel();
    asked.call.cancel();
    await vi.waitFor(() => expect(worker.sockets.size).toBe(0));
    expect(asked.over).toBe(false);
    expect(endpoint()).toMatchObject({ idle: 0, outstanding: 0 });
    expect(upstreams).toMatchObject({ inFlight: 0 });
    expect(upstreams.counters.attempts.cancelled).toBe(1);
  });

  test('before the start: nothing is sent; after the end: nothing happens', async () => {
    const never = new Asked(upstreams);
    never.call.cancel();
    never.start();
    const done = new Asked(upstreams).start();
    await done.answer;
    done.call.cancel();
    expect(worker.seen).toHaveLength(1);
    expect(endpoint()?.idle).toBe(1);
    expect(upstreams.inFlight).toBe(0);
  });

  test('while a POST looks twice at its kept connection', async () => {
    await ask(upstreams);
    const asked = new Asked(upstreams, { method: 'POST', length: 0 }).start();
    asked.call.cancel();
    expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect(worker.seen.map(({ method }) => method)).toEqual(['GET', 'GET']);
    expect(endpoint()?.outstanding).toBe(0);
  });
});

describe('backpressure', () => {
  const CHUNKS = 64;
  const chunk = Buffer.alloc(512 * 1024, 'x');

  test('a worker that does not read holds the client back', async () => {
    worker.accept = (socket) => socket.pause();
    const asked = new Asked(upstreams, { method: 'POST', length: CHUNKS * chunk.length });
    let sent = 0;
    const send = (): void => {
      while (sent < CHUNKS) {
        sent++;
        if (!asked.call.write(chunk)) return;
      }
      asked.call.end();
    };
    asked.sendBody = send;
    asked.onDrain = send;
    asked.start();
    await vi.waitFor(() => expect(worker.sockets.size).toBe(1));
    // What the kernel takes, it takes at once; another call is answered meanwhile.
    const [lagging] = worker.sockets;
    worker.accept = () => {};
    for (let index = 0; index < 20; index++) await ask(upstreams);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(CHUNKS);
    lagging?.resume();
    expect(await asked.answer).toMatchObject({ status: 200, fault: null });
    expect(sent).toBe(CHUNKS);
  });

  test('a client that does not take holds the worker back', async () => {
    const bytes = CHUNKS * chunk.length;
    worker.answer = (socket, { target }) => {
      if (target !== '/big') socket.write(OK);
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
      for (let sent = 0; target === '/big' && sent < CHUNKS; sent++) socket.write(chunk);
    };
    const asked = new Asked(upstreams, { target: '/big' });
    asked.onHead = () => asked.call.pause();
    asked.start();
    await vi.waitFor(() => expect(worker.seen).toHaveLength(1));
    for (let index = 0; index < 20; index++) await ask(upstreams, { target: '/small' });
    expect(asked.bytes).toBeLessThan(bytes / 2);
    asked.call.resume();
    expect(await asked.answer).toMatchObject({ fault: null });
    expect(asked.bytes).toBe(bytes);
  });
});
