import { expect, test } from 'vitest';
import { withOneDay } from './local-base.ts';

test('the day on which the base was made is not in it', () => {
  const shadow = (day: number): string => `root:*:${day}:0:99999:7:::\n_apt:!:${day}:0:99999:7:::\n`;
  expect(withOneDay(shadow(20_779))).toBe(shadow(20_454));
  expect(withOneDay(shadow(20_780))).toBe(shadow(20_454));
});
