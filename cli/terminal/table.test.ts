import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { makePaint } from './paint.ts';
import { plainJson, plainLines, plainText } from './plain.ts';
import { type Cell, type Column, tableLines } from './table.ts';
import { widthOf } from './width.ts';

const plain = makePaint(false);
const columns: readonly Column[] = [
  { title: 'NAME' },
  { title: 'PID', align: 'right', dispensable: 1 },
  { title: 'AGE', align: 'right', dispensable: 2 },
  { title: 'WHAT' },
];
const cells = (...texts: string[]): Cell[] => texts.map((text) => ({ text }));

describe('a table', () => {
  test('has columns as wide as what is in them, and no blanks at the end', () => {
    const rows = [cells('shop', '7', '1 s', 'GET /'), cells('a', '12345', '', '')];
    expect(tableLines(columns, rows, Number.POSITIVE_INFINITY, plain)).toEqual([
      'NAME    PID  AGE  WHAT',
      'shop      7  1 s  GET /',
      'a     12345',
    ]);
  });

  test('leaves out a column in which nothing is', () => {
    expect(tableLines(columns, [cells('shop', '', '1 s', 'x')], 80, plain)).toEqual([
      'NAME  AGE  WHAT',
      'shop  1 s  x',
    ]);
  });

  test('has its titles when there is no row', () => {
    expect(tableLines(columns, [], 80, plain)).toEqual(['NAME  PID  AGE  WHAT']);
  });

  test('gives up what is least important, then cuts the last', () => {
    const rows = [cells('shop', '12345', '10 min', 'x'.repeat(100))];
    expect(tableLines(columns, rows, 45, plain)[0]).toBe('NAME    PID     AGE  WHAT');
    expect(tableLines(columns, rows, 40, plain)[0]).toBe('NAME    PID  WHAT');
    expect(tableLines(columns, rows, 34, plain)).toEqual(['NAME  WHAT', `shop  ${'x'.repeat(27)}…`]);
  });

  test.each([1, 2, 5, 10, 20, 33, 60, 79, 200])(
    'is never wider than %d columns of a terminal, whatever is in it',
    (width) => {
      const rows = [
        cells('名前'.repeat(40), '1', '1 s', '🦊'.repeat(80)),
        cells('shop\u001b[2J', '\u0007', '\u202e', `GET /\r\n\u009b31m${'e\u0301'.repeat(90)}`),
      ];
      for (const paint of [plain, makePaint(true)])
        for (const line of tableLines(columns, rows, width, paint)) expect(widthOf(line)).toBeLessThanOrEqual(width);
    },
  );

  test('paints around what is in a cell, never within its width', () => {
    const rows = [[{ text: 'shop', style: 'bad' as const }, ...cells('1', '', 'x')]];
    const [, row = ''] = tableLines(columns, rows, 80, makePaint(true));
    expect(row).toContain('\u001b[31mshop');
    expect(stripVTControlCharacters(row)).toBe('shop    1  x');
  });
});

describe('what comes from elsewhere does not steer the terminal', () => {
  test.each([
    ['a colour', 'a\u001b[31mb', 'a\\u001b[31mb'],
    ['an eight-bit escape', 'a\u009b2Jb', 'a\\u009b2Jb'],
    ['a title of the window', '\u001b]0;pwned\u0007', '\\u001b]0;pwned\\u0007'],
    ['a line of its own', 'a\r\nb\tc', 'a b c'],
    ['text that turns around', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
    ['what is only letters', 'größe 名前 🦊', 'größe 名前 🦊'],
  ])('%s', (_, text, wanted) => {
    expect(plainText(text)).toBe(wanted);
  });

  test('lines stay lines', () => {
    expect(plainLines('Traceback\n\tx\u001b[A\r\ny\n')).toEqual(['Traceback', '    x\\u001b[A', 'y']);
  });

  test('JSON says the same', () => {
    const value = { path: '/\u001b[31m\u009b\u202e\u2028\n"\\' };
    const text = plainJson(JSON.stringify(value, null, 1));
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  });
});
