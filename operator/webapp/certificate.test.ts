import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { certificateTimes, extractCertificate } from './certificate.ts';

const DAY_MS = 86_400_000;

function makePem(days: number): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  const options = { encoding: 'utf8', stdio } as const;
  return execFileSync('openssl', ['req', '-x509', ...key, '-days', `${days}`, '-subj', '/CN=shop'], options);
}
const secret = (crt: string): Record<string, unknown> => ({ data: { 'tls.crt': Buffer.from(crt).toString('base64') } });
const timesIn = (object: Record<string, unknown>) => {
  const extract = extractCertificate(object);
  return certificateTimes({ state: 'present', hash: '', keys: [], ...(extract !== undefined && { extract }) });
};

test.each([
  ['of a year', 365, 14],
  ['of two days: it is renewed in its last third', 2, 0.5],
])('%s', (_name, days, noticeDays) => {
  const now = Date.now();
  const { expiresAt = 0, dueAt = 0 } = timesIn(secret(makePem(days))) ?? {};
  expect(Math.abs(expiresAt - now - days * DAY_MS)).toBeLessThan(300_000);
  expect(expiresAt - dueAt).toBe(noticeDays * DAY_MS);
});

test('of a chain the first counts', () => {
  const [leaf, issuer] = [makePem(30), makePem(300)];
  expect(timesIn(secret(`${leaf}${issuer}`))).toEqual(timesIn(secret(leaf)));
});

test.each([
  ['nothing', ''],
  ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
  ['half a certificate', '-----BEGIN CERTIFICATE-----\nMIIB'],
  ['a certificate of nonsense', `-----BEGIN CERTIFICATE-----\n${'A'.repeat(4_000)}\n-----END CERTIFICATE-----`],
  ['a megabyte', '\0'.repeat(2 ** 20)],
])('%s is told as unreadable', (_name, text) => {
  expect(extractCertificate(secret(text))).toBe('unreadable');
  expect(timesIn(secret(text))).toBeUndefined();
});

test.each([[{}], [{ data: null }], [{ data: [] }], [{ data: { 'tls.crt': 7 } }], [{ data: { other: 'x' } }]])(
  '%j has none',
  (object) => {
    expect(extractCertificate(object)).toBeUndefined();
  },
);

test.each(['missing', 'unknown'] as const)('%s', (state) => {
  expect(certificateTimes({ state })).toBeUndefined();
});
