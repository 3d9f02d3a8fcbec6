// Content codings of files that stand compressed beside the original, and which of them a client takes (RFC 9110 §12.5.3). Pure.
import { qualityOf } from '../quality.ts';

export type Coding = 'br' | 'zstd' | 'gzip';

/** Our order where the client has none: smallest first. */
export const CODINGS: readonly Coding[] = ['br', 'zstd', 'gzip'];

/** What is added to the original's file name. */
export const CODING_SUFFIX: Readonly<Record<Coding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' };

const NONE: readonly Coding[] = [];
/** A handful of values makes up nearly all traffic. */
const KNOWN_MAX = 64;
const LONGEST = 256;
const known = new Map<string, readonly Coding[]>();

/**
 * @param value of the Accept-Encoding header; absent: only the original is taken for sure
 * @returns the codings to try before the original, best first
 */
export function acceptedCodings(value: string | undefined): readonly Coding[] {
  if (value === undefined || value === '' || value.length > LONGEST) return NONE;
  const found = known.get(value);
  if (found) return found;
  const codings = rankCodings(value);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(value, codings);
  return codings;
}

function rankCodings(value: string): readonly Coding[] {
  const qualities = new Map<string, number>();
  for (const element of value.split(',')) {
    const [name = '', ...parameters] = element.toLowerCase().split(';');
    const coding = name.trim() === 'x-gzip' ? 'gzip' : name.trim();
    if (coding !== '') qualities.set(coding, qualityOf(parameters));
  }
  const quality = (coding: string): number => qualities.get(coding) ?? qualities.get('*') ?? 0;
  // The original counts as acceptable unless named: a client that wants it more says so (`identity;q=1, *;q=0`).
  const original = qualities.get('identity') ?? 0;
  return CODINGS.filter((coding) => quality(coding) > 0 && quality(coding) >= original).toSorted(
    (a, b) => quality(b) - quality(a),
  );
}
