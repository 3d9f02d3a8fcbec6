// The other ends of a life: suspended, resumed, deleted.
import { describe, expect, test } from 'vitest';
import { SHOPS } from './images.ts';
import { condition, eventually, secondsOf, useRig } from './rig.ts';

const getRig = useRig();
const MAINTENANCE = { status: 503, expect: 'The application is down for maintenance.' };

describe.each(SHOPS)('$name', (shop) => {
  test('suspended it says so to every request, resumed it serves; deleted, nothing of it is left', async () => {
    const place = await getRig().makePlace();
    const app = shop.name;
    await place.open(shop);
    const load = { alsoGood: MAINTENANCE };
    const report = await place.loadedWhile(
      { promise: 'suspended and resumed: the application or its maintenance page', app, load },
      async () => {
        await place.change(shop, { suspend: true });
        await place.settled(
          app,
          'suspended',
          (one) => condition(one, 'Ready') === 'False/Suspended' && one.status?.pods?.summary === '0/0',
        );
        await eventually(
          async () => (await place.pods(app, 'worker')).length === 0,
          () => 'worker pods are left',
        );
        // Pods that leave still serve for a while, and a proxy hears of the suspension by itself: application or page until then.
        let page = await place.visit(app, '/');
        await eventually(
          async () => {
            page = await place.visit(app, '/');
            return page.status === 503;
          },
          () => `no maintenance page: ${JSON.stringify(page)}`,
        );
        expect(page).toMatchObject({ status: 503, headers: { 'retry-after': '60' } });
        const seconds = await secondsOf(async () => {
          await place.change(shop, {});
          await place.serves(app, shop.first);
        });
        return `serves ${seconds} s after it was resumed`;
      },
    );
    expect(report.failures).toEqual({});
    expect((await place.visit(app, '/')).status).toBe(200);

    await place.remove('WebApp', app);
    let left: string[] = [];
    await eventually(
      async () => {
        left = [...(await place.children(app)), ...(await place.pods(app))].map((one) =>
          JSON.stringify(one).slice(0, 200),
        );
        return left.length === 0;
      },
      () => `left of ${app}: ${left.join('\n')}`,
      120_000,
    );
  });
});
