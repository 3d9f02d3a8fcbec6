import { expect, test } from 'vitest';
import { LastUsed } from './last-used.ts';
import { TokenBuckets } from './token-buckets.ts';

test('a burst, then one for each refill, never more than the burst, each key by itself', () => {
  const buckets = new TokenBuckets({ burst: 2, refillMs: 100, keys: 10 });
  const taken = [0, 0, 0, 99, 100, 100, 200, 10_000, 10_000, 10_000].map((now) => buckets.take('a', now));
  expect(taken).toEqual([true, true, false, false, true, false, true, true, true, false]);
  expect(buckets.take('b', 0)).toBe(true);
});

test('what was used longest ago is forgotten first', () => {
  const entries = new LastUsed<number>(2);
  entries.set('a', 1);
  entries.set('b', 2);
  expect(entries.get('a')).toBe(1);
  entries.set('c', 3);
  expect([entries.get('a'), entries.get('b'), entries.get('c'), entries.size]).toEqual([1, undefined, 3, 2]);
  entries.set('c', 4);
  entries.delete('a');
  expect([...entries.values()]).toEqual([4]);
});
