import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Deadlines } from './deadlines.ts';
import { Queue, type Queued } from './queue.ts';

class Item implements Queued<Item> {
  readonly name: string;
  queued = false;
  queuedAt = 0;
  before: Item | null = null;
  behind: Item | null = null;
  timedBy: Deadlines<Item> | null = null;
  armedAt = 0;
  earlier: Item | null = null;
  later: Item | null = null;
  constructor(name: string) {
    this.name = name;
  }
}

const clock = { now: () => performance.now(), wall: () => 0 };
let expired: string[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  expired = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function makeQueue(max: number, timeoutMs = 1000): Queue<Item> {
  return new Queue<Item>({ max, timeoutMs }, clock, (item) => expired.push(item.name));
}

function fill(queue: Queue<Item>, names: string): Item[] {
  return [...names].map((name) => {
    const item = new Item(name);
    expect(queue.push(item, clock.now())).toBe(true);
    return item;
  });
}

/** Takes all out, from the head. */
function drain(queue: Queue<Item>): string {
  let names = '';
  for (let item = queue.head; item !== null; item = queue.head) {
    queue.remove(item);
    names += item.name;
  }
  expect(queue.length).toBe(0);
  return names;
}

test('first come, first served', () => {
  const queue = makeQueue(5);
  fill(queue, 'abc');
  expect(queue.length).toBe(3);
  expect(drain(queue)).toBe('abc');
});

test('full is full, and has room again after one has left', () => {
  const queue = makeQueue(2);
  const [a] = fill(queue, 'ab');
  const c = new Item('c');
  expect(queue.push(c, clock.now())).toBe(false);
  expect(c.queued).toBe(false);
  if (a) queue.remove(a);
  expect(queue.push(c, clock.now())).toBe(true);
  expect(drain(queue)).toBe('bc');
});

test('a queue of length 0 takes nothing', () => {
  expect(makeQueue(0).push(new Item('a'), clock.now())).toBe(false);
});

test.each([
  [0, 'bcd'],
  [1, 'acd'],
  [3, 'abc'],
])('number %i leaves, the others keep their order', (index, rest) => {
  const queue = makeQueue(5);
  const item = fill(queue, 'abcd')[index];
  if (item) queue.remove(item);
  expect(item?.queued).toBe(false);
  expect(drain(queue)).toBe(rest);
});

test('one that comes back goes to the head, even of a full queue', () => {
  const queue = makeQueue(2);
  fill(queue, 'ab');
  queue.unshift(new Item('z'), clock.now());
  expect(queue.length).toBe(3);
  expect(drain(queue)).toBe('zab');
});

test('waiting ends after the timeout, for each in its own time', () => {
  const queue = makeQueue(5, 100);
  fill(queue, 'a');
  vi.advanceTimersByTime(60);
  fill(queue, 'b');
  expect(queue.oldestMs(clock.now())).toBe(60);
  vi.advanceTimersByTime(40);
  expect(expired).toEqual(['a']);
  expect(queue.length).toBe(1);
  vi.advanceTimersByTime(60);
  expect(expired).toEqual(['a', 'b']);
  expect(queue.oldestMs(clock.now())).toBe(0);
});

test('one that came back waits anew, those behind it do not', () => {
  const queue = makeQueue(5, 100);
  fill(queue, 'a');
  vi.advanceTimersByTime(60);
  queue.unshift(new Item('z'), clock.now());
  vi.advanceTimersByTime(40);
  expect(expired).toEqual(['a']);
  vi.advanceTimersByTime(60);
  expect(expired).toEqual(['a', 'z']);
});

test('what has left does not expire', () => {
  const queue = makeQueue(5, 100);
  fill(queue, 'ab');
  drain(queue);
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual([]);
});

test('a new setting holds for what comes after it', () => {
  const queue = makeQueue(5, 1000);
  fill(queue, 'ab');
  queue.configure({ max: 2, timeoutMs: 10 });
  expect(queue.push(new Item('c'), clock.now())).toBe(false);
  queue.configure({ max: 3, timeoutMs: 10 });
  fill(queue, 'd');
  vi.advanceTimersByTime(10);
  expect(expired).toEqual(['d']);
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual(['d', 'a', 'b']);
});
