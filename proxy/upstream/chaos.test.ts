// Everything at once, by a seeded die: workers that answer, hang up, cut, talk nonsense, die and return; clients that stream,
// pause and leave; endpoints that come and go. Whatever happens, the books are even in the end.
import { afterEach, expect, test, vi } from 'vitest';
import { Upstreams } from './client.ts';
import { Asked, configure, OK, Worker } from './rig.ts';

/** mulberry32 */
function makeDie(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

const REQUESTS = 1500;
const LINES = 24;
const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'POST', 'PATCH', 'PUT', 'DELETE'];
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';

const workers: Worker[] = [];
let upstreams: Upstreams | undefined;

afterEach(async () => {
  upstreams?.close();
  for (const worker of workers.splice(0)) await worker.kill();
});

function misbehave(worker: Worker, die: (sides: number) => number): void {
  worker.answer = (socket, { method }) => {
    const ok = method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' : OK;
    switch (die(16)) {
      case 0:
        socket.destroy();
        break;
      case 1:
        socket.resetAndDestroy();
        break;
      case 2:
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        break;
      case 3:
        socket.write('nonsense\r\n\r\n');
        break;
      case 4:
        socket.write(ok);
        socket.destroy();
        break;
      case 5:
        socket.write(ok + ok);
        break;
      case 6:
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        setImmediate(() => socket.write(ok));
        break;
      case 7:
        socket.write(method === 'HEAD' ? ok : CHUNKED);
        break;
      case 8:
        // Silence, until the client leaves or the limit is over.
        break;
      default:
        socket.write(ok);
    }
  };
}

/** One request of some kind. Resolves when it has ended or was left. */
async function askSomehow(upstreams: Upstreams, index: number, die: (sides: number) => number): Promise<void> {
  const method = METHODS[die(METHODS.length)] ?? 'GET';
  const body = method === 'GET' || method === 'HEAD' ? undefined : Buffer.alloc(die(3) * 40_000, 'b');
  const how = body === undefined ? 'none' : (['whole', 'length', 'chunked'] as const)[die(3)];
  const length = how === 'none' ? undefined : how === 'chunked' ? null : body?.length;
  const asked = new Asked(upstreams, { method, target: `/${index}`, length });
  asked.sendBody = () => {
    for (let at = 0; body !== undefined && at < body.length; at += 10_000)
      asked.call.write(body.subarray(at, at + 10_000));
    asked.call.end();
  };
  asked.start(how === 'whole' ? body : undefined);
  if (die(10) === 0) {
    asked.call.pause();
    setImmediate(() => asked.call.resume());
  }
  if (die(10) > 0) {
    await asked.answer;
    return;
  }
  for (let turns = die(5); turns > 0; turns--) await new Promise(setImmediate);
  asked.call.cancel();
}

test.each([1, 2, 3])('chaos %d', async (seed) => {
  const die = makeDie(seed);
  for (let index = 0; index < 3; index++) workers.push(await new Worker().start());
  for (const worker of workers) misbehave(worker, die);
  upstreams = new Upstreams({ holdMs: 500, maxIdle: 4 });
  const chaotic = upstreams;
  configure(chaotic, workers, 200);
  let next = 0;
  // The third worker always lives and is always configured.
  const line = async (): Promise<void> => {
    while (next < REQUESTS) {
      const index = next++;
      if (index % 100 === 50) configure(chaotic, workers.slice(die(3)), 200);
      if (index % 300 === 150) await (workers[die(2)] as Worker).kill();
      if (index % 300 === 250) for (const worker of workers) if (!worker.running) await worker.start();
      await askSomehow(chaotic, index, die);
    }
  };
  await Promise.all(Array.from({ length: LINES }, line));

  const once = workers.flatMap(({ seen }) => seen.filter(({ method }) => method === 'POST' || method === 'PATCH'));
  expect(new Set(once.map(({ target }) => target)).size).toBe(once.length);
  expect(chaotic.inFlight).toBe(0);
  expect(chaotic.counters.held.now).toBe(0);
  for (const { outstanding, state } of chaotic.status()[0]?.endpoints ?? []) {
    expect({ outstanding, draining: state === 'draining' }).toEqual({ outstanding: 0, draining: false });
  }
  const { attempts, retried } = chaotic.counters;
  expect(
    Math.min(attempts.ok, attempts.closed, attempts.invalid, attempts.timeout, attempts.cancelled),
  ).toBeGreaterThan(0);
  expect(Math.min(retried.reused, retried.fresh)).toBeGreaterThan(0);
  chaotic.close();
  await vi.waitFor(() => expect(workers.map(({ sockets }) => sockets.size)).toEqual([0, 0, 0]));
});
