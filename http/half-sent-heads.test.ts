import { expect, test } from 'vitest';
import type { LoggedExchange } from './access-log.ts';
import { eventually, openTestDoor } from './test-door.ts';

const GOOD = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('eight half-sent heads do not delay a good request', async () => {
  const { connect, handled } = await openTestDoor();
  const slow = await Promise.all(Array.from({ length: 8 }, connect));
  for (const client of slow) client.send('GET /slow HTTP/1.1\r\nHost: a\r\nX-Half: ');
  const good = await connect();
  expect(await good.ask(GOOD)).toContain('200 OK');
  expect(handled.map((exchange) => exchange.target)).toEqual(['/']);
  // Nor are they lost.
  for (const client of slow) expect(await client.ask('y\r\n\r\n')).toContain('200 OK');
});

test('a half-sent head is answered 408 at its deadline, though its bytes keep trickling', async () => {
  const records: LoggedExchange[] = [];
  const { connect, faults } = await openTestDoor({
    limits: { requestHeadMs: 300 },
    onRefused: (record) => records.push(record),
  });
  const client = await connect();
  client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
  const trickle = setInterval(() => client.send('y'), 20);
  const answer = await client.untilEnd();
  clearInterval(trickle);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('Connection: close');
  expect(faults).toEqual(['HEAD_TIMEOUT']);
  expect(records).toEqual([expect.objectContaining({ status: 408, fault: 'HEAD_TIMEOUT' })]);
  expect(records[0]?.peer.address).toBe('127.0.0.1');
});

test('the head of a second request has a deadline too', async () => {
  const { connect, faults } = await openTestDoor({ limits: { requestHeadMs: 300 } });
  const client = await connect();
  await client.ask(GOOD);
  client.send('GET / HTTP/1.1\r\nX: ');
  const trickle = setInterval(() => client.send('y'), 20);
  await client.untilEnd();
  clearInterval(trickle);
  expect(client.statuses).toEqual([200, 408]);
  expect(faults).toEqual(['HEAD_TIMEOUT']);
});

test('a connection opened ahead of need is closed without an answer, and is no fault', async () => {
  const { connect, faults } = await openTestDoor({ limits: { requestHeadMs: 300 } });
  const client = await connect();
  expect(await client.untilEnd()).toBe('');
  expect(faults).toEqual([]);
});

test('an idle connection is closed at its deadline without an answer', async () => {
  const { connect, faults } = await openTestDoor({ limits: { idleMs: 300 } });
  const client = await connect();
  await client.ask(GOOD);
  await client.untilEnd();
  expect(client.statuses).toEqual([200]);
  expect(faults).toEqual([]);
});

test('a request under way is not idle', async () => {
  const { connect, handled } = await openTestDoor({ limits: { idleMs: 300, requestHeadMs: 300 }, onRequest: () => {} });
  const [working, idle] = await Promise.all([connect(), connect()]);
  working.send(GOOD);
  await idle.untilEnd();
  expect(working.ended).toBe(false);
  handled[0]?.respond(200, [], 'late');
  await working.until(() => working.received.endsWith('late'), 'the answer');
});

test('a client that sends half a head and leaves is no fault', async () => {
  const { connect, door, faults } = await openTestDoor();
  const client = await connect();
  client.send('GET / HTTP/1.1\r\nHo');
  client.socket.end();
  expect(await client.untilEnd()).toBe('');
  await eventually(() => door.openConnections === 0);
  expect(faults).toEqual([]);
});
