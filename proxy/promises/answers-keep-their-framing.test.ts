// Where an answer ends is the same for the worker, the proxy and the client, whatever the method, the status and the version.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ProxyProcess, RawClient, startProxy } from './rig.ts';

let proxy: ProxyProcess;
let answer = '';
const sockets = new Set<Socket>();

/** Answers every request head with `answer`, as it stands. */
const worker = createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('data', () => {
    socket.write(answer, 'latin1');
    if (answer.includes('Connection: close')) socket.end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => worker.listen(0, '127.0.0.1', resolve));
  proxy = await startProxy([`127.0.0.1:${(worker.address() as AddressInfo).port}`]);
});
beforeEach(() => {
  answer = '';
});
afterAll(async () => {
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => worker.close(resolve));
});

/** @returns head and body of the first answer, when the one behind it has come on the same connection */
async function twoInARow(method: string): Promise<{ head: string; body: string }> {
  const client = new RawClient(proxy.port).send(`${method} /1 HTTP/1.1\r\nHost: h\r\n\r\n`);
  await client.receives('\r\n\r\n');
  await expect.poll(() => proxy.access.some((line) => line['target'] === '/1')).toBe(true);
  proxy.access.length = 0;
  const first = client.received;
  client.received = '';
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond';
  client.send('GET /2 HTTP/1.1\r\nHost: h\r\n\r\n');
  await client.receives('second');
  expect(client.received).toMatch(/^HTTP\/1\.1 200 /);
  client.socket.destroy();
  const end = first.indexOf('\r\n\r\n');
  return { head: first.slice(0, end), body: first.slice(end + 4) };
}

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n', 'Content-Length: 1234'],
  ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', null],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', null],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: "x"\r\n\r\n', 'ETag: "x"'],
  ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'Content-Length: 0'],
])('%s answered %j has no body, and the next answer is in step', async (method, text, field) => {
  answer = text;
  const { head, body } = await twoInARow(method);
  expect(head.split('\r\n')[0]).toContain(text.split(' ')[1] ?? '');
  if (field !== null) expect(head).toContain(field);
  expect(body).toBe('');
});

test.each([
  ['of a length', 'Content-Length: 4\r\n\r\nbody', 'Content-Length: 4', /^body$/],
  [
    'in chunks',
    'Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked',
    /\r\n0\r\n\r\n$/,
  ],
  ['until the close', 'Connection: close\r\n\r\nbody', 'Transfer-Encoding: chunked', /\r\n0\r\n\r\n$/],
])('a body %s arrives whole, and the next answer is in step', async (_how, rest, field, end) => {
  answer = `HTTP/1.1 200 OK\r\n${rest}`;
  const { head, body } = await twoInARow('GET');
  expect(head).toContain(field);
  expect(body).toMatch(end);
});

test('a client of HTTP/1.0 gets what is chunked until the close', async () => {
  answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n';
  const client = new RawClient(proxy.port).send('GET / HTTP/1.0\r\n\r\n');
  await client.closes();
  expect(client.received).toMatch(/\r\n\r\nbody$/);
  expect(client.received).not.toMatch(/transfer-encoding/i);
});

test('repeated fields arrive repeated, Date and Server once, hop-by-hop fields not', async () => {
  answer =
    'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: app\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nKeep-Alive: timeout=9\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n';
  const { head } = await twoInARow('GET');
  expect(head.match(/set-cookie: /gi)).toHaveLength(2);
  expect(head.match(/^server: .*$/gim)).toEqual(['Server: app']);
  expect(head.match(/^date: .*$/gim)).toEqual(['Date: Sun, 06 Nov 1994 08:49:37 GMT']);
  expect(head).not.toMatch(/x-hop|timeout=9/i);
});
