import { mkdtempSync, stat } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Exchange } from './exchange.ts';
import { openFrontDoor } from './listen.ts';
import { RawClient } from './raw-client.ts';
import { answerLength, answerOk, eventually, LIMITS, openTestDoor } from './test-door.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('idle connections are closed, and none is cut', async () => {
  const { connect, door } = await openTestDoor();
  const idle = await Promise.all([connect(), connect()]);
  for (const client of idle) await client.ask(GET);
  expect(await door.drain(60_000)).toBe(0);
  for (const client of idle) await client.untilEnd();
});

test('an idle connection costs nothing, even when there is no time at all', async () => {
  const { connect, door } = await openTestDoor();
  const idle = await connect();
  await idle.ask(GET);
  expect(await door.drain(0)).toBe(0);
  await idle.untilEnd();
});

test('a request that was on its way when the drain began is answered', async () => {
  const { connect, door } = await openTestDoor();
  const client = await connect();
  await client.ask(GET);
  const drained = door.drain(60_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await client.ask(GET, 2);
  expect(await client.untilEnd()).toMatch(/Connection: close\r\n.*ok$/s);
  expect(await drained).toBe(0);
});

test('a request that came while this process had no CPU is answered, though its connection looks quiet', async () => {
  const { connect, door } = await openTestDoor();
  const client = await connect();
  await client.ask(GET);
  const drained = door.drain(60_000);
  // By then it has been seen to be quiet, and not for long enough.
  await new Promise((resolve) => setTimeout(resolve, 400));
  await sendAndStandStill(client);
  await client.untilEnd();
  expect(client.statuses).toEqual([200, 200]);
  expect(await drained).toBe(0);
});

/** While callbacks of sockets and files are served: timers come next, and then what has arrived meanwhile. */
function sendAndStandStill(client: RawClient): Promise<void> {
  return new Promise((resolve) => {
    stat('.', () => {
      client.send(GET);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
      resolve();
    });
  });
}

test('before it, each answer is the last of its connection, and new ones are let in', async () => {
  const { connect, door } = await openTestDoor();
  const [kept, quiet] = [await connect(), await connect()];
  for (const client of [kept, quiet]) await client.ask(GET);
  door.leave();
  kept.send(GET);
  const fresh = await connect();
  fresh.send(GET);
  for (const client of [kept, fresh]) expect(await client.untilEnd()).toMatch(/Connection: close\r\n.*ok$/s);
  await eventually(() => door.openConnections === 1);
  expect(await door.drain(60_000)).toBe(0);
  await quiet.untilEnd();
});

test('what is in flight is answered, with Connection: close', async () => {
  const { connect, door, handled } = await openTestDoor({ onRequest: () => {} });
  const client = await connect();
  client.send(GET);
  await eventually(() => handled.length === 1);
  const drained = door.drain(60_000);
  handled[0]?.respond(200, [], 'late');
  expect(await client.untilEnd()).toMatch(/Connection: close\r\n.*late$/s);
  expect(await drained).toBe(0);
});

test('requests sent ahead are answered too', async () => {
  const { connect, door, handled } = await openTestDoor({ onRequest: (x) => setTimeout(answerOk, 20, x) });
  const client = await connect();
  client.send(GET + GET + GET);
  await eventually(() => handled.length === 1);
  expect(await door.drain(60_000)).toBe(0);
  await client.untilEnd();
  expect(client.statuses).toEqual([200, 200, 200]);
  expect(client.received.match(/Connection: close/g)).toHaveLength(1);
});

test('a response that has begun is finished, and its connection closed', async () => {
  const { connect, door, handled } = await openTestDoor({ onRequest: (exchange) => exchange.start(200, []) });
  const client = await connect();
  await client.ask(GET);
  const drained = door.drain(60_000);
  const exchange = handled[0] as Exchange;
  exchange.write(Buffer.from('the rest'));
  exchange.end();
  expect(await client.untilEnd()).toMatch(/the rest\r\n0\r\n\r\n$/);
  expect(await drained).toBe(0);
});

test('a half-sent head is waited for, and answered', async () => {
  const { connect, door } = await openTestDoor();
  const client = await connect();
  await client.ask(GET);
  client.send('GET / HTTP/1.1\r\nHo');
  const fresh = await connect();
  fresh.send('GET / HTTP/1.1\r\nHo');
  await eventually(() => door.openConnections === 2);
  const drained = door.drain(60_000);
  fresh.send('st: a\r\n\r\n');
  client.send('st: a\r\n\r\n');
  for (const one of [client, fresh]) expect(await one.untilEnd()).toMatch(/Connection: close\r\n.*ok$/s);
  expect(await drained).toBe(0);
});

test('a half-sent body is waited for, and answered', async () => {
  const { connect, door, handled } = await openTestDoor({ onRequest: answerLength });
  const client = await connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12');
  await eventually(() => handled.length === 1);
  const drained = door.drain(60_000);
  client.send('345');
  expect(await client.untilEnd()).toMatch(/Connection: close\r\n.*5$/s);
  expect(await drained).toBe(0);
});

test('a connection that never says a byte does not hold it up to the end', async () => {
  const { connect, door } = await openTestDoor();
  await connect();
  await eventually(() => door.openConnections === 1);
  expect(await door.drain(60_000)).toBe(0);
});

test('at the deadline the rest is cut and counted', async () => {
  const { connect, door, handled, done } = await openTestDoor({ onRequest: () => {} });
  const clients = await Promise.all([connect(), connect()]);
  for (const client of clients) client.send(GET);
  await eventually(() => handled.length === 2);
  expect(await door.drain(50)).toBe(2);
  await eventually(() => done.length === 2);
  expect(done.map((exchange) => exchange.state)).toEqual(['gone', 'gone']);
});

test('a second, shorter drain hastens the first', async () => {
  const { connect, door, handled } = await openTestDoor({ onRequest: () => {} });
  const client = await connect();
  client.send(GET);
  await eventually(() => handled.length === 1);
  const first = door.drain(60_000);
  expect(await door.drain(0)).toBe(1);
  expect(await first).toBe(1);
});

test('no connection is taken any more, and a Unix socket is removed', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'door-')), 'a.sock');
  const door = await openFrontDoor({ path }, { limits: LIMITS, onRequest: answerOk });
  const client = await RawClient.connect(door.address);
  expect(await client.ask(GET)).toContain('200 OK');
  expect(await door.drain(1000)).toBe(0);
  await expect(RawClient.connect(door.address)).rejects.toThrow(/ENOENT/);
});

test('over a Unix socket the peer has no address', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'door-')), 'a.sock');
  const peers: unknown[] = [];
  const onRequest = (exchange: Exchange) => {
    peers.push(exchange.peer);
    answerOk(exchange);
  };
  const door = await openFrontDoor({ path }, { limits: LIMITS, onRequest });
  const client = await RawClient.connect(door.address);
  await client.ask(GET);
  await door.drain(0);
  expect(peers).toEqual([{ address: '', port: 0, encrypted: false, localAddress: '', localPort: 0 }]);
});

test('under traffic of eight clients, no request on a kept connection is lost', async () => {
  const { door } = await openTestDoor({ onRequest: (exchange) => setTimeout(answerOk, 2, exchange) });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const outcomes = { answered: 0, refused: 0, lost: 0 };
  const { address } = door;
  const client = async (): Promise<void> => {
    while (outcomes.refused + outcomes.lost === 0) {
      const result = await request(address as { host: string; port: number }, agent);
      outcomes[result]++;
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await eventually(() => outcomes.answered > 100);
  const cut = await door.drain(10_000);
  await Promise.all(clients);
  agent.destroy();
  expect(cut).toBe(0);
  expect(outcomes.lost).toBe(0);
  expect(outcomes.answered).toBeGreaterThan(100);
});

function request(
  { host, port }: { host: string; port: number },
  agent: Agent,
): Promise<'answered' | 'refused' | 'lost'> {
  return new Promise((resolve) => {
    const outgoing = get({ host, port, agent }, (response) => {
      response.on('data', () => {});
      response.on('end', () => resolve('answered'));
      response.on('error', () => resolve('lost'));
    });
    // One that had no connection yet lost nothing: the kernel refuses it, or resets it when nobody has accepted it.
    outgoing.on('error', () => resolve(outgoing.reusedSocket ? 'lost' : 'refused'));
  });
}
