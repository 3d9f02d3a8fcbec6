import { expect, test } from 'vitest';
import { cutEnd, lastLines } from './bounded-text.ts';

test.each([
  ['short', 10, 'short'],
  ['0123456789', 10, '0123456789'],
  ['0123456789a', 10, '012345678…'],
  ['01234567🙂9a', 10, '01234567…'],
])('cutEnd(%s, %i)', (text, most, wanted) => {
  expect(cutEnd(text, most)).toBe(wanted);
});

test.each([
  ['a\n\nb\nc\n', 2, 100, 'b\nc'],
  ['', 2, 100, ''],
  ['aaaa\nbbbb', 2, 6, '…\nbbbb'],
  ['a🙂bbb', 1, 5, '…bbb'],
])('lastLines(%j, %i, %i)', (text, count, most, wanted) => {
  expect(lastLines(text, count, most)).toBe(wanted);
});
