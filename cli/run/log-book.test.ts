import { expect, test } from 'vitest';
import { askLogs, readAskedLogs } from './control-words.ts';
import { isWanted, LogBook, MAX_LINE, MAX_LINES } from './log-book.ts';

const texts = (book: LogBook, tail: number, more = {}): string[] =>
  book.last({ tail, ...more }).map(({ text }) => text);

test('the last lines, of whom and since when is wanted', () => {
  let now = 0;
  const book = new LogBook(() => now);
  for (const text of ['a', 'b', 'c', 'd']) {
    book.take(text === 'b' ? 'proxy' : 'app', text);
    now += 10;
  }
  expect(texts(book, 2)).toEqual(['c', 'd']);
  expect(texts(book, 0)).toEqual([]);
  expect(texts(book, 9, { from: 'app' })).toEqual(['a', 'c', 'd']);
  expect(texts(book, 9, { from: 'proxy' })).toEqual(['b']);
  expect(texts(book, 9, { sinceAt: 20 })).toEqual(['c', 'd']);
  expect(isWanted({ at: 19, from: 'app', text: '' }, { sinceAt: 20 })).toBe(false);
});

test('a flood of lines is bounded, and the latest are there', () => {
  const book = new LogBook(() => 0);
  for (let number = 0; number < 3 * MAX_LINES + 7; number++) book.take('app', String(number));
  const kept = texts(book, MAX_LINES);
  expect(kept).toHaveLength(MAX_LINES);
  expect(kept.at(-1)).toBe(String(3 * MAX_LINES + 6));
});

test('long lines are cut, and do not fill the memory', () => {
  const book = new LogBook(() => 0);
  for (let number = 0; number < 1_000; number++) book.take('app', 'x'.repeat(4 * MAX_LINE));
  const kept = texts(book, MAX_LINES);
  expect(kept.join('').length).toBeLessThan(5 * 1024 * 1024);
  expect(kept.length).toBeGreaterThan(100);
  expect(kept.at(-1)).toMatch(/^x+… \(65536 long\)$/);
});

test('who follows hears until he stops', () => {
  const book = new LogBook(() => 0);
  const heard: string[] = [];
  const stop = book.follow(({ text }) => heard.push(text));
  book.take('app', 'a');
  stop();
  book.take('app', 'b');
  expect(heard).toEqual(['a']);
});

test('what is asked for arrives as it was asked', () => {
  const asked = { name: 'shop & co', tail: 5, follow: true, sinceAt: 12, from: 'proxy' as const };
  expect(readAskedLogs(askLogs(asked))).toEqual(asked);
});

test.each(['', 'tail=-1&since=x&from=nobody', 'tail=1e99&follow=yes', 'tail=%00'])(
  '%j asks for nothing that harms',
  (query) => {
    expect(readAskedLogs(new URLSearchParams(query))).toMatchObject({ name: '', follow: false });
    expect(new LogBook(() => 0).last(readAskedLogs(new URLSearchParams(query)))).toEqual([]);
  },
);
