import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

function split(bytes: Buffer, size: number, maxBytes = 1_000_000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), maxBytes);
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
  return lines;
}

test.each([1, 2, 3, 5, 7, 1_000])('chunks of %i bytes give the same lines', (size) => {
  const text = 'a\n\näöü€\n😀😀\nlast without an end';
  expect(split(Buffer.from(text), size)).toEqual(['a', 'äöü€', '😀😀']);
});

test('a line at the bound passes, one byte more throws, whether it has an end or not', () => {
  expect(split(Buffer.from(`${'x'.repeat(100)}\n`), 7, 100)).toHaveLength(1);
  expect(() => split(Buffer.from(`${'x'.repeat(101)}\n`), 200, 100)).toThrow(/longer than 100 bytes/);
  expect(() => split(Buffer.from('x'.repeat(101)), 7, 100)).toThrow(/longer than 100 bytes/);
});

test('a long line in many chunks is put together once: each byte is copied once', () => {
  const concat = Buffer.concat;
  let copied = 0;
  Buffer.concat = (list, length) => {
    const joined = concat(list, length);
    copied += joined.length;
    return joined;
  };
  try {
    expect(split(Buffer.from(`${'x'.repeat(100_000)}\n`), 100)).toHaveLength(1);
  } finally {
    Buffer.concat = concat;
  }
  expect(copied).toBe(100_000);
});
