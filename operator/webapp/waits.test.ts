import { expect, test } from 'vitest';
import { askWithin, isLasting, nextWaits, type Waits } from './waits.ts';

const waiting = (oldestMs: number, length = 1) => ({ queue: { length, max: 10, oldestMs } });
const LONG = waiting(800);
const SHORT = waiting(300);

/** @param answers of one worker, by the second at which it was asked */
function after(answers: readonly [second: number, answer: typeof LONG][]): Waits | undefined {
  let waits: Waits | undefined;
  let before: typeof LONG | undefined;
  for (const [second, answer] of answers) {
    waits = nextWaits(waits, before, answer, second * 1_000);
    before = answer;
  }
  return waits;
}

test.each<[string, Parameters<typeof after>[0], boolean]>([
  ['nobody waits', [[0, waiting(0, 0)]], false],
  [
    'the length of the queue alone is none of it',
    [
      [0, waiting(300, 9)],
      [5, waiting(300, 9)],
    ],
    false,
  ],
  ['one answer', [[5, LONG]], false],
  [
    'two at once',
    [
      [4, LONG],
      [5, LONG],
    ],
    false,
  ],
  [
    'two in a row',
    [
      [0, LONG],
      [5, LONG],
    ],
    true,
  ],
  [
    'two with another between them',
    [
      [0, LONG],
      [3, SHORT],
      [5, LONG],
    ],
    false,
  ],
  [
    'one that tells of none ends nothing',
    [
      [0, LONG],
      [5, LONG],
      [9, SHORT],
    ],
    true,
  ],
  [
    'it begins again with two',
    [
      [0, LONG],
      [5, LONG],
      [9, SHORT],
      [12, LONG],
    ],
    false,
  ],
])('%s', (_, answers, wanted) => {
  const [second] = answers.at(-1) ?? [0];
  expect(isLasting(after(answers), second * 1_000)).toBe(wanted);
});

test('it is over when no answer has told of it for a minute and a half', () => {
  const waits = after([
    [0, LONG],
    [5, LONG],
  ]);
  expect(isLasting(waits, 94_999)).toBe(true);
  expect(isLasting(waits, 95_000)).toBe(false);
});

test('a worker is asked again in time for either decision, and not for a queue that moves fast', () => {
  expect(askWithin(undefined, SHORT, 0)).toBe(Infinity);
  expect(askWithin({ since: 0, last: 0 }, LONG, 0)).toBe(6_000);
  expect(askWithin({ since: 0, last: 5_000 }, LONG, 5_000)).toBe(30_000);
  expect(askWithin({ since: 0, last: 5_000 }, SHORT, 8_000)).toBe(30_000);
  expect(askWithin({ since: 0, last: 5_000 }, SHORT, 95_000)).toBe(Infinity);
});
