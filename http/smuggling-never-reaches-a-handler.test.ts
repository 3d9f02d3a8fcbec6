// Every request that two programs could read in two ways, over a real socket, llhttp included: answered, closed, counted, and
// neither it nor what is hidden in it reaches a handler.
import { expect, test } from 'vitest';
import { openTestDoor } from './test-door.ts';

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';

const ATTACKS: [what: string, bytes: string][] = [
  ['CL.TE', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['TE.CL', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['two lengths', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\n${HIDDEN}`],
  ['two equal lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi'],
  ['a list of lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nhi'],
  ['an empty length', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n${HIDDEN}`],
  ['a signed length', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n${HIDDEN}`],
  ['a length with a space in it', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0 34\r\n\r\n${HIDDEN}`],
  ['a huge length', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\n${HIDDEN}`],
  ['chunked in 1.0', `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['gzip', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['chunked, gzip', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['gzip, chunked', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  [
    'chunked twice',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  [
    'chunked and identity',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ['xchunked', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a quoted coding', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${HIDDEN}`],
  [
    'a space before the colon',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  [
    'a tab before the colon',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  [
    'a folded coding',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  [
    'a coding behind a control byte',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ['a field before Host begins with a space', `GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['bare LF line ends', `GET / HTTP/1.1\nHost: a\n\n${HIDDEN}`],
  ['a bare CR in a value', `GET / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 34\r\n\r\n${HIDDEN}`],
  ['a NUL in a value', `GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n${HIDDEN}`],
  ['a NUL in a name', `GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n${HIDDEN}`],
  ['a field without a name', `GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n${HIDDEN}`],
  ['a field without a colon', `GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n${HIDDEN}`],
  ['no Host', `GET / HTTP/1.1\r\n\r\n${HIDDEN}`],
  ['two Hosts', `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${HIDDEN}`],
  ['userinfo in Host', `GET / HTTP/1.1\r\nHost: a@b\r\n\r\n${HIDDEN}`],
  ['two types', `GET / HTTP/1.1\r\nHost: a\r\nContent-Type: x/y\r\nContent-Type: x/z\r\n\r\n${HIDDEN}`],
  ['* for GET', `GET * HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['CONNECT', `CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['TRACE', `TRACE / HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['a method of another protocol', `FETCH / HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['a fragment', `GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['a byte above ASCII in the target', `GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['a space in the target', `GET /a b HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['userinfo in the target', `GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n${HIDDEN}`],
  ['HTTP/0.9 without a version', `GET /\r\n\r\n${HIDDEN}`],
  ['HTTP/1.2', `GET / HTTP/1.2\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['HTTP/2.0 in the clear', `GET / HTTP/2.0\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HIDDEN}`],
  ['another protocol', `SOURCE / ICE/1.1\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['RTSP', `DESCRIBE rtsp://a/b RTSP/1.0\r\nHost: a\r\n\r\n${HIDDEN}`],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['another expectation', `GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n${HIDDEN}`],
];

test.each(ATTACKS)('%s', async (_what, bytes) => {
  const { connect, faults, handled } = await openTestDoor();
  const client = await connect();
  client.send(bytes);
  const answer = await client.untilEnd();
  expect(client.statuses).toEqual([expect.any(Number)]);
  expect(client.statuses[0]).toBeGreaterThanOrEqual(400);
  expect(answer.toLowerCase()).toContain('connection: close\r\n');
  expect(faults).toHaveLength(1);
  expect(handled).toEqual([]);
});

test.each(ATTACKS)('%s, byte by byte', async (_what, bytes) => {
  const { connect, faults, handled } = await openTestDoor();
  const client = await connect();
  client.socket.setNoDelay();
  for (const byte of bytes) {
    if (client.ended) break;
    client.send(byte);
    await new Promise(setImmediate);
  }
  await client.untilEnd();
  expect(client.statuses[0]).toBeGreaterThanOrEqual(400);
  expect(client.statuses).toHaveLength(1);
  expect(faults).toHaveLength(1);
  expect(handled).toEqual([]);
});

const BROKEN_BODIES: [what: string, body: string][] = [
  ['a chunk size that is no number', 'zz\r\nhi\r\n0\r\n\r\n'],
  ['a signed chunk size', '+2\r\nhi\r\n0\r\n\r\n'],
  ['a huge chunk size', `${'f'.repeat(20)}\r\nhi\r\n0\r\n\r\n`],
  ['a chunk longer than its size', '1\r\nhi\r\n0\r\n\r\n'],
  ['a bare LF behind a chunk size', `2\nhi\r\n0\r\n\r\n${HIDDEN}`],
  ['a bare LF behind a chunk', `2\r\nhi\n0\r\n\r\n${HIDDEN}`],
  ['a bare CR in a chunk extension', `2;a\rb\r\nhi\r\n0\r\n\r\n${HIDDEN}`],
  ['a bare LF in a chunk extension', `2;a\nhi\r\n0\r\n\r\n${HIDDEN}`],
  ['endless chunk extensions', `2;${'a'.repeat(40_000)}\r\nhi\r\n0\r\n\r\n`],
];

test.each(BROKEN_BODIES)('%s', async (_what, body) => {
  const errors: string[] = [];
  const { connect, faults, handled } = await openTestDoor({
    onRequest: (exchange) =>
      exchange.body.read({
        onData: () => {},
        onEnd: () => exchange.respond(200, [], 'whole'),
        onError: (code) => errors.push(code),
      }),
  });
  const client = await connect();
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
  await client.untilEnd();
  expect(client.statuses).toEqual([expect.any(Number)]);
  expect(client.statuses[0]).toBeGreaterThanOrEqual(400);
  expect(handled.map((exchange) => exchange.target)).toEqual(['/']);
  expect(errors).toEqual(faults);
  expect(faults).toHaveLength(1);
});

test('trailers are not taken for fields of the request', async () => {
  const { connect, handled } = await openTestDoor({
    onRequest: (exchange) =>
      exchange.body.read({ onData: () => {}, onEnd: () => exchange.respond(200, [], 'ok'), onError: () => {} }),
  });
  const client = await connect();
  await client.ask(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: evil\r\nX-Admin: 1\r\n\r\n' +
      'GET /next HTTP/1.1\r\nHost: a\r\n\r\n',
    2,
  );
  expect(handled.map((exchange) => [exchange.target, exchange.headers])).toEqual([
    ['/', ['Host', 'a', 'Transfer-Encoding', 'chunked']],
    ['/next', ['Host', 'a']],
  ]);
});
