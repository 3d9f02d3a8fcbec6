import { expect, test } from 'vitest';
import type { UpgradeExchange } from './exchange.ts';
import { eventually, openTestDoor } from './test-door.ts';

const UPGRADE = 'GET /ws?x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Switches, and sends back whatever comes. */
function echo(exchange: UpgradeExchange): void {
  exchange.socket.write(SWITCH);
  exchange.socket.write(exchange.head);
  exchange.socket.pipe(exchange.socket);
}

test('a connection leaves HTTP with the bytes behind its head', async () => {
  const upgrades: UpgradeExchange[] = [];
  const { connect, handled } = await openTestDoor({
    onUpgrade: (exchange) => {
      upgrades.push(exchange);
      echo(exchange);
    },
  });
  const client = await connect();
  client.send(`${UPGRADE}early`);
  await client.until(() => client.received.endsWith('early'), 'the bytes behind the head');
  client.send(' late');
  await client.until(() => client.received === `${SWITCH}early late`, 'the echo');
  expect(upgrades).toEqual([expect.objectContaining({ method: 'GET', target: '/ws?x', host: 'a' })]);
  expect(upgrades[0]?.peer.address).toBe('127.0.0.1');
  expect(handled).toEqual([]);
  // http-proxy reads these.
  expect(upgrades[0]?.request.headers).toMatchObject({ host: 'a', upgrade: 'websocket' });
});

test('deadlines of HTTP do not reach it', async () => {
  const { connect } = await openTestDoor({
    limits: { idleMs: 300, requestHeadMs: 300, requestBodyMs: 300, sendMs: 300 },
    onUpgrade: echo,
  });
  const [client, idle] = await Promise.all([connect(), connect()]);
  await client.ask(UPGRADE);
  await idle.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await idle.untilEnd();
  client.send('still here');
  await client.until(() => client.received.endsWith('still here'), 'the echo');
});

test('without a handler, or when it does not take it, Upgrade is ignored and the connection lives on', async () => {
  for (const options of [{}, { onUpgrade: echo, takesUpgrade: () => false }]) {
    const { connect, handled } = await openTestDoor(options);
    const client = await connect();
    await client.ask(UPGRADE);
    await client.ask(UPGRADE, 2);
    expect(client.statuses).toEqual([200, 200]);
    expect(handled).toHaveLength(2);
  }
});

test('takesUpgrade sees the fields', async () => {
  const seen: (readonly string[])[] = [];
  const { connect } = await openTestDoor({
    onUpgrade: echo,
    takesUpgrade: (headers) => {
      seen.push(headers);
      return true;
    },
  });
  await (await connect()).ask(UPGRADE);
  expect(seen).toEqual([['Host', 'a', 'Connection', 'Upgrade', 'Upgrade', 'websocket']]);
});

test('the guard stands before it', async () => {
  const { connect, faults } = await openTestDoor({ onUpgrade: echo });
  const client = await connect();
  client.send(UPGRADE.replace('Host: a', 'Host: a\r\nHost: b'));
  await client.untilEnd();
  expect([client.statuses, faults]).toEqual([[400], ['HOST_REPEATED']]);
});

test('with a body it is an ordinary request', async () => {
  const { connect, handled } = await openTestDoor({ onUpgrade: echo });
  const client = await connect();
  await client.ask(`${UPGRADE.replace('Host: a', 'Host: a\r\nContent-Length: 5').replace('GET', 'POST')}hello`);
  await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n', 2);
  expect(client.statuses).toEqual([200, 200]);
  expect(handled.map((exchange) => exchange.method)).toEqual(['POST', 'GET']);
});

test('behind requests that are not answered yet it is an ordinary request: its bytes would run into their answers', async () => {
  const { connect, handled } = await openTestDoor({
    onUpgrade: echo,
    onRequest: (exchange) => setTimeout(() => exchange.respond(200, [], 'plain'), 20),
  });
  const client = await connect();
  client.send(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${UPGRADE}`);
  await client.until(() => client.statuses.length === 2, 'both answers');
  expect(client.statuses).toEqual([200, 200]);
  expect(handled.map((exchange) => exchange.target)).toEqual(['/1', '/ws?x']);
});

test('a handler refuses it with a fault', async () => {
  const { connect, faults } = await openTestDoor({ onUpgrade: (exchange) => exchange.fail('NO_ENDPOINT') });
  const client = await connect();
  client.send(UPGRADE);
  const answer = await client.untilEnd();
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toContain('Connection: close');
  expect(faults).toEqual(['NO_ENDPOINT']);
});

test('a client that breaks off harms nobody', async () => {
  const upgrades: UpgradeExchange[] = [];
  const { connect, door } = await openTestDoor({
    onUpgrade: (exchange) => {
      upgrades.push(exchange);
      echo(exchange);
    },
  });
  const client = await connect();
  await client.ask(UPGRADE);
  client.socket.resetAndDestroy();
  await eventually(() => upgrades[0]?.socket.destroyed === true && door.openConnections === 0);
});

test('it counts as a connection, and a drain cuts it at the deadline', async () => {
  const { connect, door } = await openTestDoor({ onUpgrade: echo });
  const client = await connect();
  await client.ask(UPGRADE);
  expect(door.openConnections).toBe(1);
  expect(await door.drain(50)).toBe(1);
  await client.untilEnd();
});
