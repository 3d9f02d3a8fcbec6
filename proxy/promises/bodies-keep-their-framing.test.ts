// Where one request ends and the next begins is the same for the client, the proxy and the worker.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, type ProxyProcess, RawClient, startApp, startProxy } from './rig.ts';

let app: App;
let proxy: ProxyProcess;
const seen: string[] = [];

beforeAll(async () => {
  app = await startApp((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
      seen.push(`${request.method} ${request.url} ${length ?? coding ?? '-'} ${body}`);
      response.end('ok');
    });
  });
  proxy = await startProxy([app.address]);
});
afterAll(async () => {
  await proxy.close();
  await app.close();
});

async function sees(text: string, expected: readonly string[], answers: number): Promise<void> {
  seen.length = 0;
  const client = new RawClient(proxy.port).send(text);
  await expect.poll(() => client.received.match(/HTTP\/1\.1 200/g)?.length ?? 0).toBe(answers);
  client.socket.destroy();
  expect(seen).toEqual(expected);
}

const INNER = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';

test('a chunked DELETE is one request (CVE-2026-29057)', () =>
  sees(
    `DELETE /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`,
    [`DELETE /a chunked ${INNER}`],
    1,
  ));

test.each(['GET', 'OPTIONS', 'HEAD'])('so is a %s with a body', (method) =>
  sees(
    `${method} /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
    [`${method} /a ${INNER.length} ${INNER}`],
    1,
  ),
);

test('an empty POST says that it is empty, a GET says nothing', () =>
  sees(
    'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n',
    ['POST /a 0 ', 'GET /b - '],
    2,
  ));

test('Connection: Content-Length does not unframe a body', () =>
  sees(
    `POST /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Content-Length\r\nContent-Length: 3\r\n\r\nabc`,
    ['POST /a 3 abc'],
    1,
  ));

test('pipelined requests are answered in their order', async () => {
  const client = new RawClient(proxy.port).send(
    'GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
  );
  await client.closes();
  expect(client.received.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  expect(seen.slice(-3).map((line) => line.split(' ')[1])).toEqual(['/1', '/2', '/3']);
});
