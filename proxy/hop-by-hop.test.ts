import { describe, expect, test } from 'vitest';
import { isHopByHop, isPlainConnection, isSameName, withoutListed } from './hop-by-hop.ts';

describe('RFC 9110 §7.6.1: fields of one connection', () => {
  const ends = [
    'Connection',
    'cOnNeCtIoN',
    'Keep-Alive',
    'Proxy',
    'Proxy-Connection',
    'proxy-authorization',
    'Proxy-Authenticate',
    'Proxy-Anything',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'TRANSFER-ENCODING',
    'Upgrade',
  ];
  test.each(ends)('%s ends here', (name) => expect(isHopByHop(name)).toBe(true));

  const goesOn = [
    'Content-Length',
    'Content-Type',
    'Cookie',
    'Host',
    'Upgrade-Insecure-Requests',
    'User-Agent',
    'Tea',
    'Proxyx',
    'Trailers',
    'X-Connection',
    'Connectio',
    '',
    // One bit away from the name's letters: `| 0x20` alone would take these for it.
    'T\x45\x00',
    'trailes',
    'connectIoN\x00',
    '\x43onnect\x09on',
  ];
  test.each(goesOn)('%j goes on', (name) => expect(isHopByHop(name)).toBe(false));
});

test('names are compared without case, and bytes that merely differ by 0x20 are not letters', () => {
  expect(isSameName('Keep-Alive', 'keep-alive')).toBe(true);
  expect(isSameName('Keep\rAlive', 'keep-alive')).toBe(false);
  expect(isSameName('Keep-\x01live', 'keep-alive')).toBe(false);
});

test.each([
  ['close', true],
  ['Keep-Alive', true],
  ['Upgrade', true],
  ['keep-alive, Upgrade', false],
  ['X-Thing', false],
  ['', false],
])('Connection: %j names no field: %j', (value, plain) => expect(isPlainConnection(value)).toBe(plain));

describe('fields that Connection names', () => {
  test('go, in any case and with any space', () => {
    const headers = ['A', '1', 'X-Secret-Hop', '2', 'x-other', '3', 'B', '4'];
    expect(withoutListed(headers, 'close , x-secret-hop,X-OTHER')).toEqual(['A', '1', 'B', '4']);
  });

  test.each([
    'Host',
    'Content-Length',
    'Content-Type',
    'Authorization',
    'Cookie',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Request-Id',
  ])('stay when they are needed: %s (CVE-2024-45410)', (name) => {
    expect(withoutListed([name, 'v'], `close, ${name}`)).toEqual([name, 'v']);
  });
});
