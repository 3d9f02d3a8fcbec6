import { expect, test } from 'vitest';
import { answerLength, eventually, LIMITS, openTestDoor } from './test-door.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test.each([
  ['one field', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(5000)}\r\n\r\n`, 431],
  ['many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: yyyyyyyyyyyyyy\r\n'.repeat(300)}\r\n`, 431],
  ['an endless field', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(100_000)}`, 431],
  ['a target', `GET /${'y'.repeat(5000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['an endless target', `GET /${'y'.repeat(100_000)}`, 414],
])('%s over the limit is answered and closed', async (_what, bytes, status) => {
  const { connect, handled, faults } = await openTestDoor({ limits: { headBytes: 4096 } });
  const client = await connect();
  client.send(bytes);
  await client.untilEnd();
  expect(client.statuses).toEqual([status]);
  expect(client.received).toContain('Connection: close');
  expect(handled).toEqual([]);
  expect(faults).toEqual([status === 414 ? 'TARGET_TOO_LONG' : 'HEADERS_TOO_LARGE']);
});

test('no field is dropped in silence: too many are refused', async () => {
  const { connect, handled } = await openTestDoor({ limits: { headBytes: 64 * 1024 } });
  const client = await connect();
  await client.ask(`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(999)}\r\n`);
  expect(handled[0]?.headers).toHaveLength(2000);
  await client.ask(`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(1200)}\r\n`, 2);
  expect(client.statuses).toEqual([200, 431]);
});

test('lowered limits hold for the next request of a live connection', async () => {
  const { connect, door } = await openTestDoor();
  const client = await connect();
  const long = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(2000)}\r\n\r\n`;
  await client.ask(long);
  door.configure({ ...LIMITS, headBytes: 1024 });
  await client.ask(long, 2);
  expect(client.statuses).toEqual([200, 431]);
});

test('raised limits hold for new connections', async () => {
  const { connect, door } = await openTestDoor({ limits: { headBytes: 1024 } });
  door.configure({ ...LIMITS, headBytes: 8192 });
  const client = await connect();
  await client.ask(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(2000)}\r\n\r\n`);
  expect(client.statuses).toEqual([200]);
});

test('a changed body limit and idle deadline hold for a live connection', async () => {
  const { connect, door } = await openTestDoor({ onRequest: answerLength });
  const client = await connect();
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345';
  await client.ask(post);
  door.configure({ ...LIMITS, bodyBytes: 4, idleMs: 300 });
  const idle = await connect();
  await idle.ask(GET);
  await client.ask(post, 2);
  expect(client.statuses).toEqual([200, 413]);
  await idle.untilEnd();
});

test('a connection over the cap is answered 503 and closed; those within live on', async () => {
  const { connect, door, faults, handled } = await openTestDoor({ limits: { connections: 2 }, onRequest: () => {} });
  const within = await Promise.all([connect(), connect()]);
  for (const client of within) client.send(GET);
  await eventually(() => handled.length === 2);
  const over = await connect();
  over.send(GET);
  const answer = await over.untilEnd();
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toContain('Retry-After: 1');
  expect(answer).toContain('Connection: close');
  expect(over.error).toBe(null);
  expect([faults, handled.length, door.openConnections]).toEqual([['CONNECTIONS_FULL'], 2, 2]);
  for (const exchange of handled) exchange.respond(200, []);
  for (const client of within) await client.until(() => client.statuses.length === 1, 'its answer');
});

test('at the cap, an idle connection makes room', async () => {
  const { connect } = await openTestDoor({ limits: { connections: 1 } });
  const idle = await connect();
  await idle.ask(GET);
  await idle.untilEnd();
  const next = await connect();
  expect(await next.ask(GET)).toContain('200 OK');
});

test('a hundred refused connections at a time cost nobody an answer', async () => {
  const { connect, faults } = await openTestDoor({ limits: { connections: 0 } });
  const refused = await Promise.all(Array.from({ length: 100 }, connect));
  for (const client of refused) expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 503 /);
  expect(faults).toHaveLength(100);
});
