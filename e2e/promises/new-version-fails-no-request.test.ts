// A new image under load: requests, pages with the stylesheet that they name, and the stylesheet of pages that are still open.
import { describe, expect, test } from 'vitest';
import { GOODS, SHOPS } from './images.ts';
import { secondsOf, uidsOf, useRig } from './rig.ts';

const getRig = useRig();
const STYLESHEET = 'href="([^"]+\\.css)"';

describe.each(SHOPS)('$name', (shop) => {
  test('a rollout fails no request, and static files of both versions are there throughout', async () => {
    const place = await getRig().makePlace();
    await place.open(shop);
    const before = await place.pods(shop.name, 'worker');
    const app = shop.name;
    const roll = async (): Promise<string> => {
      const seconds = await secondsOf(async () => {
        await place.change(shop, { image: shop.second });
        await place.serves(app, shop.second);
      });
      return `rolled out in ${seconds} s`;
    };
    const ofPages = { url: place.url(app, '/'), expect: '<h1>', follow: STYLESHEET, perSecond: 20 };
    const ofOpenPages = { url: place.url(app, '/static/shop.css'), expect: '{', perSecond: 20 };
    const report = await place.loadedWhile({ promise: 'a new image is rolled out', app }, async () => {
      const pages = await place.loadedWhile(
        { promise: 'every page has its stylesheet during a rollout', app, load: ofPages },
        async () => {
          const open = await place.loadedWhile(
            { promise: 'the stylesheet of the version before is still there', app, load: ofOpenPages },
            roll,
          );
          expect(open.failures).toEqual({});
          return undefined;
        },
      );
      expect(pages.failures).toEqual({});
      return undefined;
    });
    expect(report.failures).toEqual({});

    const after = await place.pods(app, 'worker');
    expect(after).toHaveLength(2);
    expect(uidsOf(after).filter((uid) => uidsOf(before).includes(uid))).toEqual([]);
    for (let visit = 0; visit < 10; visit++) {
      expect((await place.visit(app, '/api/goods')).text).toContain(GOODS.second);
      expect((await place.visit(app, '/static/shop.2.css')).status).toBe(200);
      expect((await place.visit(app, '/static/shop.css')).status).toBe(200);
    }
  });
});
