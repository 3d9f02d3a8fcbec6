import { expect, test } from 'vitest';
import { Epoch } from './epoch.ts';

/** Readings of the wall clock, whole milliseconds, against a monotonic one that stands at 0.25. */
function makeEpoch(offset: number, ...walls: number[]): Epoch {
  return new Epoch(
    () => 0.25,
    () => (walls.length > 1 ? walls.shift() : walls[0]) ?? 0,
    offset,
  );
}

test.each([
  ['a reading within its precision changes nothing', makeEpoch(1000.4, 1000), 1000.4],
  ['a later reading is better', makeEpoch(1000.4, 1001), 1000.75],
  ['a clock that was set on is followed', makeEpoch(1000.4, 5000), 4999.75],
  ['a clock that was set back is followed', makeEpoch(1000.4, 500), 499.75],
  ['a reading that was interrupted is taken again', makeEpoch(1000.4, 990, 1000), 1000.4],
])('%s', (_, epoch, wanted) => {
  expect(epoch.offset()).toBe(wanted);
});

test('as the system has it', () => {
  const before = Date.now();
  const told = new Epoch().offset() + performance.now();
  expect(told).toBeGreaterThanOrEqual(before - 1);
  expect(told).toBeLessThanOrEqual(Date.now() + 1);
});
