import { expect, test } from 'vitest';
import { parseRange } from './range.ts';

const part = (first: number, last: number) => ({ kind: 'part', first, last });
const whole = { kind: 'whole' };
const unsatisfiable = { kind: 'unsatisfiable' };

// RFC 9110 §14.1.2, on a file of 1000 bytes.
test.each([
  ['bytes=0-499', part(0, 499)],
  ['bytes=500-999', part(500, 999)],
  ['bytes=-500', part(500, 999)],
  ['bytes=9500-', unsatisfiable],
  ['bytes=0-', part(0, 999)],
  ['bytes=0-0', part(0, 0)],
  ['bytes=-1', part(999, 999)],
  ['bytes=999-', part(999, 999)],
  ['bytes=1000-', unsatisfiable],
  ['bytes=-0', unsatisfiable],
  ['bytes=0-5000', part(0, 999)],
  ['bytes=-5000', part(0, 999)],
  ['BYTES=0-1', part(0, 1)],
  ['bytes= 0-1 ', part(0, 1)],
  ['bytes=0-99999999999999999999999999', part(0, 999)],
  ['bytes=99999999999999999999999999-', unsatisfiable],
  // §14.2: an invalid field and an unknown unit are ignored.
  ['bytes=5-4', whole],
  ['bytes=-', whole],
  ['bytes=a-b', whole],
  ['bytes=1.5-3', whole],
  ['bytes=+1-3', whole],
  ['bytes 0-1', whole],
  ['items=0-1', whole],
  ['', whole],
  // Several: the whole file.
  ['bytes=0-1,3-4', whole],
  ['bytes=0-,0-,0-', whole],
])('%s', (value, answer) => expect(parseRange(value, 1000)).toEqual(answer));

test.each([
  ['bytes=0-', unsatisfiable],
  ['bytes=-5', whole],
])('an empty file: %s', (value, answer) => expect(parseRange(value, 0)).toEqual(answer));
