import { expect, test } from 'vitest';
import { requestHeaders } from './headers.ts';

const KEPT = ['Host', 'x', 'Accept', '*/*', 'X-Length-Of-17-Chr', '1', 'Cookie', 'a=b'];

test('what belongs to the client stays, in order and case', () => {
  expect(requestHeaders(KEPT)).toEqual(KEPT);
});

test.each([
  ['Content-Length', '5'],
  ['Transfer-Encoding', 'chunked'],
  ['EXPECT', '100-continue'],
  ['te', 'trailers'],
  ['Upgrade', 'h2c'],
  ['Trailer', 'X'],
  ['Keep-Alive', 'timeout=5'],
  ['Proxy-Connection', 'close'],
  ['Connection', 'close'],
  ['Connection', 'Keep-Alive'],
])('%s: %s goes', (name, value) => {
  expect(requestHeaders([...KEPT.slice(0, 4), name, value, ...KEPT.slice(4)])).toEqual(KEPT);
});

test('so does what Connection names, but never Host', () => {
  const headers = [
    'Connection',
    'X-Secret, Host,close',
    'connection',
    'x-other',
    'X-SECRET',
    '1',
    'X-Other',
    '2',
    ...KEPT,
  ];
  expect(requestHeaders(headers)).toEqual(KEPT);
});
