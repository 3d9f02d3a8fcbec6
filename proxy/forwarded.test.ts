import { describe, expect, test } from 'vitest';
import type { Peer } from '../http/exchange.ts';
import { addForwarded, isForwardedName } from './forwarded.ts';

const peer: Peer = {
  address: '192.0.2.60',
  port: 50_000,
  encrypted: false,
  localAddress: '192.0.2.1',
  localPort: 8080,
};

const written = (of: Partial<Peer>, host: string): string[] => {
  const headers: string[] = [];
  addForwarded(headers, { ...peer, ...of }, host);
  return headers;
};

describe('names under which a client may lie', () => {
  test.each([
    'Forwarded',
    'forwarded',
    'Forwarded-For',
    'X-Forwarded',
    'X-Forwarded-For',
    'x-FORWARDED-for',
    'X-Forwarded-Proto',
    'X-Forwarded-Protocol',
    'X-Forwarded-Ssl',
    'X-Forwarded-Prefix',
    'X-Forwarded-Anything',
    'X.Forwarded.For',
    'X-Real-IP',
    'x.real.ip',
    'X-Client-IP',
    'Client-IP',
    'X-Cluster-Client-Ip',
  ])('%s is dropped', (name) => expect(isForwardedName(name)).toBe(true));

  test.each([
    'X-Requested-With',
    'X-For',
    'Forward',
    'From',
    'X-Real-Name',
    'Cookie',
    'Content-Type',
    'X-CSRF-Token',
    '',
  ])('%s is kept', (name) => expect(isForwardedName(name)).toBe(false));
});

describe('what is written', () => {
  test('IPv4', () => {
    expect(written({}, 'shop.example.com')).toEqual([
      'X-Forwarded-For',
      '192.0.2.60',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'shop.example.com',
      'X-Forwarded-Port',
      '80',
      'Forwarded',
      'for=192.0.2.60;host=shop.example.com;proto=http',
    ]);
  });

  // RFC 7239 §4 (quoted-string) and §6 (node identifiers).
  test.each([
    [{ address: '2001:db8::17' }, 'a.example', 'for="[2001:db8::17]";host=a.example;proto=http', '80'],
    [{ address: '::ffff:192.0.2.7' }, 'a.example', 'for=192.0.2.7;host=a.example;proto=http', '80'],
    [{ address: 'fe80::1%eth0' }, 'a.example', 'for="[fe80::1]";host=a.example;proto=http', '80'],
    [{ encrypted: true }, 'a.example', 'for=192.0.2.60;host=a.example;proto=https', '443'],
    [{}, 'a.example:8443', 'for=192.0.2.60;host="a.example:8443";proto=http', '8443'],
    [{}, '[2001:db8::1]', 'for=192.0.2.60;host="[2001:db8::1]";proto=http', '80'],
    [{}, '[2001:db8::1]:81', 'for=192.0.2.60;host="[2001:db8::1]:81";proto=http', '81'],
    [{}, 'a.example:', 'for=192.0.2.60;host="a.example:";proto=http', '80'],
    [{}, '', 'for=192.0.2.60;proto=http', undefined],
    [{ address: '' }, 'a.example', 'for=unknown;host=a.example;proto=http', '80'],
  ])('%j asking for %j: %s', (of, host, forwarded, port) => {
    const headers = written(of, host);
    const value = (name: string) => headers[headers.indexOf(name) + 1];
    expect(value('Forwarded')).toBe(forwarded);
    expect(headers.includes('X-Forwarded-Port') ? value('X-Forwarded-Port') : undefined).toBe(port);
  });

  test('over a Unix socket no address is made up', () => {
    expect(written({ address: '' }, 'a.example')).not.toContain('X-Forwarded-For');
  });
});
