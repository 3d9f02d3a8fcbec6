// Byte ranges (RFC 9110 §14). Pure. One range is served. Several are answered with the whole file, as §14.2 allows: no browser,
// downloader or player asks for several, and multipart answers are how overlapping ranges amplify (CVE-2011-3192).

export type RangeAnswer =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeAnswer = { kind: 'whole' };
const UNSATISFIABLE: RangeAnswer = { kind: 'unsatisfiable' };

/** Optional whitespace around the one range; the unit is case-insensitive (§14.1). */
const SINGLE = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i;

/**
 * @param value of the Range header
 * @param size of the selected representation, in bytes
 * @returns positions are inclusive; an unknown unit and malformed ranges are ignored: 'whole' (§14.2)
 */
export function parseRange(value: string, size: number): RangeAnswer {
  const match = SINGLE.exec(value);
  if (match === null) return WHOLE;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? WHOLE : suffix(Number(last), size);
  return between(Number(first), last === '' ? Number.POSITIVE_INFINITY : Number(last), size);
}

/** §14.1.2: the last `length` bytes; more than there are means all. */
function suffix(length: number, size: number): RangeAnswer {
  if (length === 0) return UNSATISFIABLE;
  if (size === 0) return WHOLE;
  return { kind: 'part', first: Math.max(0, size - length), last: size - 1 };
}

function between(first: number, last: number, size: number): RangeAnswer {
  if (last < first) return WHOLE;
  if (first >= size) return UNSATISFIABLE;
  return { kind: 'part', first, last: Math.min(last, size - 1) };
}
