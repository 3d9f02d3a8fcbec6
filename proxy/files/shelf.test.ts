import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Shelf, type ShelfBounds } from './shelf.ts';

let directory: string;
let now = 0;
const clock = { now: () => now, wall: () => Date.now() };
const folder = () => ({ path: '', directories: [directory], maxAgeSeconds: 0, immutable: false });

beforeEach(() => {
  now = 0;
  directory = mkdtempSync(join(tmpdir(), 'shelf-'));
  for (const name of ['a', 'b', 'c']) writeFileSync(join(directory, name), name.repeat(100));
});
afterEach(() => rmSync(directory, { recursive: true }));

const stocked = async (bounds: Partial<ShelfBounds>, names: string): Promise<Shelf> => {
  const shelf = new Shelf(clock, bounds);
  for (const name of names) await shelf.fetch(`/${name}`, folder(), name);
  return shelf;
};

test('an entry is believed for a second', async () => {
  const shelf = await stocked({}, 'a');
  now = 999;
  expect(shelf.peek('/a', now)?.original.size).toBe(100);
  now = 1000;
  expect(shelf.peek('/a', now)).toBeUndefined();
});

test('an absence is believed for a second', async () => {
  const shelf = await stocked({}, 'x');
  now = 999;
  expect(shelf.peek('/x', now)).toBeNull();
  now = 1000;
  expect(shelf.peek('/x', now)).toBeUndefined();
});

test('an unchanged file is not read again', async () => {
  const shelf = await stocked({}, 'a');
  const before = shelf.peek('/a', now);
  now = 1000;
  expect(await shelf.fetch('/a', folder(), 'a')).toBe(before);
  expect(shelf.peek('/a', now)).toBe(before);
});

test('those who ask at the same time share one look at the disk', () => {
  const shelf = new Shelf(clock);
  expect(shelf.fetch('/a', folder(), 'a')).toBe(shelf.fetch('/a', folder(), 'a'));
});

test('content is bounded in bytes: what was checked longest ago goes', async () => {
  const shelf = await stocked({ totalBytes: 250 }, 'abc');
  expect(shelf.bytes).toBe(200);
  expect([shelf.peek('/a', 0), shelf.peek('/b', 0)?.bytes, shelf.peek('/c', 0)?.bytes]).toEqual([undefined, 100, 100]);
});

test('a file that was looked at again stays before one that was not', async () => {
  const shelf = await stocked({ totalBytes: 250 }, 'abac');
  expect([shelf.peek('/a', 0)?.bytes, shelf.peek('/b', 0), shelf.peek('/c', 0)?.bytes]).toEqual([100, undefined, 100]);
});

test('paths without a file are bounded in number, and do not displace files', async () => {
  const shelf = await stocked({ entries: 2 }, 'axyz');
  expect(shelf.peek('/a', 0)?.bytes).toBe(100);
  expect([shelf.peek('/x', 0), shelf.peek('/y', 0), shelf.peek('/z', 0)]).toEqual([undefined, null, null]);
});

test('a long path without a file is not kept', async () => {
  const name = 'x'.repeat(300);
  const shelf = new Shelf(clock);
  expect(await shelf.fetch(`/${name}`, folder(), name)).toBeNull();
  expect(shelf.peek(`/${name}`, 0)).toBeUndefined();
});

test('a file above the bound is kept without its content', async () => {
  const shelf = await stocked({ smallBytes: 99 }, 'a');
  expect(shelf.peek('/a', 0)).toMatchObject({ bytes: 0, original: { body: null, size: 100 } });
});
