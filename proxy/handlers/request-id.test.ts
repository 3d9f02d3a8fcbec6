import { expect, test } from 'vitest';
import { makeRequestIds } from './request-id.ts';

test('ids are 32 hexadecimal digits and never the same, over many carries', () => {
  const next = makeRequestIds();
  const ids = new Set(Array.from({ length: 10_000 }, next));
  expect(ids.size).toBe(10_000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test('they count up behind the part that is random in each process', () => {
  const next = makeRequestIds(Buffer.alloc(10, 0xab));
  const ids = Array.from({ length: 4098 }, next);
  expect(ids[0]).toBe(`${'ab'.repeat(10)}000000000000`);
  expect(ids[4095]).toBe(`${'ab'.repeat(10)}000000000fff`);
  expect(ids[4096]).toBe(`${'ab'.repeat(10)}000000001000`);
  expect(makeRequestIds()().slice(0, 20)).not.toBe(makeRequestIds()().slice(0, 20));
});
