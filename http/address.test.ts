import { expect, test } from 'vitest';
import { AddressError, formatAddress, type ListenAddress, parseAddress } from './address.ts';

test.each<[string, ListenAddress]>([
  ['127.0.0.1:8000', { host: '127.0.0.1', port: 8000 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
  ['unix:/run/a.sock', { path: '/run/a.sock' }],
])('%s is read, and written the same', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(address)).toBe(text);
});

test(':8000 means all IPv4 interfaces, as for gunicorn', () => {
  expect(parseAddress(':8000')).toEqual({ host: '0.0.0.0', port: 8000 });
});

test.each([
  ['8000', /no port/],
  ['a:', /port is a number/],
  ['a:65536', /port is a number/],
  ['a:8o', /port is a number/],
  ['::1:80', /in brackets/],
  ['[::1:80', /in brackets/],
  ['[a]:80', /not an IPv6 address/],
  ['http://a:80', /in brackets/],
  ['a b:80', /no host name has/],
  ['unix:run/a.sock', /begins with \//],
  [`unix:/${'a'.repeat(107)}`, /at most 107 bytes/],
  ['unix:/a\0b', /NUL/],
])('%j is refused, with what to write instead', (text, reason) => {
  const error = caught(() => parseAddress(text));
  expect(error).toBeInstanceOf(AddressError);
  expect(error).toMatchObject({ code: 'ADDRESS_INVALID', reason: expect.stringMatching(reason) });
  expect((error as AddressError).mend).toMatch(/host:port/);
});

test('what a person wrote is shown shortened, and cannot forge lines', () => {
  const error = caught(() => parseAddress(`${'x'.repeat(1000)}\nINFO all is well`));
  expect((error as Error).message.length).toBeLessThan(400);
  expect((error as Error).message).not.toContain('\n');
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
