import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

test('keys leave in the order of their arrival, those taken out before not at all', () => {
  const fifo = new Fifo();
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) fifo.push(key, index);
  expect(fifo.shift()).toEqual({ key: 'a', since: 0 });
  expect(fifo.remove('b')).toBe(1);
  expect(fifo.remove('b')).toBeUndefined();
  fifo.push('a', 4);
  expect([fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()].map((entry) => entry?.key)).toEqual([
    'c',
    'd',
    'a',
    undefined,
  ]);
});

test('goes on after it was empty, and after it was cleared', () => {
  const fifo = new Fifo();
  fifo.push('a', 0);
  expect([fifo.shift()?.key, fifo.shift()]).toEqual(['a', undefined]);
  fifo.push('b', 0);
  fifo.push('c', 0);
  // The last one leaves by name while the front's iterator stands before it.
  fifo.remove('b');
  fifo.remove('c');
  fifo.push('d', 0);
  expect(fifo.shift()?.key).toBe('d');
  fifo.push('e', 0);
  fifo.clear();
  fifo.push('f', 0);
  expect([fifo.size, fifo.has('e'), fifo.shift()?.key]).toEqual([1, false, 'f']);
});
