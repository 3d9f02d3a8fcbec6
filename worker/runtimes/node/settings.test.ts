import { describe, expect, test } from 'vitest';
import { Lines, MAX_LINE } from './settings.ts';

describe('lines of a byte stream', () => {
  const cases: [string, string[], string[]][] = [
    ['whole', ['a\nb\n'], ['a', 'b']],
    ['in pieces', ['a', 'b', 'c\nd', '\n'], ['abc', 'd']],
    ['unfinished', ['abc'], []],
    ['too long at once', ['x'.repeat(MAX_LINE + 1), 'y\nnext\n'], ['next']],
    ['too long, bit by bit', [...Array(3).fill('x'.repeat(MAX_LINE / 2)), 'z\nnext\n'], ['next']],
    ['longest', [`${'x'.repeat(MAX_LINE)}\n`], ['x'.repeat(MAX_LINE)]],
  ];
  test.each(cases)('%s', (_name, pieces, expected) => {
    const lines = new Lines();
    expect(pieces.flatMap((piece) => lines.push(piece))).toEqual(expected);
  });
});
