// Connections that leave HTTP: WebSocket by hand, through the raw connection that the front uses.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { TestApp } from './test-app.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** RFC 6455 §1.3. */
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

const ECHO = `
  const { createHash } = require('node:crypto');
  const server = require('node:http').createServer((req, res) => res.end('plain'));
  server.on('upgrade', (req, socket, head) => {
    const accept = createHash('sha1').update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
    socket.write(req.url + ' ' + req.socket.remoteAddress + ' ' + req.socket.encrypted + ' ');
    socket.write(head);
    socket.pipe(socket);
  });`;

let app: TestApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});

class Upgraded {
  readonly socket: Socket;
  text = '';
  constructor(of: TestApp, target: string, headers: readonly string[] = []) {
    const socket = of.child.connect?.();
    if (socket === undefined) throw new Error('the runtime carries no upgrades');
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.text += text;
    });
    socket.on('error', () => undefined);
    const lines = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Key: ${KEY}`, ...headers];
    socket.write(`GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  }
  async until(end: string): Promise<void> {
    while (!this.text.endsWith(end)) await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
  }
}

test('a listener of upgrades has the connection, and the client’s address from the proxy', async () => {
  app = await new TestApp({ 'server.js': `${ECHO} server.listen(3000)` }).ready();
  const forwarded = ['X-Forwarded-For: 6.6.6.6, 203.0.113.9', 'X-Forwarded-Proto: https'];
  const upgraded = new Upgraded(app, '/chat?room=1', forwarded);
  await upgraded.until('true ');
  expect(upgraded.text).toContain(`Sec-WebSocket-Accept: ${ACCEPT}\r\n`);
  expect(upgraded.text).toMatch(/\r\n\r\n\/chat\?room=1 203\.0\.113\.9 true $/);
  upgraded.socket.write('to and fro');
  await upgraded.until('to and fro');
  expect((await app.ask()).text).toBe('plain');
});

test('a client cannot write a preface: its target is its target', async () => {
  app = await new TestApp({ 'server.js': `${ECHO} server.listen(3000)` }).ready();
  const upgraded = new Upgraded(app, '/~0123456789abcdef01234567~1s1,6.6.6.6~/chat');
  await upgraded.until('false ');
  expect(upgraded.text).toContain('\r\n\r\n/~0123456789abcdef01234567~1s1,6.6.6.6~/chat undefined false ');
});

test('an exported server and a TLS server take them too', async () => {
  for (const text of [
    `${ECHO} module.exports = server`,
    `${ECHO.replace('node:http', 'node:https')} server.listen(443)`,
  ]) {
    app = await new TestApp({ 'server.js': text }).ready();
    const upgraded = new Upgraded(app, '/a');
    await upgraded.until('false ');
    expect(upgraded.text).toContain('101 Switching Protocols');
    await app.close();
    app = null;
  }
});

test('without a listener it is a request like any other', async () => {
  for (const text of [
    `module.exports = (req, res) => res.end('plain')`,
    `require('node:https').createServer((req, res) => res.end('plain')).listen(443)`,
  ]) {
    app = await new TestApp({ 'server.js': text }).ready();
    const upgraded = new Upgraded(app, '/a');
    await upgraded.until('plain');
    expect(upgraded.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await app.close();
    app = null;
  }
});

test('a stop waits for open ones, tells the application, and ends with the last', async () => {
  const told = `process.on('SIGTERM', () => setTimeout(() => sockets.forEach((socket) => socket.end('goodbye')), 50));
    const sockets = new Set(); server.on('upgrade', (req, socket) => sockets.add(socket)); server.listen(3000)`;
  app = await new TestApp({ 'server.js': ECHO + told }).ready();
  const upgraded = new Upgraded(app, '/a');
  await upgraded.until('false ');
  app.child.stop();
  await upgraded.until('goodbye');
  upgraded.socket.end();
  expect(await app.exited).toEqual({ code: 0, signal: null });
});

test('a stop without a listener for SIGTERM waits until they have gone', async () => {
  app = await new TestApp({ 'server.js': `${ECHO} server.listen(3000)` }).ready();
  const upgraded = new Upgraded(app, '/a');
  await upgraded.until('false ');
  app.child.stop();
  upgraded.socket.write('still there');
  await upgraded.until('still there');
  upgraded.socket.end();
  expect(await app.exited).toEqual({ code: 0, signal: null });
});
