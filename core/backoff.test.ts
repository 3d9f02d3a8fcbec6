import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

const policy = { firstMs: 100, maxMs: 30_000, factor: 2 };

test.each([
  [1, 0, 50],
  [1, 0.5, 75],
  [2, 0, 100],
  [4, 0, 400],
  [50, 0, 15_000],
])('try %i with random %f waits %i ms', (attempt, random, ms) => expect(backoffMs(policy, attempt, random)).toBe(ms));

test('no wait is longer than the bound', () => expect(backoffMs(policy, 10_000, 0.999999)).toBeLessThanOrEqual(30_000));
