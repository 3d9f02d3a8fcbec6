import { describe, expect, test } from 'vitest';
import { pickLessLoaded, pickWeighted } from './pick.ts';

/** Numbers that come in turns. */
function turns(...numbers: number[]): () => number {
  let at = 0;
  return () => numbers[at++ % numbers.length] ?? 0;
}

/** `count` numbers spread evenly over [0, 1). */
const spread = (count: number): number[] => Array.from({ length: count }, (_, at) => (at + 0.5) / count);

describe('pickWeighted', () => {
  const group = (name: string, weight: number) => ({ name, weight });

  test.each([
    [[], 0.5, undefined],
    [[group('a', 0)], 0.5, undefined],
    [[group('a', 7)], 0.999, 'a'],
    [[group('a', 0), group('b', 0)], 0.5, undefined],
    [[group('a', 0), group('b', 1)], 0, 'b'],
    [[group('a', 1), group('b', 0)], 0.999, 'a'],
    [[group('a', 90), group('b', 10)], 0.899, 'a'],
    [[group('a', 90), group('b', 10)], 0.9, 'b'],
  ])('of %j at %d: %s', (groups, random, wanted) => {
    expect(pickWeighted(groups, () => random)?.name).toBe(wanted);
  });

  test('each as often as it weighs', () => {
    const groups = [group('a', 1), group('b', 2), group('c', 7)];
    const counts: Record<string, number> = {};
    for (const random of spread(1000)) {
      const { name } = pickWeighted(groups, () => random) ?? expect.fail('none');
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts).toEqual({ a: 100, b: 200, c: 700 });
  });
});

describe('pickLessLoaded', () => {
  const endpoints = (...loads: number[]) => loads.map((outstanding, index) => ({ outstanding, index }));

  test('of none, and of one', () => {
    expect(pickLessLoaded([], Math.random)).toBeUndefined();
    expect(pickLessLoaded(endpoints(9), Math.random)?.index).toBe(0);
  });

  test.each(spread(7))('of two always the less loaded, whatever is drawn (%d)', (random) => {
    expect(pickLessLoaded(endpoints(5, 4), () => random)?.index).toBe(1);
    expect(pickLessLoaded(endpoints(4, 5), () => random)?.index).toBe(0);
  });

  test('the two drawn are never the same: the most loaded is never chosen', () => {
    const loads = endpoints(1, 1, 9, 1, 1);
    for (const first of spread(25)) {
      for (const second of spread(25)) expect(pickLessLoaded(loads, turns(first, second))?.index).not.toBe(2);
    }
  });

  test('equally loaded ones are chosen equally often', () => {
    const counts = [0, 0, 0, 0];
    for (const first of spread(40)) {
      for (const second of spread(30)) {
        const { index } = pickLessLoaded(endpoints(0, 0, 0, 0), turns(first, second)) ?? expect.fail('none');
        counts[index] = (counts[index] ?? 0) + 1;
      }
    }
    expect(counts).toEqual([300, 300, 300, 300]);
  });
});
