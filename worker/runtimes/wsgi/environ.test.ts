import { describe, expect, test } from 'vitest';
import type { BufferedRequest } from '../../slot.ts';
import { EnvironWriter } from './environ.ts';
import { makeRequest } from './sample-request.ts';

function environOf(request: Partial<BufferedRequest>, writer = new EnvironWriter()): Record<string, string> {
  const fields = writer.write(makeRequest(request)).split('\0');
  expect(fields.length % 2).toBe(0);
  const environ: Record<string, string> = {};
  for (let index = 0; index < fields.length; index += 2) {
    const key = fields[index] ?? '';
    expect(environ).not.toHaveProperty([key]); // a repeated key would hide the first
    environ[key] = fields[index + 1] ?? '';
  }
  return environ;
}

test('the whole environ of a plain request', () => {
  expect(environOf({ target: '/a%20b?c=d', headers: ['Host', 'a', 'Accept-Language', 'de'], host: 'a' })).toEqual({
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/a%20b?c=d',
    PATH_INFO: '/a%20b',
    QUERY_STRING: 'c=d',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'a',
    SERVER_PORT: '80',
    REMOTE_ADDR: '192.0.2.7',
    REMOTE_PORT: '4711',
    HTTP_HOST: 'a',
    HTTP_ACCEPT_LANGUAGE: 'de',
  });
});

describe('SERVER_NAME and SERVER_PORT', () => {
  test.each<[string, Partial<BufferedRequest>, string, string]>([
    ['of a name', { host: 'shop' }, 'shop', '80'],
    ['of a name by https', { host: 'shop', scheme: 'https' }, 'shop', '443'],
    ['of a name and port', { host: 'shop:81' }, 'shop', '81'],
    ['of a name and an empty port', { host: 'shop:' }, 'shop', '80'],
    ['of an IPv6 address', { host: '[::1]' }, '[::1]', '80'],
    ['of an IPv6 address and port', { host: '[::1]:81' }, '[::1]', '81'],
    ['without Host', { host: '' }, '192.0.2.1', '8000'],
    [
      'without Host over a Unix socket',
      { host: '', peer: { address: '', port: 0, encrypted: false, localAddress: '', localPort: 0 } },
      'localhost',
      '80',
    ],
  ])('%s', (_name, request, name, port) => {
    expect(environOf(request)).toMatchObject({ SERVER_NAME: name, SERVER_PORT: port });
  });

  test('follow from request to request', () => {
    const writer = new EnvironWriter();
    const ports = ['a:1', 'a:1', 'b:2', 'a:1'].map((host) => environOf({ host }, writer)['SERVER_PORT']);
    expect(ports).toEqual(['1', '1', '2', '1']);
    expect(environOf({ host: 'a', scheme: 'https' }, writer)['SERVER_PORT']).toBe('443');
    expect(environOf({ host: 'a', scheme: 'http' }, writer)['SERVER_PORT']).toBe('80');
  });
});

test('the port of a client behind a proxy is not known', () => {
  expect(environOf({ clientAddress: '203.0.113.9' })).toMatchObject({ REMOTE_ADDR: '203.0.113.9', REMOTE_PORT: '0' });
});

describe('headers', () => {
  test.each<[string, string[], Record<string, string>]>([
    ['a repeated one', ['A', '1', 'B', '2', 'A', '3'], { HTTP_A: '1,3', HTTP_B: '2' }],
    ['a repeated one in other spelling', ['X-Y', '1', 'x-y', '2', 'X-y', '3'], { HTTP_X_Y: '1,2,3' }],
    ['repeated cookies', ['Cookie', 'a=1', 'COOKIE', 'b=2'], { HTTP_COOKIE: 'a=1; b=2' }],
    ['one with an underscore', ['A_B', '1', 'HTTP_COOKIE', '2', 'Content_Type', '3'], {}],
    ['one with an underscore beside its twin', ['A_B', '1', 'A-B', '2'], { HTTP_A_B: '2' }],
    ['Proxy', ['Proxy', '1', 'PROXY', '2', 'proxy', '3'], {}],
    ['Proxy-Authorization', ['Proxy-Authorization', '1'], { HTTP_PROXY_AUTHORIZATION: '1' }],
    ['framing', ['Content-Length', '1', 'Transfer-Encoding', 'chunked', 'CONTENT-LENGTH', '2'], {}],
    ['Content-Type', ['content-type', 'a/b'], { CONTENT_TYPE: 'a/b' }],
    ['Content-Type twice', ['content-type', 'a/b', 'Content-Type', 'c/d'], { CONTENT_TYPE: 'a/b,c/d' }],
    ['an empty value', ['A', ''], { HTTP_A: '' }],
  ])('%s', (_name, headers, wanted) => {
    const writer = new EnvironWriter();
    const bare = environOf({ headers: [] }, writer);
    for (let round = 0; round < 3; round++) expect(environOf({ headers }, writer)).toEqual({ ...bare, ...wanted });
  });

  test('names that clients make up are right beyond what is remembered', () => {
    const writer = new EnvironWriter();
    for (let number = 0; number < 3000; number++) {
      expect(environOf({ headers: [`X-${number}`, 'v'] }, writer)[`HTTP_X_${number}`]).toBe('v');
    }
    const headers = ['X-New', '1', 'x-new', '2', 'Host', 'a', 'A_B', '3'];
    expect(environOf({ headers }, writer)).toMatchObject({ HTTP_X_NEW: '1,2', HTTP_HOST: 'a' });
    expect(environOf({ headers }, writer)).not.toHaveProperty('HTTP_A_B');
  });
});

test('Content-Length is that of the body here, whatever the headers say', () => {
  const headers = ['Content-Length', '999'];
  expect(environOf({ headers, body: Buffer.from('abc') })['CONTENT_LENGTH']).toBe('3');
  expect(environOf({ headers, hasBody: true, bodyBytes: 0 })['CONTENT_LENGTH']).toBe('0');
  expect(environOf({ headers: [] })).not.toHaveProperty('CONTENT_LENGTH');
});
