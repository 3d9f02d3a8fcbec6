// The access log: a line for each request, in a file that can be rotated, and nothing that a client sends breaks a line.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type App, ask, type ProxyProcess, RawClient, startApp, startProxy, until } from './rig.ts';

let folder: string;
let app: App;
let proxy: ProxyProcess;
const file = () => join(folder, 'access.log');
const lines = (path: string) =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'access-'));
  app = await startApp((_request, response) => response.end('ok'));
  proxy = await startProxy([app.address], { flags: ['--access-log', file()] });
});
afterEach(async () => {
  await proxy.close();
  await app.close();
  rmSync(folder, { recursive: true });
});

test('what was answered, by whom, and how long it took', async () => {
  await ask(proxy.port, { path: '/a?b', headers: { 'user-agent': 'me "\\ \u00ff' } });
  await until(() => lines(file()).length === 1, 'a line');
  expect(lines(file())[0]).toMatchObject({
    peer: '127.0.0.1',
    method: 'GET',
    target: '/a?b',
    status: 200,
    bytes: 2,
    upstream: app.address,
    agent: 'me "\\ \u00ff',
    ms: expect.any(Number),
    upstreamMs: expect.any(Number),
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
});

test('a refused request has its line too', async () => {
  const client = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  await client.receives('HTTP/1.1 400');
  await until(() => lines(file()).length === 1, 'a line');
  expect(lines(file())[0]).toMatchObject({ status: 400, fault: 'HOST_REPEATED' });
  expect((await proxy.status()).requests).toMatchObject({ total: 1, inFlight: 0, faults: { HOST_REPEATED: 1 } });
});

test('SIGUSR1 begins the file anew', async () => {
  await ask(proxy.port, { path: '/1' });
  await until(() => lines(file()).length === 1, 'a line');
  renameSync(file(), `${file()}.1`);
  proxy.signal('SIGUSR1');
  await until(() => existsSync(file()), 'a new file');
  await ask(proxy.port, { path: '/2' });
  await until(() => lines(file()).length === 1, 'a line in the new file');
  expect(lines(`${file()}.1`).map(({ target }) => target)).toEqual(['/1']);
});

test('lines that wait are written before the program leaves', async () => {
  await ask(proxy.port, { path: '/last' });
  proxy.signal('SIGTERM');
  await proxy.exited;
  expect(lines(file()).map(({ target }) => target)).toEqual(['/last']);
});
