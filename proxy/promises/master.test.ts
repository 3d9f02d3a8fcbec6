// With a master the death of the proxy is a pause and not a refusal; what cannot work is said at once, and an order to leave is the proxy's.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type App, ask, type ProxyProcess, RawClient, startApp, startProxy, until } from './rig.ts';

let app: App;
let proxy: ProxyProcess;

beforeEach(async () => {
  app = await startApp((request, response) => {
    setTimeout(() => response.end('hello'), request.url === '/slow' ? 500 : 0);
  });
  proxy = await startProxy([app.address], { flags: ['--master', '--drain-delay', '200ms'] });
});
afterEach(async () => {
  await proxy.close();
  await app.close();
});

const starts = (): number => proxy.log.filter(({ msg }) => msg === 'listening').length;

/** Kills the proxy and not its master. */
async function kill(): Promise<void> {
  const { pid } = await proxy.status();
  expect(pid).not.toBe(proxy.pid);
  process.kill(pid, 'SIGKILL');
}

test('requests that come while the proxy is dead are answered by the next one, on the same port', async () => {
  const { port } = proxy;
  for (const deaths of [1, 2]) {
    await kill();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, { path: '/' })));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    await until(() => starts() === deaths + 1, 'the next start');
    await proxy.listening(); // where its admin port is now
  }
  expect(proxy.port).toBe(port);
  expect(proxy.log.filter(({ msg }) => msg === 'the proxy died and is started again')).toMatchObject([
    { level: 'error', cause: 'SIGKILL', inMs: 0 },
    { level: 'error', cause: 'SIGKILL' },
  ]);
});

test('SIGTERM drains: what is there is answered, what comes then is refused, code 0', async () => {
  const slow = ask(proxy.port, { path: '/slow' });
  await until(async () => (await proxy.status()).connections.open === 1, 'the request');
  proxy.signal('SIGTERM');
  expect((await slow).status).toBe(200);
  expect(await proxy.exited).toBe(0);
  await expect(ask(proxy.port, { path: '/' })).rejects.toThrow('ECONNREFUSED');
});

test('a drain that has begun is not held up by connections that nobody takes', async () => {
  const slow = new RawClient(proxy.port).send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(async () => (await proxy.status()).connections.open === 1, 'the request');
  proxy.signal('SIGTERM');
  // The socket is the proxy's alone now: once it is closed, the kernel refuses.
  await until(() => refused(proxy.port), 'the refusal');
  await slow.receives('hello');
  expect(await proxy.exited).toBe(0);
});

test('kill -9 of the master leaves no proxy behind', async () => {
  const { pid } = await proxy.status();
  proxy.signal('SIGKILL');
  await until(() => !isAlive(pid), 'the end of the proxy');
});

test('a proxy that dies at once, again and again, ends the master', async () => {
  while (starts() <= 5) {
    await kill();
    const before = starts();
    const over = Promise.race([proxy.exited.then(() => true), until(() => starts() > before, 'a start')]);
    await over;
    if (starts() > before) await proxy.listening();
  }
  await kill();
  expect(await proxy.exited).toBe(70);
  expect(proxy.log.at(-1)).toMatchObject({ msg: 'the proxy dies again and again', deaths: 6 });
});

test('an address in use is said by the master: 1', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await until(() => holder.listening, 'a port in use');
  const bound = holder.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  await expect(startProxy([app.address], { flags: ['--master', '--listen', `127.0.0.1:${port}`] })).rejects.toThrow(
    'ADDRESS_IN_USE',
  );
  holder.close();
});

test('a configuration that is refused is not tried again: 2', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'master-'));
  const missing = join(folder, 'none.json');
  await expect(startProxy([], { flags: ['--master', '--config', missing] })).rejects.toThrow('none.json');
  rmSync(folder, { recursive: true });
});

async function refused(port: number): Promise<boolean> {
  const client = new RawClient(port);
  await until(() => client.closed || client.socket.readyState === 'open', 'a connection or none');
  const { reset } = client;
  client.socket.destroy();
  return reset;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
