import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { makeAuthority } from '../testing/certificates.ts';
import { startFakeApiServer } from '../testing/fake-api-server.ts';
import { type Access, makeTransport } from '../transport.ts';
import { kubeconfigAccess } from './kubeconfig.ts';

const log = makeLog(() => {}, Date.now, 'error');
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  file = join(folder, 'config');
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Entry {
  readonly name: string;
  readonly cluster: object;
  readonly user: object;
}

function write(entries: readonly Entry[], current: string, path = file): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: entries.map(({ name, cluster }) => ({ name, cluster })),
    users: entries.map(({ name, user }) => ({ name, user })),
    contexts: entries.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    'current-context': current,
  };
  writeFileSync(path, JSON.stringify(config));
}
const entry = (name: string, user: object = { token: `token-of-${name}` }, cluster: object = {}): Entry => ({
  name,
  cluster: { server: `https://${name}.example:6443`, ...cluster },
  user,
});
/** @returns what a plugin is that says the token in `token-file`, and counts its calls in `calls` */
function plugin(expires?: string): object {
  const script = join(folder, 'plugin.sh');
  const expiry = expires === undefined ? '' : `,\\"expirationTimestamp\\":\\"${expires}\\"`;
  const says = `{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"$(cat ${folder}/token-file)\\"${expiry}}}`;
  writeFileSync(script, `#!/bin/sh\necho call >> ${folder}/calls\necho "${says}"\n`);
  chmodSync(script, 0o755);
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: script, interactiveMode: 'Never' } };
}

test('the current context, another one, and a second file that adds to the first', async () => {
  const second = join(folder, 'second');
  write([entry('one'), entry('two')], 'one');
  write([entry('three')], 'three', second);
  const path = [file, second].join(delimiter);
  for (const [context, name] of [
    [undefined, 'one'],
    ['two', 'two'],
    ['three', 'three'],
  ] as const) {
    const access = await kubeconfigAccess({ path, context });
    expect(access.server.href).toBe(`https://${name}.example:6443/`);
    expect(await access.headers()).toEqual({ Authorization: `Bearer token-of-${name}` });
  }
});

test('CA, server name and user name and password are shown as they are written', async () => {
  const cluster = { 'certificate-authority-data': Buffer.from('PEM').toString('base64'), 'tls-server-name': 'inner' };
  write([entry('one', { username: 'u', password: 'p' }, cluster)], 'one');
  const access = await kubeconfigAccess({ path: file });
  expect(await access.headers()).toEqual({ Authorization: `Basic ${Buffer.from('u:p').toString('base64')}` });
  const tls = access.tls();
  expect(tls).toMatchObject({ ca: Buffer.from('PEM'), servername: 'inner' });
  await access.headers();
  expect(access.tls()).toBe(tls);
});

test.each([
  ['no file', () => {}, {}, /cannot be read .*: name another with --kubeconfig or KUBECONFIG/],
  ['no YAML', () => writeFileSync(file, '{ :'), {}, /cannot be read/],
  ['empty', () => writeFileSync(file, ''), {}, /cannot be read/],
  [
    'no such context',
    () => write([entry('one'), entry('two')], 'one'),
    { context: 'x' },
    /no context x: there are: one, two/,
  ],
  ['no current context', () => write([entry('one')], ''), {}, /no current context: name one; there are: one/],
  ['no URL', () => write([entry('one', {}, { server: 'nonsense' })], 'one'), {}, /no URL: nonsense/],
  ['a proxy', () => write([entry('one', {}, { 'proxy-url': 'http://p' })], 'one'), {}, /proxy-url .* is not supported/],
])('%s is CREDENTIALS with the mend', async (_, prepare, more, message) => {
  prepare();
  const failing = expect.objectContaining({ code: 'CREDENTIALS', message: expect.stringMatching(message) });
  await expect(kubeconfigAccess({ path: file, ...more })).rejects.toEqual(failing);
});

test('a plugin is asked once for many calls, and again when its token is refused', async () => {
  writeFileSync(join(folder, 'token-file'), 'old');
  const fake = await startFakeApiServer();
  fake.requireToken('old');
  write([entry('one', plugin(), { server: fake.url.origin })], 'one');
  let now = 0;
  const transport = transportTo(await kubeconfigAccess({ path: file, clock: { now: () => now, wall: () => 0 } }));
  const ask = () => transport.request({ method: 'GET', path: '/version' });
  await Promise.all(Array.from({ length: 10 }, ask));
  writeFileSync(join(folder, 'token-file'), 'new');
  fake.requireToken('new');
  await expect(ask()).rejects.toMatchObject({ status: 401 });
  now = 1_000;
  await Promise.all(Array.from({ length: 10 }, ask));
  expect(calls()).toBe(2);
  transport.close();
  await fake.close();
});

test('a plugin that fails is CREDENTIALS with what it said', async () => {
  write(
    [
      entry('one', {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: '/bin/sh',
          args: ['-c', 'echo log in first >&2; exit 3'],
        },
      }),
    ],
    'one',
  );
  const access = await kubeconfigAccess({ path: file });
  await expect(access.headers()).rejects.toMatchObject({
    code: 'CREDENTIALS',
    message: expect.stringContaining('log in first'),
  });
});

test('a client certificate is shown to the server, and one that was renewed once the time has passed', async () => {
  const authority = makeAuthority(folder, 'ca');
  const seen: string[] = [];
  const server = createServer(
    { ...authority.issue('server'), ca: authority.ca, requestCert: true },
    (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end('{}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cluster = {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    'certificate-authority': join(folder, 'ca.crt'),
  };
  const show = (name: string): void => {
    const { key, cert } = authority.issue(name);
    writeFileSync(join(folder, 'me.key'), key);
    writeFileSync(join(folder, 'me.crt'), cert);
  };
  write([entry('one', { 'client-certificate': 'me.crt', 'client-key': 'me.key' }, cluster)], 'one');
  show('alice');
  let now = 0;
  const transport = transportTo(await kubeconfigAccess({ path: file, clock: { now: () => now, wall: () => 0 } }));
  await transport.request({ method: 'GET', path: '/' });
  show('bob');
  await transport.request({ method: 'GET', path: '/' });
  now = 10_000;
  await transport.request({ method: 'GET', path: '/' });
  expect(seen).toEqual(['alice', 'alice', 'bob']);
  transport.close();
  await new Promise((resolve) => server.close(resolve));
});

const calls = (): number => readFileSync(join(folder, 'calls'), 'utf8').split('\n').length - 1;

function transportTo(access: Access) {
  return makeTransport({ access, log, clock: systemClock, userAgent: 'test' });
}
