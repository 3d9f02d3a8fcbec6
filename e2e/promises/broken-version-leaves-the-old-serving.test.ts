// Versions that never work: the one before goes on serving, the WebApp says why, and a good version mends it.
import { describe, expect, test } from 'vitest';
import { GOODS, LAST_WORDS, SHOPS } from './images.ts';
import { condition, secondsOf, uidsOf, useRig } from './rig.ts';

const getRig = useRig();

describe.each(SHOPS)('$name', (shop) => {
  test('an image that cannot be pulled, then one that crashes, then a good one', async () => {
    const place = await getRig().makePlace();
    await place.open(shop);
    const app = shop.name;
    const before = uidsOf(await place.pods(app, 'worker'));
    const stillServes = async (): Promise<void> => {
      const { status } = await place.webApp(app);
      expect(status).toMatchObject({ image: shop.first, pods: { ready: 2 } });
      expect(uidsOf(await place.pods(app, 'worker'))).toEqual(expect.arrayContaining(before));
    };

    const absent = `${app}:9.9.9-absent`;
    const pulled = await place.loadedWhile({ promise: 'an image that cannot be pulled', app }, async () => {
      const seconds = await secondsOf(async () => {
        await place.change(shop, { image: absent });
        const webApp = await place.settled(app, 'told', (one) => condition(one, 'Degraded') === 'True/ImagePull');
        expect(condition(webApp, 'Ready')).toBe('True/Serving');
        expect(webApp.status?.problems).toContainEqual(
          expect.objectContaining({ field: 'spec.image', message: expect.stringContaining(absent) }),
        );
      });
      await stillServes();
      return `told after ${seconds} s`;
    });
    expect(pulled.failures).toEqual({});

    const crashed = await place.loadedWhile({ promise: 'a version that crashes', app }, async () => {
      const seconds = await secondsOf(async () => {
        await place.change(shop, { image: shop.crashing });
        const webApp = await place.settled(app, 'told', (one) => condition(one, 'Degraded') === 'True/Crashing');
        expect(condition(webApp, 'Ready')).toBe('True/Serving');
        expect(JSON.stringify(webApp.status?.problems)).toContain(LAST_WORDS);
      });
      await stillServes();
      return `told with its last lines after ${seconds} s`;
    });
    expect(crashed.failures).toEqual({});

    const mended = await place.loadedWhile({ promise: 'a good version after a broken one', app }, async () => {
      await place.change(shop, { image: shop.second });
      const webApp = await place.serves(app, shop.second);
      expect(webApp.status?.problems).toBeUndefined();
      expect(condition(webApp, 'Degraded')).toBe('False/AsExpected');
      return undefined;
    });
    expect(mended.failures).toEqual({});
    expect((await place.visit(app, '/api/goods')).text).toContain(GOODS.second);
  });
});
