import { expect, test } from 'vitest';
import { acceptedCodings } from './coding.ts';

// RFC 9110 §12.5.3.
test.each([
  [undefined, []],
  ['', []],
  ['gzip, deflate, br, zstd', ['br', 'zstd', 'gzip']],
  ['gzip, deflate', ['gzip']],
  ['x-gzip', ['gzip']],
  ['GZIP', ['gzip']],
  ['*', ['br', 'zstd', 'gzip']],
  ['br;q=0.5, gzip;q=0.9', ['gzip', 'br']],
  ['br;q=0, *', ['zstd', 'gzip']],
  ['gzip;q=0', []],
  ['identity', []],
  ['identity;q=1, *;q=0', []],
  ['identity;q=0.5, gzip;q=0.4', []],
  ['identity;q=0, gzip;q=0.4', ['gzip']],
  ['gzip;q=7', []],
  ['gzip ; q=0.3', ['gzip']],
  ['compress', []],
  [`gzip,${'a,'.repeat(500)}`, []],
])('%s', (value, codings) => expect(acceptedCodings(value)).toEqual(codings));
