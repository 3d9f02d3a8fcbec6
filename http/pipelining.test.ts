import { expect, test } from 'vitest';
import type { Exchange } from './exchange.ts';
import { answerLength, eventually, openTestDoor } from './test-door.ts';

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const answerTarget = (exchange: Exchange) => exchange.respond(200, [], `[${exchange.target}]`);

test('answers come in the order of the requests', async () => {
  const { connect } = await openTestDoor({
    onRequest: (exchange) =>
      exchange.target === '/slow' ? setTimeout(answerTarget, 30, exchange) : answerTarget(exchange),
  });
  const client = await connect();
  await client.ask(get('/slow') + get('/2') + get('/3'), 3);
  await client.until(() => client.received.includes('[/3]'), 'the last');
  expect(client.received.match(/\[.*?\]/g)).toEqual(['[/slow]', '[/2]', '[/3]']);
});

test('one connection has one request served at a time', async () => {
  const { connect, handled } = await openTestDoor({ onRequest: () => {} });
  const [client, other] = await Promise.all([connect(), connect()]);
  client.send(get('/1') + get('/2'));
  await eventually(() => handled.length === 1);
  other.send(get('/other'));
  await eventually(() => handled.length === 2);
  expect(handled.map((exchange) => exchange.target)).toEqual(['/1', '/other']);
  handled[0]?.respond(200, []);
  await eventually(() => handled.length === 3);
  expect(handled[2]?.target).toBe('/2');
});

test('bodies are told apart', async () => {
  const { connect } = await openTestDoor({ onRequest: answerLength });
  const client = await connect();
  const post = (body: string) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  await client.ask(
    `${post('1')}${post('22')}POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n333\r\n0\r\n\r\n${get('/')}`,
    4,
  );
  await client.until(() => client.received.endsWith('0'), 'the last');
  expect(client.received.match(/\r\n\r\n[0-9]/g)).toEqual(['\r\n\r\n1', '\r\n\r\n2', '\r\n\r\n3', '\r\n\r\n0']);
});

test('what comes before a refused request is answered, what comes behind it is not looked at', async () => {
  const { connect, handled, faults } = await openTestDoor({
    onRequest: (exchange) => setTimeout(answerTarget, 20, exchange),
  });
  const client = await connect();
  client.send(`${get('/1') + get('/2')}GET /3 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${get('/4')}`);
  await client.untilEnd();
  expect(client.statuses).toEqual([200, 200, 400]);
  expect(handled.map((exchange) => exchange.target)).toEqual(['/1', '/2']);
  expect(faults).toEqual(['HOST_REPEATED']);
});

test('what comes before bytes that are no request is answered', async () => {
  const { connect, handled, faults } = await openTestDoor({
    onRequest: (exchange) => setTimeout(answerTarget, 20, exchange),
  });
  const client = await connect();
  client.send(`${get('/1') + get('/2')}?!\r\n\r\n`);
  await client.untilEnd();
  expect(client.statuses).toEqual([200, 200, 400]);
  expect(client.received).toMatch(/\[\/1\].*\[\/2\]/s);
  expect(handled).toHaveLength(2);
  expect(faults).toHaveLength(1);
});

test('what comes behind Connection: close is not looked at', async () => {
  const { connect, handled } = await openTestDoor({ onRequest: (exchange) => setTimeout(answerTarget, 20, exchange) });
  const client = await connect();
  client.send(`GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get('/2')}`);
  expect(await client.untilEnd()).toMatch(/Connection: close\r\n.*\[\/1\]$/s);
  expect(handled).toHaveLength(1);
});

test('five thousand requests sent ahead are bounded: the connection closes in order behind some of them', async () => {
  const { connect, handled } = await openTestDoor({ onRequest: (exchange) => setImmediate(answerTarget, exchange) });
  const client = await connect();
  client.send(get('/').repeat(5000));
  const answer = await client.untilEnd();
  expect(client.statuses.length).toBe(handled.length);
  expect(client.statuses.length).toBeGreaterThan(100);
  expect(client.statuses.length).toBeLessThan(5000);
  expect(answer.match(/Connection: close/g)).toHaveLength(1);
  expect(answer.endsWith('[/]')).toBe(true);
});

test('a client that leaves takes its waiting requests with it', async () => {
  const { connect, handled, done, door } = await openTestDoor({ onRequest: () => {} });
  const client = await connect();
  client.send(get('/1') + get('/2') + get('/3'));
  await eventually(() => handled.length === 1);
  client.close();
  await eventually(() => door.openConnections === 0);
  expect(handled).toHaveLength(1);
  expect(done.map((exchange) => exchange.target)).toEqual(['/1']);
});

test('an aborted response does not cost the one before it', async () => {
  const { connect, handled } = await openTestDoor({
    onRequest: (exchange) => {
      if (exchange.target === '/2') exchange.abort();
      else exchange.respond(200, [], Buffer.alloc(1024 * 1024, 'x'));
    },
  });
  const client = await connect();
  client.send(get('/1') + get('/2'));
  const answer = await client.untilEnd();
  expect(handled).toHaveLength(2);
  expect(answer.match(/x+$/)?.[0].length).toBe(1024 * 1024);
});

test('CONNECT behind requests that are not answered yet cuts the connection', async () => {
  const { connect, handled, done } = await openTestDoor({ onRequest: () => {} });
  const client = await connect();
  client.send(`${get('/1')}CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect(await client.untilEnd()).toBe('');
  await eventually(() => done.length === 1);
  expect(handled).toHaveLength(1);
});

test('requests that come byte by byte are the same requests', async () => {
  const { connect, handled } = await openTestDoor({ onRequest: answerLength });
  const client = await connect();
  client.socket.setNoDelay();
  const bytes =
    'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi' +
    'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n' +
    'GET /3?q HTTP/1.1\r\nHost: a\r\nX:  y \t\r\n\r\n';
  for (const byte of bytes) {
    client.send(byte);
    await new Promise(setImmediate);
  }
  await client.until(() => client.received.endsWith('\r\n\r\n0'), 'the last');
  expect(handled.map(({ target, headers }) => [target, headers.slice(2)])).toEqual([
    ['/1', ['Content-Length', '2']],
    ['/2', ['Transfer-Encoding', 'chunked']],
    ['/3?q', ['X', 'y']],
  ]);
});
