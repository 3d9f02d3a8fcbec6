import { expect, it } from 'vitest';
import { isSameQuantity, quantityOf } from './quantity.ts';

it.each([
  ['500m', 0.5],
  ['0.5', 0.5],
  ['.5', 0.5],
  ['2', 2],
  [2, 2],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['1k', 1000],
  ['1e3', 1000],
  ['1E3', 1000],
  ['2E', 2e18],
  ['-1', -1],
  ['12n', 12e-9],
])('%s is %d', (text, value) => {
  expect(quantityOf(text)).toBeCloseTo(value, 12);
});

it.each(['', 'm', '1 Gi', '1gi', 'one', '1e', '--1', null, {}, true])('%j is no quantity', (text) => {
  expect(quantityOf(text)).toBeUndefined();
  expect(isSameQuantity(text, text)).toBe(false);
});

it.each([
  ['1000m', '1', true],
  ['0.3', '300m', true],
  ['1024Mi', '1Gi', true],
  ['1', '1001m', false],
  ['0', 0, true],
])('%s and %s: %s', (one, other, same) => {
  expect(isSameQuantity(one, other)).toBe(same);
});
