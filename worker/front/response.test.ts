import { describe, expect, test } from 'vitest';
import { cleanReason, contentLength, endToEndHeaders, isEventStream, isFinalStatus } from './response.ts';

describe('hop-by-hop fields of the application stay behind', () => {
  test.each([
    ['Connection', 'close'],
    ['keep-alive', 'timeout=5'],
    ['TE', 'trailers'],
    ['Trailer', 'Expires'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'websocket'],
    ['Proxy-Connection', 'close'],
    ['Proxy-Authenticate', 'Basic'],
    ['proxy-authorization', 'Basic'],
  ])('%s', (name, value) => {
    expect(endToEndHeaders(['X-A', '1', name, value, 'X-B', '2'])).toEqual(['X-A', '1', 'X-B', '2']);
  });

  test('what Connection names, save Content-Length', () => {
    const headers = ['X-Hop', '1', 'Connection', 'x-hop , Content-Length', 'Content-Length', '3', 'X-End', '2'];
    expect(endToEndHeaders(headers)).toEqual(['Content-Length', '3', 'X-End', '2']);
  });

  test('a head without any is not copied, repeats are kept', () => {
    const headers = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Tea', 'x', 'Content-Type', 'text/plain'];
    expect(endToEndHeaders(headers)).toBe(headers);
  });
});

test.each([
  [['Content-Type', 'text/event-stream'], true],
  [['content-type', 'Text/Event-Stream; charset=utf-8'], true],
  [['Content-Type', 'text/plain'], false],
  [['Accept', 'text/event-stream'], false],
  [[], false],
])('event stream %j: %s', (headers, wanted) => expect(isEventStream(headers)).toBe(wanted));

test.each([
  [['Content-Type', 'a', 'content-length', '3'], 3],
  [['Content-Length', '0'], 0],
  [['Content-Type', 'Content-Length'], -1],
])('%j promises %i bytes', (headers, wanted) => expect(contentLength(headers)).toBe(wanted));

test.each([
  ['OK', 'OK'],
  ["I'm a teapot", "I'm a teapot"],
  ['', undefined],
  ['a\r\nSet-Cookie: x', undefined],
  ['\u2713', undefined],
])('reason %j goes on as %j', (reason, wanted) => expect(cleanReason(reason)).toBe(wanted));

test.each([
  [100, false],
  [101, false],
  [199, false],
  [200, true],
  [599, true],
  [999, true],
  [1000, false],
  [Number.NaN, false],
])('final status %d: %s', (status, wanted) => expect(isFinalStatus(status)).toBe(wanted));
