import { describe, expect, test } from 'vitest';
import { allowsRange, type Conditions, judge } from './conditional.ts';
import { formatHttpDate } from './http-date.ts';

const modified = Date.UTC(2026, 0, 2, 3, 4, 5);
const now = modified + 3_600_000;
const file = { etag: '"v2"', modified };
const [before, same, after] = [modified - 1000, modified, modified + 1000].map(formatHttpDate);

const none: Conditions = {
  ifMatch: undefined,
  ifNoneMatch: undefined,
  ifModifiedSince: undefined,
  ifUnmodifiedSince: undefined,
  ifRange: undefined,
};

describe('RFC 9110 §13.2.2: the order of preconditions', () => {
  const rows: [string, Partial<Conditions>, string][] = [
    ['no condition', {}, 'go'],
    // §13.1.1 If-Match: strong comparison.
    ['the tag matches', { ifMatch: '"v2"' }, 'go'],
    ['one of the tags matches', { ifMatch: '"v1", "v2"' }, 'go'],
    ['any tag', { ifMatch: '*' }, 'go'],
    ['no tag matches', { ifMatch: '"v1"' }, 'failed'],
    ['a weak tag never matches strongly', { ifMatch: 'W/"v2"' }, 'failed'],
    ['no tag at all', { ifMatch: 'v2' }, 'failed'],
    // §13.1.4: ignored beside If-Match.
    ['unmodified since', { ifUnmodifiedSince: same }, 'go'],
    ['modified since then', { ifUnmodifiedSince: before }, 'failed'],
    ['If-Unmodified-Since beside a matching If-Match', { ifMatch: '"v2"', ifUnmodifiedSince: before }, 'go'],
    ['an invalid If-Unmodified-Since', { ifUnmodifiedSince: 'soon' }, 'go'],
    // §13.1.2 If-None-Match: weak comparison.
    ['the client has it', { ifNoneMatch: '"v2"' }, 'not-modified'],
    ['the client has it, weakly', { ifNoneMatch: 'W/"v2"' }, 'not-modified'],
    ['one of several', { ifNoneMatch: '"v1",W/"v2"' }, 'not-modified'],
    ['any', { ifNoneMatch: '*' }, 'not-modified'],
    ['another', { ifNoneMatch: '"v1"' }, 'go'],
    ['a tag with a comma in it', { ifNoneMatch: '"x,y","v2"' }, 'not-modified'],
    ['a tag that merely holds ours', { ifNoneMatch: '"xv2"' }, 'go'],
    // §13.1.3: ignored beside If-None-Match.
    ['not modified since', { ifModifiedSince: same }, 'not-modified'],
    ['not modified since a later time', { ifModifiedSince: after }, 'not-modified'],
    ['modified since', { ifModifiedSince: before }, 'go'],
    ['an invalid If-Modified-Since', { ifModifiedSince: 'soon' }, 'go'],
    ['If-Modified-Since beside a failing If-None-Match', { ifNoneMatch: '"v1"', ifModifiedSince: after }, 'go'],
    // Order: If-Match before If-None-Match.
    ['both', { ifMatch: '"v1"', ifNoneMatch: '"v2"' }, 'failed'],
    ['If-Match holds, then If-None-Match', { ifMatch: '"v2"', ifNoneMatch: '"v2"' }, 'not-modified'],
  ];
  test.each(rows)('%s', (_name, conditions, verdict) => {
    expect(judge({ ...none, ...conditions }, file, now)).toBe(verdict);
  });
});

describe('§13.1.5: If-Range', () => {
  test.each([
    [undefined, true],
    ['"v2"', true],
    ['"v1"', false],
    ['W/"v2"', false],
    [same, true],
    [before, false],
    [after, false],
    ['soon', false],
  ])('%s', (value, allowed) => expect(allowsRange(value, file, now)).toBe(allowed));

  test('a date is no strong validator while the file is that young (§8.8.2.2)', () => {
    expect(allowsRange(same, file, modified + 500)).toBe(false);
  });
});
