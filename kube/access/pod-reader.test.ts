// Without a cluster: what forwards leads to a server here. With one: e2e/cluster/native.test.ts.
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect as dial } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Forward, type PodReader, readerBy } from './pod-reader.ts';

const POD = { namespace: 'prod', pod: 'shop-1', port: 9000 };
const TELLS: RequestListener = (_, response) => void response.end('{"say":1}');

interface Rig {
  readonly reader: PodReader;
  readonly server: Server;
  /** Ways that were opened, such as `prod/shop-1:9000`, and those that are still. */
  readonly opened: string[];
  readonly open: Set<object>;
}

async function makeRig(listener: RequestListener): Promise<Rig> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const [opened, open]: [string[], Set<object>] = [[], new Set()];
  const portForward = async (
    namespace: string,
    pod: string,
    [podPort]: number[],
    output: Writable,
    _: Writable | null,
    input: Readable,
  ): Promise<never> => {
    opened.push(`${namespace}/${pod}:${podPort}`);
    const socket = dial(port, '127.0.0.1');
    const way = { onclose: () => {}, terminate: () => socket.destroy() };
    open.add(way);
    socket.on('data', (chunk) => output.write(chunk)).on('error', () => {});
    socket.on('close', () => {
      open.delete(way);
      way.onclose();
    });
    input.on('data', (chunk: Buffer) => socket.write(chunk));
    return way as never;
  };
  const reader = readerBy({ portForward });
  onTestFinished(() => {
    reader.close();
    server.closeAllConnections();
    server.close();
  });
  return { reader, server, opened, open };
}

test('one way serves one question after the other; each pod has its own', async () => {
  const { reader, opened } = await makeRig((request, response) =>
    response.end(JSON.stringify({ url: request.url, host: request.headers.host })),
  );
  for (const path of ['/a', '/b']) expect(await reader.get(POD, path, 1_000)).toEqual({ url: path, host: 'localhost' });
  await Promise.all([reader.get(POD, '/c', 1_000), reader.get({ ...POD, pod: 'shop-2' }, '/c', 1_000)]);
  expect(opened).toEqual(['prod/shop-1:9000', 'prod/shop-2:9000']);
});

test('a way that the pod has closed meanwhile is not used again', async () => {
  const { reader, server, opened, open } = await makeRig(TELLS);
  await reader.get(POD, '/', 1_000);
  server.closeIdleConnections();
  await expect.poll(() => open.size).toBe(0);
  expect(await reader.get(POD, '/', 1_000)).toEqual({ say: 1 });
  expect(opened).toHaveLength(2);
});

test('close ends the ways', async () => {
  const { reader, open } = await makeRig(TELLS);
  await reader.get(POD, '/', 1_000);
  expect(open.size).toBe(1);
  reader.close();
  reader.close();
  await expect.poll(() => open.size).toBe(0);
});

test.each<[string, RequestListener, object]>([
  [
    'is another status',
    (_, response) => void response.writeHead(503).end('no'),
    { code: 'NETWORK', message: 'it answers with status 503' },
  ],
  ['is no JSON', (_, response) => void response.end('<html>'), { code: 'INVALID_RESPONSE' }],
  [
    'is too large',
    (_, response) => void response.end(`"${'x'.repeat(5 * 2 ** 20)}"`),
    { message: expect.stringContaining('larger than') },
  ],
  ['breaks off', (_, response) => response.write('{', () => response.destroy()), { code: 'NETWORK' }],
  ['does not come', () => {}, { code: 'TIMEOUT', message: 'no answer within 300 ms' }],
  ['does not end', (_, response) => void response.write('{'), { code: 'TIMEOUT' }],
])('an answer that %s is one clear error, and its way is closed', async (_, listener, error) => {
  const { reader, open } = await makeRig(listener);
  await expect(reader.get(POD, '/', 300)).rejects.toMatchObject(error);
  await expect.poll(() => open.size).toBeLessThanOrEqual(1);
  reader.close();
  await expect.poll(() => open.size).toBe(0);
});

test.each<[string, Forward['portForward'], object]>([
  [
    'is not allowed',
    () => Promise.reject({ message: 'Unexpected server response: 403' }),
    { code: 'API', status: 403 },
  ],
  ['cannot be opened', () => Promise.reject({ message: 'connect ECONNREFUSED' }), { code: 'NETWORK', status: 0 }],
  [
    'leads to a closed port',
    async (_, __, ___, ____, refused) => {
      void sleep(5).then(() => refused?.write('error forwarding port 9000 to pod …: connection refused'));
      return { onclose: null, terminate: () => {} } as never;
    },
    { code: 'NETWORK', message: 'port 9000 of the pod takes no connection' },
  ],
  ['never opens', () => new Promise(() => {}), { code: 'TIMEOUT' }],
])('a way that %s is one clear error', async (_, portForward, error) => {
  await expect(readerBy({ portForward }).get(POD, '/', 300)).rejects.toMatchObject(error);
});
