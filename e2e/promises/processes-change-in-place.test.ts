// workers.processes is changed in the resource, and application processes come and go inside the pods that are there.
import { describe, expect, test } from 'vitest';
import { SHOPS } from './images.ts';
import { type Place, secondsOf, uidsOf, useRig } from './rig.ts';

const getRig = useRig();

describe.each(SHOPS)('$name', (shop) => {
  test('3 → 8 → 2 processes by the same pods', async () => {
    const place = await getRig().makePlace();
    await place.open(shop);
    await workersAre(place, shop.name, '6/6');
    const before = await place.pods(shop.name);
    const change = (processes: number): Promise<string> =>
      secondsOf(async () => {
        await place.change(shop, { workers: { processes } });
        await workersAre(place, shop.name, `${2 * processes}/${2 * processes}`);
      });
    const promise = { promise: 'processes 3 → 8 → 2 in place', app: shop.name };
    const report = await place.loadedWhile(promise, async () => {
      const up = await change(8);
      const down = await change(2);
      return `status says 16/16 after ${up} s, 4/4 after ${down} s`;
    });
    expect(report.failures).toEqual({});
    const after = await place.pods(shop.name);
    expect(uidsOf(after)).toEqual(uidsOf(before));
    expect(after.map(({ restarts }) => restarts)).toEqual(before.map(({ restarts }) => restarts));
  });
});

async function workersAre(place: Place, name: string, summary: string): Promise<void> {
  await place.settled(name, `${summary} processes`, ({ status }) => status?.workers?.summary === summary);
}
