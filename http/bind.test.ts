import { spawn } from 'node:child_process';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { bindServer } from './bind.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function makeServer(): Server {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  return server;
}

function socketPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'bind-')), 'a.sock');
}

test('port 0 becomes the port that was free', async () => {
  const address = await bindServer(makeServer(), { host: '127.0.0.1', port: 0 });
  expect(address).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
  expect('port' in address && address.port).toBeGreaterThan(0);
});

test('a port in use is named, with how to find who holds it', async () => {
  const taken = await bindServer(makeServer(), { host: '127.0.0.1', port: 0 });
  await expect(bindServer(makeServer(), taken)).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
    message: expect.stringContaining(`sport = :${'port' in taken ? taken.port : ''}`),
  });
});

test('an address of another machine is refused with a mend', async () => {
  // RFC 5737: an address that no machine has.
  await expect(bindServer(makeServer(), { host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
    code: 'ADDRESS_INVALID',
    mend: expect.stringContaining('127.0.0.1'),
  });
});

test('a socket is for its owner and group', async () => {
  const path = socketPath();
  await bindServer(makeServer(), { path });
  expect(statSync(path).mode & 0o777).toBe(0o660);
});

test('a socket that somebody answers on is in use', async () => {
  const path = socketPath();
  await bindServer(makeServer(), { path });
  await expect(bindServer(makeServer(), { path })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
});

test('the socket file of a killed program is taken over', async () => {
  const path = socketPath();
  await leaveStaleSocket(path);
  expect(statSync(path).isSocket()).toBe(true);
  await expect(bindServer(makeServer(), { path })).resolves.toEqual({ path });
});

test('a file that is no socket is not removed', async () => {
  const path = socketPath();
  writeFileSync(path, 'precious');
  await expect(bindServer(makeServer(), { path })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  expect(statSync(path).size).toBe(8);
});

test('a folder that is not there is said', async () => {
  await expect(bindServer(makeServer(), { path: `${socketPath()}/x/y.sock` })).rejects.toMatchObject({
    code: expect.stringMatching(/ADDRESS_(INVALID|DENIED)/),
    mend: expect.stringContaining('folder'),
  });
});

/** A process that is killed leaves its socket file behind; one that closes removes it. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await new Promise((resolve) => spawn(process.execPath, ['-e', script]).on('exit', resolve));
}
