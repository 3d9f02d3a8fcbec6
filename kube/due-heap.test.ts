import { expect, test } from 'vitest';
import { DueHeap } from './due-heap.ts';

/** Deterministic, so that a failure can be had again (Park and Miller). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('whatever is put in, moved and taken out: the first is the earliest, and a key is there once', () => {
  const random = dice(42);
  const heap = new DueHeap<number>();
  const model = new Map<string, number>();
  for (let step = 0; step < 20_000; step++) {
    const key = `key-${Math.floor(random() * 200)}`;
    if (random() < 0.6) {
      const dueAt = Math.floor(random() * 1_000);
      heap.put(key, dueAt, step);
      model.set(key, dueAt);
    } else {
      expect(heap.remove(key)?.dueAt).toBe(model.get(key));
      model.delete(key);
    }
    expect(heap.size).toBe(model.size);
    expect(heap.first()?.dueAt).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
    expect(heap.get(key)?.dueAt).toBe(model.get(key));
  }
});

test('empties in order, and leaves nothing behind', () => {
  const heap = new DueHeap<string>();
  for (const dueAt of [5, 1, 4, 1, 3]) heap.put(`${dueAt}-${heap.size}`, dueAt, 'value');
  const order: number[] = [];
  for (let due = heap.first(); due !== undefined; due = heap.first()) {
    order.push(due.dueAt);
    expect(heap.remove(due.key)).toBe(due);
  }
  expect([order, heap.size, heap.remove('1-1')]).toEqual([[1, 1, 3, 4, 5], 0, undefined]);
});
