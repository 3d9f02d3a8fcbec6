import { expect, test } from 'vitest';
import type { ImageRecipe } from './images.ts';
import { inOrder } from './order.ts';

const recipe = (name: string, from?: string[], aliases?: string[]): ImageRecipe => ({
  name,
  dockerfile: 'Dockerfile',
  context: '.',
  ...(from && { from }),
  ...(aliases && { aliases }),
});

test('each after what it builds on, by name or alias; otherwise as given', () => {
  const shop = recipe('shop:2', ['shop:1']);
  const first = recipe('shop:1', ['worker:python']);
  const worker = recipe('worker:0.1.0-python', undefined, ['worker:python']);
  const proxy = recipe('proxy:1');
  expect(inOrder([proxy, shop, first, worker])).toEqual([proxy, worker, first, shop]);
});

test('what is missing is named', () => {
  expect(() => inOrder([recipe('shop:1', ['worker:python'])])).toThrow('shop:1 builds on worker:python, which is not');
});

test('a circle is refused', () => {
  expect(() => inOrder([recipe('a:1', ['b:1']), recipe('b:1', ['a:1'])])).toThrow('a:1 builds on itself');
});
