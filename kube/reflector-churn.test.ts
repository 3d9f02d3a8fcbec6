import { expect, test } from 'vitest';
import { makeClient } from './client.ts';
import { type KubeObject, keyOf } from './object.ts';
import type { FakeApiServer } from './testing/fake-api-server.ts';
import { contents, drop, makeRig, put, stored, until, WEBS } from './testing/reflector-rig.ts';
import { turnTime } from './testing/turned-time.ts';

turnTime();

/** A seeded die: a failing run can be had again. */
function makeDie(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function misfortune(fake: FakeApiServer, roll: (sides: number) => number): void {
  const watch = { watch: true };
  const ills = [
    () => fake.endWatches('cut'),
    () => fake.endWatches('end'),
    () => fake.endWatches('silence'),
    () => fake.endWatches('garbage'),
    () => fake.compact(),
    () => fake.compact('keep'),
    () => fake.bookmark(),
    () => fake.dropConnections(),
    () => fake.fail(watch, { watch: 'cut', afterEvents: 1 + roll(5) }),
    () => fake.fail(watch, { watch: 'garbage', afterEvents: 1 + roll(5) }),
    () => fake.fail(watch, { watch: 'gone', afterEvents: 1 + roll(3) }),
    () => fake.fail({ path: /limit=/ }, { reset: 'before' }),
    () => fake.fail({ path: /continue=/ }, { status: 410, reason: 'Expired' }),
    () => fake.fail({ times: 1 + roll(4) }, { status: 429, retryAfter: 1 }),
    () => fake.fail({}, { status: 500 }),
  ];
  ills[roll(ills.length)]?.();
}

test.each([
  [1, 0],
  [2, 300],
  [3, 0],
  [4, 1_000],
  [5, 100],
  [6, 3_000],
])(
  'every misfortune, seed %i, the watch %i ms behind: the store is the server, and listeners know all that others did',
  async (seed, lagMs) => {
    const roll = makeDie(seed);
    const rig = await makeRig({}, undefined, lagMs);
    const { fake, store, transport } = rig;
    const client = makeClient({ transport, fieldManager: 'test', metricPrefix: 'test' });
    const sent = (key: string, write: () => Promise<void>): Promise<void> =>
      seed % 2 === 0 ? store.whileWriting(key, write) : write();
    /** What listeners were told of others' changes: key → uid and mark. */
    const told = new Map<string, string>();
    const writeStatus = (name: string, step: number): Promise<void> =>
      sent(`shop/${name}`, async () => {
        const status = { namespace: 'shop', name, subresource: 'status' };
        store.wrote(await client.patch(WEBS, status, { status: { step } }));
      });
    const removeIt = (seen: KubeObject): Promise<void> =>
      sent(keyOf(seen), async () => {
        await client.remove(WEBS, seen.metadata);
        store.removed(keyOf(seen), seen.metadata.uid ?? '');
        if (store.get(keyOf(seen)) === undefined) told.delete(keyOf(seen));
      });
    store.onChange(({ type, key, object }) => {
      if (type === 'deleted') told.delete(key);
      else told.set(key, seenOf(object as KubeObject));
    });
    for (let i = 0; i < 300; i++) put(fake, `web-${i}`, 0);
    rig.reflector.start();
    /** @param ills one step in so many is followed by a misfortune */
    const churn = async (steps: number, ills: number): Promise<void> => {
      for (let step = 1; step <= steps; step++) {
        const name = `web-${roll(12)}`;
        if (roll(6) === 0) drop(fake, name);
        else put(fake, name, step + steps);
        if (roll(ills) === 0) misfortune(fake, roll);
        if (roll(3) === 0) await new Promise(setImmediate);
        // Our own writes go on meanwhile, one at a time for a key; some fail.
        const seen = store.get(`shop/${name}`);
        if (roll(4) > 0 || seen === undefined) continue;
        if (roll(4) === 0) await removeIt(seen).catch(() => {});
        else await writeStatus(name, step).catch(() => {});
      }
    };
    const settle = (): Promise<void> =>
      until(() => {
        expect(contents(store)).toEqual(stored(fake));
        expect(Object.fromEntries(told)).toEqual(
          Object.fromEntries(fake.list(WEBS).map((object) => [keyOf(object), seenOf(object)])),
        );
      });
    await churn(400, 10);
    fake.heal();
    fake.endWatches('end');
    await settle();
    // In step, our writes race with what the watch is about to tell of others'.
    await churn(300, Number.POSITIVE_INFINITY);
    await settle();
  },
);

const seenOf = ({ metadata, spec }: KubeObject): string => `${metadata.uid} ${(spec as { mark: number }).mark}`;
