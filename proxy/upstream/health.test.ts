import { expect, test } from 'vitest';
import { holdAfter } from './health.ts';

test.each([
  ['unreachable', [250, 500, 1000, 2000, 2500, 2500]],
  // One bad request may make a good worker close: three in a row are needed.
  ['closed', [0, 0, 250, 500, 1000, 2000, 2500]],
] as const)('%s: the hold grows with the failures in a row, up to a bound', (failure, wanted) => {
  expect(wanted.map((_, index) => holdAfter(failure, index + 1, 0))).toEqual(wanted);
});

test('half of the hold is random, so that many proxies do not return together', () => {
  expect(holdAfter('unreachable', 1, 0.5)).toBe(375);
  expect(holdAfter('unreachable', 100, 0.999)).toBeLessThanOrEqual(5000);
});
