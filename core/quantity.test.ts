import { expect, test } from 'vitest';
import { formatBytes, formatDuration, parseDuration, parseQuantity } from './quantity.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['1y', 31_536_000_000],
])('parseDuration(%s) is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(['', '30', 's', '1.5s', '-1s', '30 s', '1s x'])('parseDuration(%j) throws', (text) => {
  expect(() => parseDuration(text)).toThrow(RangeError);
});

test.each([
  ['4096', 4096],
  ['0', 0],
  ['1k', 1000],
  ['10Mi', 10 * 2 ** 20],
  ['002Gi', 2 * 2 ** 30],
])('parseQuantity(%s) is %i bytes', (text, bytes) => expect(parseQuantity(text)).toBe(bytes));

test.each(['', 'Mi', '1.5Gi', '10MB', '-1'])('parseQuantity(%j) throws', (text) => {
  expect(() => parseQuantity(text)).toThrow(RangeError);
});

test.each([
  [0, '0s'],
  [90_000, '1m30s'],
  [1_500, '1s500ms'],
])('formatDuration(%i) is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

test('formatBytes', () =>
  expect([0, 1536, 10 * 2 ** 20, 2 ** 30].map(formatBytes)).toEqual(['0 B', '1.5 KiB', '10.0 MiB', '1.0 GiB']));
