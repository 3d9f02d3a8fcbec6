import { expect, test } from 'vitest';
import { digestContent } from './content-digest.ts';

const secret = { type: 'Opaque', metadata: { labels: { a: '1' } }, data: { b: 'Mg==', a: 'MQ==' } };
const { hash } = digestContent(secret);

test('16 digits, and the names of what is in it', () => {
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(digestContent({ ...secret, binaryData: { aa: 'AA==' } }).keys).toEqual(['a', 'aa', 'b']);
});

test.each<[string, Record<string, unknown>]>([
  ['labels', { ...secret, metadata: { labels: { a: '2' } } }],
  ['the order of keys', { ...secret, data: { a: 'MQ==', b: 'Mg==' } }],
])('%s does not count', (_, object) => expect(digestContent(object).hash).toBe(hash));

test.each<[string, Record<string, unknown>]>([
  ['a value', { ...secret, data: { ...secret.data, a: 'Mg==' } }],
  ['a key', { ...secret, data: { ...secret.data, c: '' } }],
  ['the type', { ...secret, type: 'kubernetes.io/tls' }],
  ['from data to binaryData', { ...secret, data: {}, binaryData: secret.data }],
  ['nothing at all', {}],
])('%s counts', (_, object) => expect(digestContent(object).hash).not.toBe(hash));

test.each([null, 'text', 5, []])('data of another shape is none: %j', (data) =>
  expect(digestContent({ data })).toEqual({ ...digestContent({}), keys: [] }),
);
