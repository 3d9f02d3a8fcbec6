// Kept connections that the worker closes at the worst moment: reads survive it unnoticed, and a request with an effect is
// never run twice.
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

/** Runs `count` requests, some at a time, each as soon as one before it is over: the moment of reuse is the moment of closing. */
async function runMany(count: number, atOnce: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** Ways of a worker to close behind an answer, without a word. */
const CLOSINGS = ['in the same turn', 'a turn later', 'with a reset'] as const;

function closeBehindSome(closing: (typeof CLOSINGS)[number]): void {
  worker.answer = (socket) => {
    socket.write(OK);
    if (worker.seen.length % 3 !== 0) return;
    if (closing === 'in the same turn') socket.end();
    else if (closing === 'a turn later') setImmediate(() => socket.destroy());
    else setImmediate(() => socket.resetAndDestroy());
  };
}

describe.each(CLOSINGS)('a worker that closes kept connections %s', (closing) => {
  test('fails none of 2000 GETs', async () => {
    closeBehindSome(closing);
    const failed: string[] = [];
    await runMany(2000, 8, async () => {
      const { status, body, fault } = await ask(upstreams);
      if (status !== 200 || body !== 'ok') failed.push(`${status} ${fault}`);
    });
    expect(failed).toEqual([]);
    expect(upstreams.inFlight).toBe(0);
  });

  test('gets none of 1000 POSTs twice', async () => {
    closeBehindSome(closing);
    let answered = 0;
    await runMany(1000, 8, async (index) => {
      const body = Buffer.from(String(index));
      const { status } = await ask(upstreams, { method: 'POST', target: `/${index}`, length: body.length }, body);
      if (status === 200) answered++;
    });
    const targets = worker.seen.map(({ target }) => target);
    expect(new Set(targets).size).toBe(targets.length);
    expect(answered).toBeGreaterThan(500);
    expect(answered).toBeLessThanOrEqual(targets.length);
  });
});

describe('a kept connection that has just been closed', () => {
  /** One kept connection. @returns the worker's end of it */
  async function keepOne(): Promise<import('node:net').Socket> {
    await ask(upstreams, { target: '/first' });
    const [socket] = worker.sockets;
    return socket ?? expect.fail('no connection');
  }

  test('whose request may be repeated: sent again over a new one, once', async () => {
    (await keepOne()).destroy();
    const asked = new Asked(upstreams).start();
    expect(await asked.answer).toMatchObject({ status: 200, fault: null });
    expect(asked.call.attempts).toBe(2);
    expect(upstreams.counters.retried).toEqual({ reused: 1, fresh: 0 });
  });

  test('beside others that have been closed with it: none of them is tried next', async () => {
    await Promise.all([ask(upstreams), ask(upstreams), ask(upstreams)]);
    for (const socket of worker.sockets) socket.destroy();
    expect(await ask(upstreams)).toMatchObject({ status: 200, fault: null });
  });

  test.each(['destroy', 'resetAndDestroy'] as const)('%s: a POST is not even sent over it', async (close) => {
    (await keepOne())[close]();
    const asked = new Asked(upstreams, { method: 'POST', target: '/post', length: 3 }).start(Buffer.from('abc'));
    expect(await asked.answer).toMatchObject({ status: 200, fault: null });
    expect(worker.seen.filter(({ target }) => target === '/post')).toHaveLength(1);
  });

  test('under a POST that was read and not answered: fails, and is not sent again', async () => {
    await keepOne();
    worker.answer = (socket) => socket.destroy();
    const answer = await ask(upstreams, { method: 'POST', target: '/post', length: 3 }, Buffer.from('abc'));
    expect(answer).toMatchObject({ fault: 'UPSTREAM_CLOSED', began: false });
    expect(worker.seen.filter(({ target }) => target === '/post')).toHaveLength(1);
  });

  test('under a streamed PUT: what had been sent is sent again, then the rest', async () => {
    await keepOne();
    for (const socket of worker.sockets) socket.once('data', () => socket.destroy());
    const asked = new Asked(upstreams, { method: 'PUT', target: '/put', length: null });
    asked.sendBody = () => asked.call.write(Buffer.from('first'));
    asked.start();
    await vi.waitFor(() => expect(asked.call.attempts).toBe(2));
    asked.call.write(Buffer.from('second'));
    asked.call.end();
    expect(await asked.answer).toMatchObject({ status: 200, fault: null });
    const put = worker.seen.find(({ method }) => method === 'PUT');
    expect(put?.text).toMatch(/\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n$/);
  });

  test('under a PUT of which too much has been sent to keep: fails', async () => {
    await keepOne();
    for (const socket of worker.sockets) {
      let bytes = 0;
      socket.on('data', (data: Buffer) => {
        bytes += data.length;
        if (bytes > 100_000) socket.destroy();
      });
    }
    const asked = new Asked(upstreams, { method: 'PUT', target: '/put', length: null });
    asked.sendBody = () => asked.call.write(Buffer.alloc(200_000));
    expect(await asked.start().answer).toMatchObject({ fault: 'UPSTREAM_CLOSED', began: false });
    expect(asked.call.attempts).toBe(1);
  });

  test('is forgotten by the pool when nobody uses it', async () => {
    (await keepOne()).destroy();
    await vi.waitFor(() => expect(upstreams.status()[0]?.endpoints[0]?.idle).toBe(0));
    expect(await ask(upstreams)).toMatchObject({ status: 200 });
    expect(upstreams.counters.retried.reused).toBe(0);
  });
});

describe('a new connection that dies before a byte of the answer: the worker was killed', () => {
  beforeEach(() => {
    worker.answer = (socket) => {
      if (worker.seen.length === 1) socket.destroy();
      else socket.write(OK);
    };
  });

  test('under a GET: sent again, once, and counted apart', async () => {
    expect(await ask(upstreams)).toMatchObject({ status: 200, fault: null });
    expect(upstreams.counters.retried).toEqual({ reused: 0, fresh: 1 });
  });

  test('under a POST: fails, and ran once', async () => {
    const answer = await ask(upstreams, { method: 'POST', length: 3 }, Buffer.from('abc'));
    expect(answer).toMatchObject({ fault: 'UPSTREAM_CLOSED', began: false });
    expect(worker.seen).toHaveLength(1);
  });

  test('under a GET twice: fails', async () => {
    worker.answer = (socket) => socket.destroy();
    expect(await ask(upstreams)).toMatchObject({ fault: 'UPSTREAM_CLOSED', began: false });
    expect(worker.seen).toHaveLength(2);
  });

  test('prefers another endpoint', async () => {
    const other = await new Worker().start();
    for (const one of [worker, other]) {
      one.answer = (socket) => {
        if (worker.seen.length + other.seen.length === 1) socket.destroy();
        else socket.write(OK);
      };
    }
    // Always the first that is allowed.
    const choosing = new Upstreams({}, () => 0);
    configure(choosing, [worker, other]);
    expect(await ask(choosing)).toMatchObject({ status: 200 });
    choosing.close();
    expect([worker.seen.length, other.seen.length]).toEqual([1, 1]);
    await other.kill();
  });
});
