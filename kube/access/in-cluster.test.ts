import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '../testing/certificates.ts';
import type { Access } from '../transport.ts';
import { inClusterAccess } from './in-cluster.ts';

let folder: string;
let ca: string;
let otherCa: string;
let now: number;
let access: Access;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'in-cluster-'));
  ca = makeAuthority(folder, 'one').ca;
  otherCa = makeAuthority(folder, 'two').ca;
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  now = 0;
  give('token', 'first\n');
  give('ca.crt', ca);
  access = inClusterAccess({ host: '10.0.0.1', port: '443', folder, clock: { now: () => now, wall: () => 0 } });
});
const give = (file: string, text: string): void => writeFileSync(join(folder, file), text);

test('token and CA are read again after a minute; what did not change is the same object', () => {
  const [headers, tls] = [access.headers(), access.tls()];
  expect(headers).toEqual({ Authorization: 'Bearer first' });
  expect(tls).toEqual({ ca });
  give('token', 'second');
  now = 59_999;
  expect(access.headers()).toBe(headers);
  now = 60_000;
  expect(access.headers()).toEqual({ Authorization: 'Bearer second' });
  expect(access.tls()).toBe(tls);
  give('ca.crt', otherCa);
  now = 120_000;
  expect(access.tls()).toEqual({ ca: otherCa });
});

test('a refused token is read again at once, but not because an older one was refused', () => {
  const first = access.headers() as Record<string, string>;
  give('token', 'second');
  access.refused?.(first);
  const second = access.headers();
  expect(second).toEqual({ Authorization: 'Bearer second' });
  give('token', 'third');
  access.refused?.(first);
  expect(access.headers()).toBe(second);
});

test.each([
  ['token', ''],
  ['token', 'two words\nand lines'],
  ['ca.crt', ''],
  ['ca.crt', '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n'],
])('%s that holds %j: an error at first, later what was read before holds', (file, text) => {
  give(file, text);
  expect(() => access.headers()).toThrow(
    expect.objectContaining({ code: 'CREDENTIALS', message: expect.stringContaining(join(folder, file)) }),
  );
  give('token', 'first');
  give('ca.crt', ca);
  const headers = access.headers();
  give(file, text);
  now = 60_000;
  expect(access.headers()).toBe(headers);
});

test.each([
  ['10.0.0.1', '443', 'https://10.0.0.1/'],
  ['fd00::1', '6443', 'https://[fd00::1]:6443/'],
  ['kubernetes.default', '6443', 'https://kubernetes.default:6443/'],
])('%s and %s make %s', (host, port, url) => {
  expect(inClusterAccess({ host, port }).server.href).toBe(url);
});

test.each([
  [undefined, '443'],
  ['10.0.0.1', ''],
  ['10.0.0.1', 'tcp://x'],
])('%s and %s are no place', (host, port) => {
  expect(() => inClusterAccess({ host, port })).toThrow(expect.objectContaining({ code: 'CREDENTIALS' }));
});

test('it loads nothing but Node and core: the proxy comes this way', () => {
  const entry = fileURLToPath(new URL('in-cluster.ts', import.meta.url));
  const hooks = `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { console.log(url); return next(url, context); } });
    await import(${JSON.stringify(entry)});`;
  const loaded = execFileSync(process.execPath, ['--input-type=module', '--eval', hooks], { encoding: 'utf8' });
  const files = loaded.split('\n').filter((line) => line.startsWith('file:'));
  const root = new URL('../../', import.meta.url).href;
  expect(files.map((file) => file.replace(root, '')).sort()).toEqual([
    'core/clock.ts',
    'core/errors.ts',
    'kube/access/in-cluster.ts',
    'kube/errors.ts',
  ]);
});
