import { describe, expect, test } from 'vitest';
import { makeSecret, type Preface, prefaceStart, readPreface, writePreface } from './preface.ts';

const start = prefaceStart('secret');
const plain: Preface = { wantAccept: false, encrypted: false, port: 0, address: '', target: '/' };

describe('what is written is read', () => {
  test.each<[string, Partial<Preface>]>([
    ['nothing known', {}],
    ['all', { wantAccept: true, encrypted: true, port: 65535, address: '203.0.113.9', target: '/a?b=c' }],
    ['IPv6 with a zone', { address: 'fe80::1%eth0' }],
    ['the asterisk', { target: '*' }],
    ['a target made of separators', { target: '/~,~~1s8,x~/' }],
  ])('%s', (_name, some) => {
    const preface = { ...plain, ...some };
    expect(readPreface(start, writePreface(start, preface))).toEqual(preface);
  });
});

test.each(['a~b', 'a/b', 'a b', 'a\r\nb', 'x'.repeat(65), 'ä'])(
  'an address that is none is left out: %j',
  (address) => {
    expect(readPreface(start, writePreface(start, { ...plain, address }))).toEqual(plain);
  },
);

test.each([
  ['of another secret', '/~secreT~1s1,a~/'],
  ['that is cut', '/~secret~1s1'],
  ['without an end', '/~secret~1s1,a/'],
  ['that is not there', '/path'],
])('no preface is read from one %s', (_name, url) => {
  expect(readPreface(start, url)).toBeNull();
});

test('secrets differ and are long', () => {
  expect(makeSecret()).not.toBe(makeSecret());
  expect(makeSecret()).toMatch(/^[0-9a-f]{24}$/);
});
