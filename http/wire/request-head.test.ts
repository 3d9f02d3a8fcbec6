import { describe, expect, test } from 'vitest';
import { asksForUpgrade, makeRequestHead } from './request-head.ts';

const GET = { method: 'GET', target: '/a?b=c', headers: ['Host', 'x', 'accept', '*/*'], length: undefined } as const;

describe('framing comes from `length` alone', () => {
  const start = 'GET /a?b=c HTTP/1.1\r\nHost: x\r\naccept: */*\r\n';
  test.each([
    [undefined, `${start}\r\n`],
    [0, `${start}Content-Length: 0\r\n\r\n`],
    [5, `${start}Content-Length: 5\r\n\r\n`],
    [Number.MAX_SAFE_INTEGER, `${start}Content-Length: 9007199254740991\r\n\r\n`],
    [null, `${start}Transfer-Encoding: chunked\r\n\r\n`],
  ])('%s', (length, head) => expect(makeRequestHead({ ...GET, length })).toBe(head));
});

test('values may be empty, hold tabs and octets beyond ASCII; targets may hold octets beyond ASCII', () => {
  const request = { ...GET, target: '/\xe9', headers: ['Host', '', 'A', '\t\xff'] };
  expect(makeRequestHead(request)).toBe('GET /\xe9 HTTP/1.1\r\nHost: \r\nA: \t\xff\r\n\r\n');
});

describe('what could be read as something else is not written', () => {
  test.each([
    ['an empty method', { method: '' }],
    ['a method with a space', { method: 'GET /x' }],
    ['a method with CR LF', { method: 'GET\r\n' }],
    ['CONNECT: its answer has no framing of this kind', { method: 'CONNECT' }],
    ['an empty target', { target: '' }],
    ['a target with a space', { target: '/ HTTP/1.1' }],
    ['a target with CR LF', { target: '/\r\nX: y' }],
    ['a target with NUL', { target: '/\0' }],
    ['a target with DEL', { target: '/\x7f' }],
    ['a target past latin1: its low octet would be written', { target: '/\u010d\u010a' }],
    ['an empty name', { headers: ['', 'x'] }],
    ['a name with a colon', { headers: ['A:', 'x'] }],
    ['a name with a space', { headers: ['A ', 'x'] }],
    ['a name with LF', { headers: ['A\n', 'x'] }],
    ['a name past ASCII', { headers: ['\xc4', 'x'] }],
    ['a value with CR LF', { headers: ['A', 'x\r\nB: y'] }],
    ['a value with bare LF', { headers: ['A', 'x\ny'] }],
    ['a value with bare CR', { headers: ['A', 'x\ry'] }],
    ['a value with NUL', { headers: ['A', '\0'] }],
    ['a value past latin1: its low octets would be CR LF', { headers: ['A', 'x\u010d\u010aB: y'] }],
    ['a name without a value', { headers: ['A'] }],
    ['a second length', { headers: ['content-LENGTH', '5'], length: 5 }],
    ['a length beside chunked', { headers: ['Content-Length', '5'], length: null }],
    ['a coding', { headers: ['Transfer-Encoding', 'chunked'] }],
    ['a negative length', { length: -1 }],
    ['a length that is no integer', { length: 1.5 }],
    ['a length that is no number', { length: Number.NaN }],
    ['a length past the safe integers', { length: 2 ** 53 }],
  ])('%s', (_name, change) => {
    expect(() => makeRequestHead({ ...GET, ...change })).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});

test('an upgrade is asked for by the field of that name in any case', () => {
  expect(asksForUpgrade(['Host', 'x', 'uPGRADE', 'websocket'])).toBe(true);
  expect(asksForUpgrade(['Upgrades', 'x', 'Host', 'Upgrade'])).toBe(false);
});
