import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines, type Timed } from './deadlines.ts';

class Item implements Timed<Item> {
  readonly name: string;
  timedBy: Deadlines<Item> | null = null;
  armedAt = 0;
  earlier: Item | null = null;
  later: Item | null = null;
  constructor(name: string) {
    this.name = name;
  }
}

const clock = { now: () => performance.now(), wall: () => 0 };
const expired: string[] = [];
const note = (item: Item): void => {
  expired.push(`${item.name}@${clock.now() - start}`);
};
let start = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  start = clock.now();
  expired.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

test('each expires when its own time is up, with one timer for all', () => {
  const list = new Deadlines<Item>(100, clock, note);
  const [a, b, c] = [new Item('a'), new Item('b'), new Item('c')];
  list.arm(a, clock.now());
  vi.advanceTimersByTime(30);
  list.arm(b, clock.now());
  vi.advanceTimersByTime(30);
  list.arm(c, clock.now());
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual(['a@100', 'b@130', 'c@160']);
  expect(vi.getTimerCount()).toBe(0);
});

test('what is disarmed does not expire, wherever it stands', () => {
  const list = new Deadlines<Item>(100, clock, note);
  const items = ['first', 'middle', 'last', 'kept'].map((name) => new Item(name));
  for (const item of items) list.arm(item, clock.now());
  for (const item of items.slice(0, 3)) list.disarm(item);
  expect(items.slice(0, 3).every((item) => item.timedBy === null)).toBe(true);
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual(['kept@100']);
});

test('arming anew begins anew and goes behind the others', () => {
  const list = new Deadlines<Item>(100, clock, note);
  const [a, b] = [new Item('a'), new Item('b')];
  list.arm(a, clock.now());
  list.arm(b, clock.now());
  vi.advanceTimersByTime(60);
  list.arm(a, clock.now());
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual(['b@100', 'a@160']);
});

test('arming in another list leaves the first', () => {
  const [long, short] = [new Deadlines<Item>(100, clock, note), new Deadlines<Item>(10, clock, note)];
  const item = new Item('a');
  long.arm(item, clock.now());
  short.arm(item, clock.now());
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual(['a@10']);
});

test('an expired item may be armed again by its own expiry', () => {
  const list: Deadlines<Item> = new Deadlines<Item>(100, clock, (item) => {
    note(item);
    if (expired.length < 3) list.arm(item, clock.now());
  });
  list.arm(new Item('a'), clock.now());
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual(['a@100', 'a@200', 'a@300']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a deadline longer than a timer can last does not fire at once', () => {
  const list = new Deadlines<Item>(2 ** 40, clock, note);
  list.arm(new Item('a'), clock.now());
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual([]);
});
