// spec.migrate: a Job in the new image before any pod of it, while the old pods serve; when it fails, they go on.
import { describe, expect, test } from 'vitest';
import { SHOPS } from './images.ts';
import { condition, type Place, uidsOf, useRig } from './rig.ts';

const getRig = useRig();
const FAILURE = 'the column price is there already';

describe.each(SHOPS)('$name', (shop) => {
  test('it is over before new pods are made; one that fails keeps the old and tells its last lines', async () => {
    const place = await getRig().makePlace();
    const app = shop.name;
    const migrate = { command: shop.script({ python: 'print("column added")', node: 'console.log("column added")' }) };
    await place.open(shop, { migrate });

    const done = await place.loadedWhile({ promise: 'a migration, then the rollout', app }, async () => {
      await place.change(shop, { image: shop.second, migrate });
      await place.serves(app, shop.second);
      return undefined;
    });
    expect(done.failures).toEqual({});
    expect(await jobOf(place, shop.second)).toMatchObject({ succeeded: 1 });
    expect(await firstPodMadeAt(place, app)).toBeGreaterThanOrEqual((await jobOf(place, shop.second)).endedAt);

    const before = uidsOf(await place.pods(app, 'worker'));
    const failing = {
      command: shop.script({
        python: `raise SystemExit("${FAILURE}")`,
        node: `console.error("${FAILURE}"); process.exit(1)`,
      }),
    };
    const failed = await place.loadedWhile({ promise: 'a migration that fails', app }, async () => {
      await place.change(shop, { image: shop.first, migrate: failing });
      const webApp = await place.settled(app, 'told', (one) => condition(one, 'Degraded') === 'True/MigrationFailed');
      expect(condition(webApp, 'Ready')).toBe('True/Serving');
      expect(webApp.status?.image).toBe(shop.second);
      expect(webApp.status?.problems).toContainEqual(
        expect.objectContaining({ field: 'spec.migrate', message: expect.stringContaining(FAILURE) }),
      );
      return undefined;
    });
    expect(failed.failures).toEqual({});
    expect(uidsOf(await place.pods(app, 'worker'))).toEqual(before);
  });
});

interface Job {
  readonly succeeded: number;
  /** Seconds since 1970: the API server's times have no finer ones. */
  readonly endedAt: number;
}

interface JobObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
  readonly status: { readonly succeeded?: number; readonly completionTime?: string };
}

async function jobOf(place: Place, image: string): Promise<Job> {
  const { items } = JSON.parse(await place.kubectlOk('get', 'jobs', '-o', 'json')) as { items: JobObject[] };
  const found = items.find(({ spec }) => spec.template.spec.containers[0]?.image === image);
  if (found === undefined) throw new Error(`no Job of ${image}`);
  return { succeeded: found.status.succeeded ?? 0, endedAt: Date.parse(found.status.completionTime ?? '') / 1000 };
}

async function firstPodMadeAt(place: Place, app: string): Promise<number> {
  const made = (await place.pods(app, 'worker')).map(({ madeAt }) => madeAt);
  return Math.min(...made);
}
