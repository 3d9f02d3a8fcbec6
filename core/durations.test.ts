import { expect, test } from 'vitest';
import { addUp, DURATION_BOUNDS_MS, Durations, quantileOf, since } from './durations.ts';

test.each([
  [0, 0],
  [1, 0],
  [1.000_1, 1],
  [999.9, 17],
  [60_000, DURATION_BOUNDS_MS.length - 1],
  [60_000.1, DURATION_BOUNDS_MS.length],
  [Number.POSITIVE_INFINITY, DURATION_BOUNDS_MS.length],
])('%s ms falls into bucket %s', (ms, bucket) => {
  const durations = new Durations();
  expect(durations.observe(ms)).toBe(bucket);
  expect(durations.counts[bucket]).toBe(1);
  expect(durations.counts.reduce((sum, count) => sum + count, 0)).toBe(1);
});

test('bounds grow, and no quantile is off by more than a factor of two', () => {
  for (const [i, bound] of DURATION_BOUNDS_MS.entries()) {
    const before = DURATION_BOUNDS_MS[i - 1];
    if (before === undefined) continue;
    expect(bound).toBeGreaterThan(before);
    expect(bound / before).toBeLessThanOrEqual(2);
  }
});

function observed(...all: number[]): Durations {
  const durations = new Durations();
  for (const ms of all) durations.observe(ms);
  return durations;
}

test.each([
  [[], 0.5, undefined],
  [[8, 8, 8, 8], 0.5, 8.5],
  [[0.5], 0.999, 0.999],
  [[1, 1, 1, 400], 0.99, 300 + 200 * 0.96],
  [[90_000], 0.5, 60_000],
])('of %j the quantile %s is %s', (all, q, expected) => {
  const found = quantileOf(observed(...all), q);
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toBeCloseTo(expected, 6);
});

test('what came since is a difference, and all when the program was started anew', () => {
  const before = observed(5, 500);
  const now = observed(5, 500, 500, 2_000);
  expect(since(now, before)).toEqual({ counts: observed(500, 2_000).counts, sumMs: 2_500 });
  expect(since(now, undefined)).toBe(now);
  expect(since(before, now)).toBe(before);
});

test('several add up', () => {
  const sum = addUp([observed(5), observed(5, 700)]);
  expect(sum.counts).toEqual(observed(5, 5, 700).counts);
  expect(sum.sumMs).toBe(710);
});
