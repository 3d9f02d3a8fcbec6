import { describe, expect, test } from 'vitest';
import { httpAttributes, isFailure, type SpannedRequest, spanName } from './http-attributes.ts';

const REQUEST: SpannedRequest = {
  ...{ method: 'GET', target: '/', host: '', scheme: 'https', version: '1.1', status: 200, fault: '', requestId: 'id' },
};

describe('a request in the words of the conventions', () => {
  test.each<[string, Partial<SpannedRequest>, object]>([
    ['the query is left out', { target: '/a?password=x' }, { 'url.path': '/a' }],
    ['a host with its port', { host: 'a.example:8443' }, { 'server.address': 'a.example', 'server.port': 8443 }],
    ['a host of IPv6', { host: '[::1]:80' }, { 'server.address': '::1', 'server.port': 80 }],
    [
      'a method that a client made up',
      { method: 'BREW' },
      { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
    ],
    ['what is long is cut', { target: `/${'a'.repeat(5_000)}` }, { 'url.path': `/${'a'.repeat(1_023)}` }],
    ['a status that is our failure', { status: 502 }, { 'http.response.status_code': 502, 'error.type': '502' }],
    ['a fault has a word of its own', { status: 503, fault: 'QUEUE_FULL' }, { 'error.type': 'QUEUE_FULL' }],
  ])('%s', (_, more, wanted) => {
    expect(httpAttributes({ ...REQUEST, ...more })).toMatchObject(wanted);
  });

  test('what is not known is not said', () => {
    const told = httpAttributes({ ...REQUEST, status: 0 });
    for (const name of ['http.response.status_code', 'server.address', 'server.port', 'error.type', 'webapp.fault'])
      expect(told).not.toHaveProperty(name);
  });
});

test.each([
  ['an answer', 200, '', false],
  ['the client’s mistake', 404, '', false],
  ['the client’s mistake that we found', 413, 'BODY_TOO_LARGE', false],
  ['the application’s failure', 500, '', true],
  ['an answer that was cut off', 200, 'UPSTREAM_CLOSED', true],
])('%s', (_, status, fault, wanted) => {
  expect(isFailure(status, fault)).toBe(wanted);
});

test('names are few: what a client makes up is none', () => {
  expect([spanName('POST'), spanName('BREW')]).toEqual(['POST', 'HTTP']);
});
