import { expect, test } from 'vitest';
import { formatHttpDate, parseHttpDate } from './http-date.ts';

const now = Date.UTC(2026, 10, 22);
const example = Date.UTC(1994, 10, 6, 8, 49, 37);

// RFC 9110 §5.6.7, its three examples.
test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
  '%s is read',
  (text) => expect(parseHttpDate(text, now)).toBe(example),
);

test.each([
  ['Friday, 01-Jan-76 00:00:00 GMT', 2076],
  ['Friday, 01-Jan-77 00:00:00 GMT', 1977],
])('%s is in %d', (text, year) => expect(new Date(parseHttpDate(text, now)).getUTCFullYear()).toBe(year));

test.each([
  '',
  'yesterday',
  '0',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 06 Nuv 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 25:49:37 GMT',
  'Sun, 06 Nov 1994 08:61:37 GMT',
  ' Sun, 06 Nov 1994 08:49:37 GMT',
])('%j is no date', (text) => expect(parseHttpDate(text, now)).toBeNaN());

test('written as IMF-fixdate', () => expect(formatHttpDate(example + 999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT'));
