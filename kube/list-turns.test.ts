import { expect, test } from 'vitest';
import { ListTurns } from './list-turns.ts';

test('two at a time, in order, and a failure passes the turn on', async () => {
  const turns = new ListTurns();
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const act = (number: number): Promise<number> =>
    turns.take(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (number === 1) throw new Error('failed');
      return number;
    });
  const all = [0, 1, 2, 3, 4].map((number) => act(number).catch((error: Error) => error.message));
  for (let done = 0; done < 5; done++) {
    await new Promise(setImmediate);
    expect(begun).toHaveLength(Math.min(5, done + 2));
    ends[done]?.();
  }
  expect(await Promise.all(all)).toEqual([0, 'failed', 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});
