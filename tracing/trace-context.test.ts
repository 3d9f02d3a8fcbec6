import { describe, expect, test } from 'vitest';
import {
  formatTraceparent,
  parseTraceparent,
  parseTracestate,
  RANDOM,
  readTraceContext,
  SAMPLED,
} from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('a traceparent is taken', () => {
  test.each([
    ['the Recommendation’s example, sampled', `00-${TRACE}-${PARENT}-01`, SAMPLED],
    ['its example, not sampled', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00', 0],
    ['with the random bit', `00-${TRACE}-${PARENT}-03`, SAMPLED | RANDOM],
    ['bits that nobody knows are let go', `00-${TRACE}-${PARENT}-ff`, SAMPLED | RANDOM],
    ['a later version, as long as this one', `cc-${TRACE}-${PARENT}-01`, SAMPLED],
    ['a later version with more behind it', `cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, SAMPLED],
    ['a later version that ends in a dash', `01-${TRACE}-${PARENT}-01-`, SAMPLED],
  ])('%s', (_, value, flags) => {
    const [, traceId, parentId] = value.split('-');
    expect(parseTraceparent(value)).toEqual({ traceId, parentId, flags, tracestate: '' });
  });
});

describe('a traceparent is refused', () => {
  test.each([
    ['empty', ''],
    ['version ff', `ff-${TRACE}-${PARENT}-01`],
    ['version 00 with more behind it', `00-${TRACE}-${PARENT}-01-x`],
    ['version 00 with a dash behind it', `00-${TRACE}-${PARENT}-01-`],
    ['a later version with something else behind it', `cc-${TRACE}-${PARENT}-01.what`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['a version that is no hexadecimal', `.0-${TRACE}-${PARENT}-01`],
    ['flags that are none', `00-${TRACE}-${PARENT}-.1`],
    ['flags of one digit', `00-${TRACE}-${PARENT}-1`],
    ['a trace id that is short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['a trace id that is long', `00-${TRACE}0-${PARENT}-01`],
    ['a parent id that is short', `00-${TRACE}-${PARENT.slice(1)}-01`],
    ['two in one', `00-${TRACE}-${PARENT}-01,00-${TRACE}-${PARENT}-01`],
    ['blanks around', ` 00-${TRACE}-${PARENT}-01`],
    ['a line end', `00-${TRACE}-${PARENT}-01\n`],
    ['a line end behind a later version', `cc-${TRACE}-${PARENT}-01-a\nb`],
    ['digits of another script', `00-${TRACE}-${PARENT}-0１`],
    ['a long one', `00-${'a'.repeat(1_000_000)}`],
  ])('%s', (_, value) => {
    expect(parseTraceparent(value)).toBeNull();
  });
});

test('what goes on is of version 00, with the bits that are known', () => {
  expect(formatTraceparent(TRACE, PARENT, 0xff)).toBe(`00-${TRACE}-${PARENT}-03`);
});

describe('a tracestate', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => `k${n}=v`).join(',');
  test.each([
    [
      'the Recommendation’s example',
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    ],
    ['of a tenant', 'fw529a3039@dt=FfC', 'fw529a3039@dt=FfC'],
    ['blanks around members, and empty ones', 'a=1 ,\t b=2,, ,c=3', 'a=1,b=2,c=3'],
    ['= within a value', 'a=b=c', ''],
    ['32 members', many(32), many(32)],
    ['33 members', many(33), ''],
    ['a key twice', 'a=1,a=2', ''],
    ['a key in upper case', 'A=1', ''],
    ['no value', 'a=', ''],
    ['no key', '=1', ''],
    ['no =', 'a', ''],
    ['a line end', 'a=1\r\nX: y', ''],
    ['not ASCII', 'a=é', ''],
    ['one bad member spoils all', 'a=1,B=2', ''],
    ['a key too long', `${'a'.repeat(257)}=1`, ''],
    ['a value too long', `a=${'v'.repeat(257)}`, ''],
    ['without end', 'a=1,'.repeat(100_000), ''],
  ])('%s', (_, value, wanted) => {
    expect(parseTracestate(value)).toBe(wanted);
  });

  test('past 512 characters the long members go first, then those at the end', () => {
    const long = `long=${'v'.repeat(200)}`;
    const short = (key: string) => `${key}=${'v'.repeat(98)}`;
    const kept = ['a', 'b', 'c', 'd', 'e'].map(short);
    expect(parseTracestate([long, ...kept, short('f')].join(','))).toBe(kept.join(','));
  });
});

describe('of a request', () => {
  const good = `00-${TRACE}-${PARENT}-01`;
  test('names are told whatever their case, and tracestates are joined', () => {
    const headers = ['Host', 'a', 'TraceParent', good, 'TRACESTATE', 'a=1', 'tracestate', 'b=2'];
    expect(readTraceContext(headers)).toMatchObject({ traceId: TRACE, parentId: PARENT, tracestate: 'a=1,b=2' });
  });
  test('two traceparents are none, though they are equal', () => {
    expect(readTraceContext(['traceparent', good, 'traceparent', good])).toBeNull();
  });
  test('a tracestate alone is none', () => {
    expect(readTraceContext(['tracestate', 'a=1'])).toBeNull();
  });
  test('a bad tracestate takes nothing from the traceparent', () => {
    expect(readTraceContext(['traceparent', good, 'tracestate', 'A=1'])).toMatchObject({
      traceId: TRACE,
      tracestate: '',
    });
  });
});
