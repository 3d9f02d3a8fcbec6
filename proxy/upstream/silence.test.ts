import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Listened, Silence } from './silence.ts';

class Item implements Listened {
  silentTicks = 0;
  listIndex = -1;
  awaitsPeer = true;
  silences = 0;
  silenceMs: number;
  constructor(silenceMs: number) {
    this.silenceMs = silenceMs;
  }
  onSilence(): void {
    this.silences++;
  }
}

let silence: Silence;
beforeEach(() => {
  vi.useFakeTimers();
  silence = new Silence();
});
afterEach(() => {
  silence.close();
  vi.useRealTimers();
});

function listenTo(...items: Item[]): void {
  for (const item of items) silence.add(item);
}

describe('silence', () => {
  test('is found after its limit, at most two ticks late', () => {
    const item = new Item(1000);
    listenTo(item);
    vi.advanceTimersByTime(1000);
    expect(item.silences).toBe(0);
    vi.advanceTimersByTime(200);
    expect(item.silences).toBe(1);
  });

  test('is broken by whoever hears the peer', () => {
    const item = new Item(1000);
    listenTo(item);
    for (let second = 0; second < 10; second++) {
      vi.advanceTimersByTime(900);
      item.silentTicks = 0;
    }
    expect(item.silences).toBe(0);
  });

  test('does not begin before it is the peer’s turn', () => {
    const item = new Item(1000);
    listenTo(item);
    item.awaitsPeer = false;
    vi.advanceTimersByTime(60_000);
    item.awaitsPeer = true;
    vi.advanceTimersByTime(1000);
    expect(item.silences).toBe(0);
    vi.advanceTimersByTime(200);
    expect(item.silences).toBe(1);
  });

  test('of any length is fine with a limit of 0', () => {
    const item = new Item(0);
    listenTo(item);
    vi.advanceTimersByTime(3_600_000);
    expect(item.silences).toBe(0);
  });

  test('does not pass while the program is stopped: one late tick is one tick', () => {
    const item = new Item(1000);
    listenTo(item);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(100);
    expect(item.silences).toBe(0);
  });
});

test('removal in any order, within a tick too, harms no other; twice is safe', () => {
  const items = [new Item(100), new Item(5000), new Item(100), new Item(5000)];
  for (const item of items) item.onSilence = () => silence.remove(item);
  listenTo(...items);
  vi.advanceTimersByTime(400);
  expect(items.map(({ listIndex }) => listIndex >= 0)).toEqual([false, true, false, true]);
  const [, second, , fourth] = items;
  if (second === undefined || fourth === undefined) throw new Error('missing');
  silence.remove(second);
  silence.remove(second);
  expect(fourth.listIndex).toBe(0);
  silence.add(second);
  expect(second.listIndex).toBe(1);
});

test('no timer runs while there is nobody to listen to', () => {
  const item = new Item(1000);
  listenTo(item);
  expect(vi.getTimerCount()).toBe(1);
  silence.remove(item);
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
  silence.add(item);
  expect(vi.getTimerCount()).toBe(1);
});
