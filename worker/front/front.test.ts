// The front over real sockets, with scripted application processes.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeLog } from '../../core/log.ts';
import { openAccessLog } from '../../http/access-log.ts';
import { RawClient } from '../../http/raw-client.ts';
import { type Front, type FrontOptions, openFront } from './front.ts';
import { makeConfig, until, type Wanted } from './rig.ts';
import { ScriptedPool, type ScriptedSlot } from './scripted-pool.ts';

let directory = '';
const fronts: Front[] = [];
const clients: RawClient[] = [];
const lines: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'front-'));
  lines.length = 0;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await Promise.all(fronts.splice(0).map((front) => front.drain(0)));
  rmSync(directory, { recursive: true, force: true });
});

async function open(pool: ScriptedPool, wanted: Wanted = {}, more: Partial<FrontOptions> = {}): Promise<Front> {
  const front = await openFront({
    listen: { host: '127.0.0.1', port: 0 },
    config: makeConfig(wanted),
    pool,
    runDirectory: directory,
    log: makeLog((line) => lines.push(line), Date.now),
    clock: { now: () => performance.now(), wall: () => Date.now() },
    ...more,
  });
  fronts.push(front);
  return front;
}

async function client(front: Front, text: string | Buffer = '', reads = true): Promise<RawClient> {
  const made = await RawClient.connect(front.address);
  if (!reads) made.socket.pause();
  clients.push(made);
  if (text.length > 0) made.send(text);
  return made;
}

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const post = (length: number): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
const files = (): string[] => readdirSync(directory);

async function answer(client: RawClient): Promise<string> {
  await until('a response has come', () => client.received.includes('\r\n\r\n'));
  return client.received;
}

describe('requests and responses', () => {
  test('the head goes to the process as it came, the response back as it was given', async () => {
    const pool = new ScriptedPool(1);
    pool.script = (slot) => {
      slot.respond(201, 'made', [
        'Content-Type',
        'text/x',
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Connection',
        'x',
      ]);
    };
    const front = await open(pool);
    const text = await answer(await client(front, 'GET /a%20b?c HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two: 2\r\n\r\n'));
    expect(text.startsWith('HTTP/1.1 201 Created\r\n')).toBe(true);
    expect(text).toContain('Content-Type: text/x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n');
    expect(text).toContain('Content-Length: 4\r\n');
    expect(text).not.toContain('Connection: x');
    expect(text.endsWith('\r\n\r\nmade')).toBe(true);
    expect(front.snapshot().requests).toMatchObject({ total: 1, inFlight: 0, byClass: { '2xx': 1 } });
  });

  test('X-Forwarded-* of the peer count only where they are trusted', async () => {
    const head = 'GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n';
    const seen: string[] = [];
    for (const trustForwarded of [true, false]) {
      const pool = new ScriptedPool(1);
      pool.script = (slot) => {
        seen.push(`${slot.request?.scheme} ${slot.request?.clientAddress}`);
        slot.respond();
      };
      await answer(await client(await open(pool, { trustForwarded }), head));
    }
    expect(seen).toEqual(['https 203.0.113.9', 'http 127.0.0.1']);
  });

  test.each([
    ['HEAD', 200, ['Content-Length', '5'], 'Content-Length: 5\r\n'],
    ['GET', 204, ['Content-Length', '0'], ''],
    ['GET', 304, ['ETag', '"a"'], 'ETag: "a"\r\n'],
  ] as const)('%s %i has no content, and the connection goes on', async (method, status, headers, wanted) => {
    const pool = new ScriptedPool(1);
    const slots: ScriptedSlot[] = [];
    pool.script = (slot) => slots.push(slot);
    const front = await open(pool);
    const asked = await client(front, `${method} / HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until('the request is in the process', () => slots.length === 1);
    slots[0]?.respond(status, 'wrong', headers);
    await answer(asked);
    asked.send(`${method} / HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until('the second is in the process', () => slots.length === 2);
    slots[1]?.consumer.onHead(status, 'Any', headers);
    slots[1]?.consumer.onData(Buffer.from('wrong'));
    slots[1]?.end();
    await until('both are answered', () => asked.received.split('\r\n\r\n').length === 3);
    expect(asked.received).not.toContain('wrong');
    if (wanted === '') expect(asked.received).not.toContain('Content-Length');
    else expect(asked.received.split(wanted).length).toBe(3);
    expect(asked.received.endsWith('\r\n\r\n')).toBe(true);
    expect(asked.closed).toBe(false);
  });

  test.each([
    ['whole', (slot: ScriptedSlot, headers: string[]) => slot.respond(200, 'x', headers)],
    ['streamed', (slot: ScriptedSlot, headers: string[]) => slot.consumer.onHead(200, 'OK', headers)],
  ])('a %s response that HTTP cannot carry: 502, and nothing of it is sent', async (_name, respond) => {
    const pool = new ScriptedPool(1);
    pool.script = (slot) => respond(slot, ['X-Evil', 'a\r\nSet-Cookie: stolen=1']);
    const text = await answer(await client(await open(pool), get()));
    expect(text).toContain('502 Bad Gateway');
    expect(text).not.toContain('stolen');
  });

  test('a process that dies when all that was promised has come costs the client nothing', async () => {
    const pool = new ScriptedPool(1);
    pool.script = (slot) => {
      slot.consumer.onHead(200, 'OK', ['Content-Length', '5']);
      slot.consumer.onData(Buffer.from('whole'));
      slot.process.die();
    };
    const front = await open(pool);
    const asked = await client(front, get());
    await until('the response has come', () => asked.received.endsWith('\r\n\r\nwhole'));
    await until('it is over', () => front.snapshot().requests.inFlight === 0);
    expect(asked.closed).toBe(false);
    expect(front.snapshot().requests.faults).toEqual({});
  });

  test('an early hint goes out before the response', async () => {
    const pool = new ScriptedPool(1);
    pool.script = (slot) => {
      slot.consumer.onInform(103, ['Link', '</style.css>; rel=preload']);
      slot.respond();
    };
    const asked = await client(await open(pool), get());
    await until('the response has come', () => asked.received.endsWith('ok'));
    expect(asked.received).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 /,
    );
  });
});

describe('a hung request', () => {
  test('gets 504 and its process is reported, while its neighbours finish', async () => {
    const pool = new ScriptedPool(1, 2);
    const front = await open(pool, { requestMs: 300 });
    const hung = await client(front, get('/hung'));
    await until('it is in the process', () => pool.sent.length === 1);
    expect(pool.timedOut).toEqual([]);
    const neighbour = await client(front, get('/neighbour'));
    await until('its neighbour is too', () => pool.sent.length === 2);
    pool.slot(1).consumer.onHead(200, 'OK', ['Content-Length', '4']);
    expect(await answer(hung)).toContain('504 Gateway Timeout');
    expect(pool.timedOut).toEqual([1]);
    pool.slot(1).consumer.onData(Buffer.from('fine'));
    pool.slot(1).end();
    await until('the neighbour is answered', () => neighbour.received.endsWith('fine'));
    expect(front.snapshot().requests.faults).toEqual({ REQUEST_TIMEOUT: 1 });
  });
});

describe('the queue', () => {
  test('full: 503 with Retry-After, and what waits is served', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool, { queueMax: 1 });
    const first = await client(front, get());
    await until('the first runs', () => pool.sent.length === 1);
    const second = await client(front, get());
    await until('the second waits', () => front.snapshot().queue.length === 1);
    const third = await answer(await client(front, get()));
    expect(third).toContain('503 Service Unavailable');
    expect(third).toMatch(/Retry-After: \d+\r\n/);
    pool.slot(0).respond();
    pool.slot(1).respond();
    expect(await answer(first)).toContain('200 OK');
    expect(await answer(second)).toContain('200 OK');
  });

  test('too long in it: 503 with Retry-After', async () => {
    const front = await open(new ScriptedPool(0), { queueMs: 50 });
    const text = await answer(await client(front, get()));
    expect(text).toContain('503 Service Unavailable');
    expect(text).toMatch(/Retry-After: \d+\r\n/);
    expect(front.snapshot()).toMatchObject({ queue: { length: 0 }, requests: { faults: { QUEUE_TIMEOUT: 1 } } });
  });

  test('a client that leaves it is not run', async () => {
    const pool = new ScriptedPool(0);
    const front = await open(pool);
    const impatient = await client(front, get());
    await until('it waits', () => front.snapshot().queue.length === 1);
    impatient.socket.resetAndDestroy();
    await until('it has left the queue', () => front.snapshot().queue.length === 0);
    pool.add(1);
    expect(pool.sent.length).toBe(0);
  });
});

describe('request bodies', () => {
  test('a small one goes along in memory', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool);
    await client(front, `${post(5)}hello`);
    await until('it is in the process', () => pool.sent.length === 1);
    expect(pool.slot(0).request).toMatchObject({
      hasBody: true,
      bodyBytes: 5,
      body: Buffer.from('hello'),
      bodyFile: null,
    });
    expect(files()).toEqual([]);
  });

  test('a chunked one of many pieces is put together', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool);
    const asked = await client(front, 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 100; i++) asked.send(`1\r\n${i % 10}\r\n`);
    asked.send('0\r\n\r\n');
    await until('it is in the process', () => pool.sent.length === 1);
    expect(pool.slot(0).request?.body?.toString()).toBe('0123456789'.repeat(10));
  });

  test('an empty one counts as a body', async () => {
    const pool = new ScriptedPool(1);
    await client(await open(pool), post(0));
    await until('it is in the process', () => pool.sent.length === 1);
    expect(pool.slot(0).request).toMatchObject({ hasBody: true, bodyBytes: 0 });
  });

  test('a large one goes to a private file, which is gone afterwards', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool);
    const body = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 7) % 256));
    const asked = await client(front, post(body.length));
    asked.send(body);
    await until('it is in the process', () => pool.sent.length === 1);
    const { bodyBytes, bodyFile } = pool.slot(0).request ?? {};
    expect(bodyBytes).toBe(body.length);
    expect(readFileSync(bodyFile ?? '').equals(body)).toBe(true);
    expect(statSync(bodyFile ?? '').mode & 0o777).toBe(0o600);
    pool.slot(0).respond();
    expect(await answer(asked)).toContain('200 OK');
    await until('the file is gone', () => files().length === 0);
  });

  test('one that is handed to a second process is whole there, in memory and in a file', async () => {
    const pool = new ScriptedPool(2);
    const front = await open(pool);
    for (const size of [500, 5000]) {
      const asked = await client(front, `${post(size)}${'b'.repeat(size)}`);
      await until('it is in a process', () => pool.sent.length === 1);
      pool.slot(0).process.die();
      pool.add(100 + size);
      await until('it is in another', () => pool.sent.length === 2);
      const { body, bodyFile } = pool.slot(1).request ?? {};
      expect((body ?? readFileSync(bodyFile ?? '')).toString()).toBe('b'.repeat(size));
      pool.slot(1).respond();
      expect(await answer(asked)).toContain('200 OK');
      pool.sent.length = 0;
    }
    await until('the file is gone', () => files().length === 0);
  });

  test('a client that sends slowly holds no process', async () => {
    const pool = new ScriptedPool(1);
    pool.script = (slot) => slot.respond(200, slot.request?.method);
    const front = await open(pool);
    const slow = await client(front, `${post(10)}half`);
    const good = await client(front, get());
    await until('the good one is served', () => good.received.endsWith('GET'));
    slow.send('-other');
    await until('the slow one is served', () => slow.received.endsWith('POST'));
  });

  test.each([
    ['memory', 100],
    ['a file', 100_000],
  ])('a client that leaves in the middle of one in %s leaves nothing behind', async (_where, sent) => {
    const pool = new ScriptedPool(1);
    const front = await open(pool, { bodyMemoryBytes: 1000 });
    const asked = await client(front, post(200_000));
    asked.send('x'.repeat(sent));
    await until('it is being taken in', () => front.snapshot().requests.inFlight === 1);
    if (sent > 1000) await until('its file is there', () => files().length === 1);
    asked.socket.resetAndDestroy();
    await until('it is over', () => front.snapshot().requests.inFlight === 0);
    await until('no file is there', () => files().length === 0);
    expect(pool.sent.length).toBe(0);
  });

  test('one that cannot be stored: 507, and the log says why', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool, {}, { runDirectory: join(directory, 'missing') });
    const text = await answer(await client(front, `${post(5000)}${'x'.repeat(5000)}`));
    expect(text).toContain('507 Insufficient Storage');
    expect(lines.join()).toContain('ENOENT');
    expect(pool.sent.length).toBe(0);
  });

  test('one that is too large: 413, before it is sent', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool, { bodyBytes: 1000 });
    expect(await answer(await client(front, post(1001)))).toContain('413');
    expect(front.snapshot().requests).toMatchObject({ byClass: { '4xx': 1 }, faults: { BODY_TOO_LARGE: 1 } });
    expect(pool.sent.length).toBe(0);
  });
});

describe('a slow reader', () => {
  test('of a 200 KB response has its slot freed at once', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool, { responseBufferBytes: 1_000_000 });
    const slow = await client(front, get(), false);
    await until('it is in the process', () => pool.sent.length === 1);
    const slot = pool.slot(0);
    slot.consumer.onHead(200, 'OK', ['Content-Length', '200000']);
    for (let i = 0; i < 20; i++) slot.consumer.onData(Buffer.alloc(10_000, 97));
    expect(slot.paused).toBe(false);
    slot.end();
    expect(pool.busy).toBe(0);
    slow.socket.resume();
    await until('it has read all', () => slow.received.length > 200_000);
    expect(slow.received.endsWith('a'.repeat(1000))).toBe(true);
  });

  test('of a large one holds the application, and gets every byte', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool, { responseBufferBytes: 100_000 });
    const slow = await client(front, get(), false);
    await until('it is in the process', () => pool.sent.length === 1);
    const slot = pool.slot(0);
    slot.consumer.onHead(200, 'OK', []);
    let written = 0;
    const produce = (): void => {
      while (!slot.paused && written < 20_000_000) {
        slot.consumer.onData(Buffer.alloc(50_000, 98));
        written += 50_000;
      }
    };
    produce();
    expect(written).toBeLessThan(20_000_000);
    slow.socket.resume();
    await until('it has been produced', () => {
      produce();
      return written === 20_000_000;
    });
    slot.end();
    await until(
      'the last chunk has come',
      () => slow.socket.bytesRead > 20_000_000 && slow.received.endsWith('0\r\n\r\n'),
    );
    expect(slow.received.match(/b/g)?.length).toBe(20_000_000);
  });

  test('that leaves: the application is told, and its slot comes back', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool);
    const asked = await client(front, get());
    await until('it is in the process', () => pool.sent.length === 1);
    const slot = pool.slot(0);
    slot.consumer.onHead(200, 'OK', []);
    slot.consumer.onData(Buffer.from('first'));
    asked.socket.resetAndDestroy();
    await until('the process has been told', () => slot.cancelled);
    slot.fail('aborted');
    expect(pool.busy).toBe(0);
  });
});

describe('configuration in place', () => {
  test('a new body limit and queue length hold for the next request', async () => {
    const pool = new ScriptedPool(0);
    const front = await open(pool);
    front.configure(makeConfig({ bodyBytes: 10, queueMax: 0 }));
    expect(await answer(await client(front, post(11)))).toContain('413');
    expect(await answer(await client(front, get()))).toContain('503');
    expect(front.snapshot().queue.max).toBe(0);
  });
});

describe('draining', () => {
  test('serves what waits and what runs, then is over', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool);
    const [running, waiting] = [await client(front, get()), await client(front, get())];
    await until('one runs and one waits', () => pool.sent.length === 1 && front.snapshot().queue.length === 1);
    const drained = front.drain(20_000);
    pool.slot(0).respond();
    pool.slot(1).respond();
    expect(await answer(running)).toContain('200 OK');
    expect(await answer(waiting)).toContain('200 OK');
    running.close();
    waiting.close();
    expect(await drained).toBe(0);
    expect(await front.drain(0)).toBe(0);
  });

  test('cuts what is left when its time is up, and says how many', async () => {
    const pool = new ScriptedPool(1);
    const front = await open(pool);
    await client(front, get());
    await until('it runs', () => pool.sent.length === 1);
    expect(await front.drain(50)).toBe(1);
    expect(pool.slot(0).cancelled).toBe(true);
  });
});

describe('while developing, an application that does not start', () => {
  const failure = { reason: "No module named '<flask>'", mend: 'pip install flask', traceback: 'Traceback …' };

  test('is shown instead of a wait', async () => {
    const front = await open(new ScriptedPool(0), {}, { bootFailure: () => failure });
    const text = await answer(await client(front, get()));
    expect(text).toContain('500 Internal Server Error');
    expect(text).toContain('No module named &#39;&lt;flask&gt;&#39;');
  });

  test('is shown to those that wait already', async () => {
    let known: typeof failure | null = null;
    const front = await open(new ScriptedPool(0), {}, { bootFailure: () => known });
    const [one, two] = [await client(front, get()), await client(front, get())];
    await until('they wait', () => front.snapshot().queue.length === 2);
    known = failure;
    expect(await answer(one)).toContain('500 ');
    expect(await answer(two)).toContain('500 ');
    expect(front.snapshot()).toMatchObject({ queue: { length: 0 }, requests: { total: 2, byClass: { '5xx': 2 } } });
  });

  test('does not hide one that runs', async () => {
    const pool = new ScriptedPool(1);
    pool.script = (slot) => slot.respond();
    const front = await open(pool, {}, { bootFailure: () => failure });
    expect(await answer(await client(front, get()))).toContain('200 OK');
  });
});

test('an access log has each answered request, refused ones too', async () => {
  const pool = new ScriptedPool(1);
  pool.script = (slot) => slot.respond();
  const file = join(directory, 'access.log');
  const accessLog = openAccessLog({ file }, () => {});
  const front = await open(pool, {}, { accessLog });
  await answer(await client(front, get('/good')));
  await answer(await client(front, 'GET /bad HTTP/1.1\r\n\r\n'));
  await until('both are counted', () => front.snapshot().requests.total === 2);
  await accessLog.close();
  const logged = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(logged).toMatchObject([
    { target: '/good', status: 200, bytes: 2 },
    { target: '/bad', status: 400, fault: 'HOST_MISSING' },
  ]);
});

test('the snapshot tells of requests, faults, queue time, application time, bytes and errors', async () => {
  const pool = new ScriptedPool(1);
  pool.script = (slot) => slot.respond();
  const front = await open(pool);
  await answer(await client(front, get()));
  await answer(await client(front, 'GET /secret?key=1 HTTP/1.1\r\n\r\n'));
  await until('both are counted', () => front.snapshot().requests.total === 2);
  const { bytes, durations, errors, requests } = front.snapshot();
  expect(requests).toEqual({
    total: 2,
    inFlight: 0,
    byClass: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 1, '5xx': 0 },
    faults: { HOST_MISSING: 1 },
    redispatched: 0,
  });
  const count = (counts: readonly number[]): number => counts.reduce((sum, one) => sum + one, 0);
  expect([count(durations.queue.counts), count(durations.app.counts)]).toEqual([1, 1]);
  expect(bytes.received).toBe(0);
  expect(bytes.sent).toBeGreaterThan(0);
  expect(errors).toMatchObject([{ id: '', method: 'GET', path: '/secret', status: 400, fault: 'HOST_MISSING' }]);
  expect(front.door.counters.connections).toBe(2);
});
