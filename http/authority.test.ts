import { expect, test } from 'vitest';
import { isAuthority } from './authority.ts';

test.each([
  'a',
  'a.example',
  'A.EXAMPLE:80',
  'a.example:',
  'a.example:0',
  'a.example:65535',
  'my_service-1.default~x',
  '127.0.0.1:8000',
  '[::1]',
  '[2001:db8::1]:443',
  '[::ffff:1.2.3.4]',
  'caf%C3%A9.example',
  "sub!$&'()*+,;=delims",
])('RFC 3986 §3.2.2: %s is an authority', (text) => {
  expect(isAuthority(text)).toBe(true);
});

test.each([
  ['', 'empty'],
  [':80', 'a port without a host'],
  ['a:65536', 'a port out of range'],
  ['a:000080', 'a port of six digits'],
  ['a:8x', 'letters in the port'],
  ['a:80:80', 'two ports'],
  ['a:-1', 'a signed port'],
  ['me@a', 'userinfo'],
  ['me:pw@a', 'userinfo with a password'],
  ['a/b', 'a path'],
  ['a?b', 'a query'],
  ['a#b', 'a fragment'],
  ['a b', 'a space'],
  ['a\tb', 'a tab'],
  ['a\\b', 'a backslash'],
  ['<a>', 'angle brackets'],
  ['a"b', 'a quote'],
  ['caf\xe9', 'a byte above ASCII'],
  ['a%2', 'a cut percent-encoding'],
  ['a%zz', 'a bad percent-encoding'],
  ['::1', 'IPv6 without brackets'],
  ['[::1', 'no closing bracket'],
  ['::1]', 'no opening bracket'],
  ['[::1]x', 'something behind the bracket'],
  ['[::1]:x', 'a bad port behind the bracket'],
  ['[fe80::1%25eth0]', 'a zone'],
  ['[fe80::1%eth0]', 'a bare zone'],
  ['[v1.x]', 'IPvFuture'],
  ['[a.example]', 'a name in brackets'],
  ['[]', 'nothing in brackets'],
  ['a[::1]', 'brackets inside'],
])('%j is none: %s', (text) => {
  expect(isAuthority(text)).toBe(false);
});
