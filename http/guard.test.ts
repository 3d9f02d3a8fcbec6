import { describe, expect, test } from 'vitest';
import { FAULTS, type FaultCode } from '../core/errors.ts';
import { guardRequest } from './guard.ts';

interface Head {
  method?: string;
  target?: string;
  version?: string;
  /** Beside `Host: a.example`, unless it has a Host of its own. */
  fields?: string[];
  host?: false;
}

function guard({ method = 'GET', target = '/', version = '1.1', fields = [], host }: Head) {
  return guardRequest(method, target, version, host === false ? fields : ['Host', 'a.example', ...fields]);
}

const REFUSED: [section: string, what: string, head: Head, fault: FaultCode][] = [
  ['RFC 9110 §15.6.6', 'HTTP/0.9', { version: '0.9' }, 'VERSION_UNSUPPORTED'],
  ['RFC 9110 §15.6.6', 'HTTP/2.0 in the clear', { version: '2.0' }, 'VERSION_UNSUPPORTED'],
  ['RFC 9110 §15.6.6', 'HTTP/1.2', { version: '1.2' }, 'VERSION_UNSUPPORTED'],

  ['RFC 9110 §9.1', 'no method', { method: '' }, 'METHOD_INVALID'],
  ['RFC 9110 §9.1', 'a method with a separator', { method: 'GE/T' }, 'METHOD_INVALID'],
  ['RFC 9110 §9.3.6', 'CONNECT', { method: 'CONNECT', target: 'a.example:443' }, 'METHOD_UNSUPPORTED'],
  ['RFC 9110 §9.3.8', 'TRACE', { method: 'TRACE' }, 'METHOD_UNSUPPORTED'],

  ['RFC 9112 §3.2', 'no target', { target: '' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2.1', 'a target without its slash', { target: 'index.html' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2.3', 'authority-form', { target: 'a.example:80' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2.4', '* for GET', { target: '*' }, 'TARGET_ASTERISK'],
  ['RFC 9112 §3.2.4', '* and more for OPTIONS', { method: 'OPTIONS', target: '*/' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2', 'a fragment', { target: '/a#b' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2', 'a space', { target: '/a b' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2', 'a tab', { target: '/a\tb' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2', 'a line end', { target: '/a\r\nX: y' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2', 'a NUL', { target: '/a\0' }, 'TARGET_INVALID'],
  ['RFC 3986 §2.1', 'a byte above ASCII', { target: '/caf\xe9' }, 'TARGET_INVALID'],
  ['RFC 3986 §2.1', 'DEL', { target: '/\x7f' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2.2', 'a scheme that is not ours', { target: 'ftp://a.example/' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2.2', 'a scheme without authority', { target: 'http:/a' }, 'TARGET_INVALID'],
  ['RFC 9110 §4.2.1', 'an empty authority', { target: 'http:///a' }, 'TARGET_INVALID'],
  ['RFC 9110 §4.2.4', 'userinfo in the target', { target: 'http://me@a.example/' }, 'TARGET_INVALID'],
  ['RFC 3986 §3.2.3', 'a bad port in the target', { target: 'http://a.example:8x/' }, 'TARGET_INVALID'],
  ['RFC 9112 §3.2.2', 'absolute-form for a backslash host', { target: 'http://a.example\\@b/' }, 'TARGET_INVALID'],

  ['RFC 9112 §3.2', 'no Host in 1.1', { host: false }, 'HOST_MISSING'],
  ['RFC 9112 §3.2', 'no Host beside absolute-form', { host: false, target: 'http://a.example/' }, 'HOST_MISSING'],
  ['RFC 9112 §3.2', 'two Hosts', { fields: ['host', 'b.example'] }, 'HOST_REPEATED'],
  ['RFC 9112 §3.2', 'two equal Hosts', { fields: ['HOST', 'a.example'] }, 'HOST_REPEATED'],
  ['RFC 9112 §3.2', 'two Hosts in 1.0', { version: '1.0', fields: ['Host', 'b'] }, 'HOST_REPEATED'],
  ['RFC 9110 §4.2.1', 'an empty Host in 1.1', { host: false, fields: ['Host', ''] }, 'HOST_INVALID'],
  ['RFC 9110 §4.2.4', 'userinfo in Host', { host: false, fields: ['Host', 'me@a.example'] }, 'HOST_INVALID'],
  ['RFC 3986 §3.2.2', 'two hosts in one', { host: false, fields: ['Host', 'a.example b.example'] }, 'HOST_INVALID'],
  ['RFC 3986 §3.2.2', 'a path in Host', { host: false, fields: ['Host', 'a.example/x'] }, 'HOST_INVALID'],
  ['RFC 3986 §3.2.3', 'a port out of range', { host: false, fields: ['Host', 'a.example:65536'] }, 'HOST_INVALID'],
  [
    'RFC 9112 §3.2',
    'a bad Host behind absolute-form',
    { host: false, target: 'http://a.example/', fields: ['Host', 'a b'] },
    'HOST_INVALID',
  ],

  ['RFC 9110 §5.1', 'an empty name', { fields: ['', 'x'] }, 'HEADER_NAME_INVALID'],
  ['RFC 9112 §5.1', 'a space before the colon', { fields: ['Content-Length ', '5'] }, 'HEADER_NAME_INVALID'],
  ['RFC 9110 §5.1', 'a separator in a name', { fields: ['X(y)', 'x'] }, 'HEADER_NAME_INVALID'],
  ['RFC 9110 §5.1', 'a byte above ASCII in a name', { fields: ['X-\xe9', 'x'] }, 'HEADER_NAME_INVALID'],
  ['RFC 9110 §5.1', 'a line end in a name', { fields: ['X\r\nY', 'x'] }, 'HEADER_NAME_INVALID'],
  ['RFC 9110 §5.5', 'a NUL in a value', { fields: ['X', 'a\0b'] }, 'HEADER_VALUE_INVALID'],
  ['RFC 9110 §5.5', 'a CR in a value', { fields: ['X', 'a\rb'] }, 'HEADER_VALUE_INVALID'],
  ['RFC 9110 §5.5', 'an LF in a value', { fields: ['X', 'a\nb'] }, 'HEADER_VALUE_INVALID'],
  ['RFC 9110 §5.5', 'DEL in a value', { fields: ['X', 'a\x7f'] }, 'HEADER_VALUE_INVALID'],
  ['RFC 9110 §5.5', 'a character that is no byte', { fields: ['X', '\u{20ac}'] }, 'HEADER_VALUE_INVALID'],
  ['RFC 9110 §5.5', 'a NUL in the value of a dropped name', { fields: ['X_Y', '\0'] }, 'HEADER_VALUE_INVALID'],

  [
    'RFC 9112 §6.3',
    'two lengths',
    { fields: ['Content-Length', '5', 'content-length', '6'] },
    'CONTENT_LENGTH_REPEATED',
  ],
  [
    'RFC 9112 §6.3',
    'two equal lengths',
    { fields: ['Content-Length', '5', 'Content-Length', '5'] },
    'CONTENT_LENGTH_REPEATED',
  ],
  ['RFC 9112 §6.3', 'a list of lengths', { fields: ['Content-Length', '5, 5'] }, 'CONTENT_LENGTH_INVALID'],
  ['RFC 9110 §8.6', 'an empty length', { fields: ['Content-Length', ''] }, 'CONTENT_LENGTH_INVALID'],
  ['RFC 9110 §8.6', 'a signed length', { fields: ['Content-Length', '+5'] }, 'CONTENT_LENGTH_INVALID'],
  ['RFC 9110 §8.6', 'a negative length', { fields: ['Content-Length', '-5'] }, 'CONTENT_LENGTH_INVALID'],
  ['RFC 9110 §8.6', 'a hexadecimal length', { fields: ['Content-Length', '0x5'] }, 'CONTENT_LENGTH_INVALID'],
  ['RFC 9110 §8.6', 'a broken length', { fields: ['Content-Length', '5.0'] }, 'CONTENT_LENGTH_INVALID'],
  ['RFC 9110 §8.6', 'no number holds it', { fields: ['Content-Length', '9'.repeat(16)] }, 'CONTENT_LENGTH_INVALID'],
  [
    'RFC 9110 §8.3',
    'two types',
    { fields: ['Content-Type', 'text/plain', 'content-type', 'text/html'] },
    'CONTENT_TYPE_REPEATED',
  ],
  [
    'RFC 9112 §6.1',
    'chunked in 1.0',
    { version: '1.0', fields: ['Transfer-Encoding', 'chunked'] },
    'TRANSFER_ENCODING_IN_1_0',
  ],
  [
    'RFC 9112 §6.1',
    'chunked behind a length',
    { fields: ['Content-Length', '5', 'Transfer-Encoding', 'chunked'] },
    'TRANSFER_ENCODING_WITH_LENGTH',
  ],
  [
    'RFC 9112 §6.1',
    'chunked before a length',
    { fields: ['Transfer-Encoding', 'chunked', 'Content-Length', '0'] },
    'TRANSFER_ENCODING_WITH_LENGTH',
  ],
  ['RFC 9112 §6.1', 'gzip', { fields: ['Transfer-Encoding', 'gzip'] }, 'TRANSFER_ENCODING_UNKNOWN'],
  ['RFC 9112 §6.1', 'gzip, chunked', { fields: ['Transfer-Encoding', 'gzip, chunked'] }, 'TRANSFER_ENCODING_UNKNOWN'],
  ['RFC 9112 §6.1', 'identity', { fields: ['Transfer-Encoding', 'identity'] }, 'TRANSFER_ENCODING_UNKNOWN'],
  ['RFC 9112 §6.1', 'empty', { fields: ['Transfer-Encoding', ''] }, 'TRANSFER_ENCODING_UNKNOWN'],
  ['RFC 9112 §7.1', 'a parameter', { fields: ['Transfer-Encoding', 'chunked;q=1'] }, 'TRANSFER_ENCODING_UNKNOWN'],
  ['RFC 9112 §6.1', 'xchunked', { fields: ['Transfer-Encoding', 'xchunked'] }, 'TRANSFER_ENCODING_UNKNOWN'],
  [
    'RFC 9112 §6.1',
    'chunked twice',
    { fields: ['Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked'] },
    'TRANSFER_ENCODING_UNKNOWN',
  ],
  ['RFC 9110 §10.1.1', 'another expectation', { fields: ['Expect', 'tea'] }, 'EXPECTATION_UNKNOWN'],
];

describe('refused', () => {
  test.each(REFUSED)('%s: %s', (_section, _what, head, fault) => {
    expect(guard(head).fault).toBe(fault);
    expect(FAULTS[fault].status).toBeGreaterThanOrEqual(400);
  });
});

const TARGETS: [section: string, method: string, target: string, wanted: string, host: string][] = [
  ['RFC 9112 §3.2.1', 'GET', '/', '/', 'a.example'],
  ['RFC 9112 §3.2.1', 'GET', '/a%20b?c=d|e', '/a%20b?c=d|e', 'a.example'],
  ['RFC 9112 §3.2.1', 'GET', '//b.example/x', '//b.example/x', 'a.example'],
  ['RFC 9112 §3.2.1', 'GET', '/http://b.example/', '/http://b.example/', 'a.example'],
  ['RFC 9112 §3.2.4', 'OPTIONS', '*', '*', 'a.example'],
  ['RFC 9112 §3.2.2', 'GET', 'http://b.example/x?y', '/x?y', 'b.example'],
  ['RFC 9112 §3.2.2', 'GET', 'HTTPS://b.example:8443/x', '/x', 'b.example:8443'],
  ['RFC 9112 §3.2.2', 'GET', 'http://[::1]:80/x', '/x', '[::1]:80'],
  ['RFC 9112 §3.2.2', 'GET', 'http://b.example', '/', 'b.example'],
  ['RFC 9112 §3.2.2', 'GET', 'http://b.example?x', '/?x', 'b.example'],
  ['RFC 9112 §3.2.4', 'OPTIONS', 'http://b.example', '*', 'b.example'],
];

test.each(TARGETS)('%s: %s %s is %s of %s', (_section, method, target, wanted, host) => {
  const judged = guard({ method, target, fields: ['X', 'y'] });
  expect(judged).toMatchObject({ fault: null, target: wanted, host, headers: ['Host', host, 'X', 'y'] });
});

test('an absolute-form target of HTTP/1.0 brings the Host that the request lacks', () => {
  const judged = guard({ target: 'http://b.example/', version: '1.0', host: false });
  expect(judged).toMatchObject({ fault: null, host: 'b.example', headers: ['Host', 'b.example'] });
});

test.each([
  [[], ''],
  [['Host', ''], ''],
  [['Host', 'a'], 'a'],
])('HTTP/1.0 with fields %j has the host "%s"', (fields, host) => {
  expect(guard({ version: '1.0', host: false, fields })).toMatchObject({ fault: null, host });
});

test('fields without underscores are passed as they are, without a copy', () => {
  const raw = ['Host', 'a', 'X-Y', '1', 'x-y', '2', 'Cookie', 'caf\xe9\t='];
  expect(guardRequest('GET', '/', '1.1', raw).headers).toBe(raw);
});

test('names with an underscore are dropped and counted: WSGI could not tell them from those with a dash', () => {
  const fields = ['X_Forwarded_For', '6.6.6.6', 'A', '1', 'Content_Length', '5', 'B', '2', '_', '3'];
  expect(guard({ fields })).toMatchObject({
    fault: null,
    headers: ['Host', 'a.example', 'A', '1', 'B', '2'],
    dropped: 3,
    length: 0,
  });
});

test.each<[string[], number | null]>([
  [[], 0],
  [['Content-Length', '0'], 0],
  [['CONTENT-LENGTH', '0012'], 12],
  [['Content-Length', '999999999999999'], 999_999_999_999_999],
  [['Transfer-Encoding', 'chunked'], null],
  [['TRANSFER-ENCODING', 'Chunked'], null],
])('the body of %j has length %s', (fields, length) => {
  expect(guard({ method: 'POST', fields })).toMatchObject({ fault: null, length });
});

test.each<[string, string[], boolean]>([
  ['1.1', ['Expect', '100-Continue', 'Content-Length', '5'], true],
  ['1.1', ['Content-Length', '5', 'Expect', '100-continue'], true],
  ['1.1', ['Expect', '100-continue'], false],
  ['1.0', ['Expect', '100-continue', 'Content-Length', '5'], false],
])('RFC 9110 §10.1.1: HTTP/%s %j waits for 100: %s', (version, fields, waits) => {
  expect(guard({ method: 'POST', version, fields }).expectsContinue).toBe(waits);
});

test.each(['M-SEARCH', 'PROPFIND', 'x!y'])('the method %s is a token and goes on', (method) => {
  expect(guard({ method }).fault).toBe(null);
});

test('the name of the field with a bad value is told, without the value', () => {
  expect(guard({ fields: ['X-Bad', 'a\0'] }).detail).toBe('X-Bad');
});

test('bytes of the head are counted, so that a limit can be held', () => {
  expect(guard({ target: '/abc', fields: ['X', '12345'] }).headBytes).toBe(4 + (4 + 9 + 4) + (1 + 5 + 4));
});
