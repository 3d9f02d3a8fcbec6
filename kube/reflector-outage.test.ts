import { expect, test } from 'vitest';
import type { FakeApiServer } from './testing/fake-api-server.ts';
import { inStep, makeRig, put, startRig, until } from './testing/reflector-rig.ts';
import { turnTime } from './testing/turned-time.ts';

const time = turnTime();

test.each<[string, (fake: FakeApiServer) => unknown, RegExp]>([
  ['away', (fake) => fake.down(), /NETWORK/],
  [
    'refusing',
    (fake) => fake.fail({ times: 1e9 }, { status: 403, message: 'webs is forbidden' }),
    /403 webs is forbidden/,
  ],
  ['resetting', (fake) => fake.fail({ times: 1e9 }, { reset: 'before' }), /NETWORK/],
  ['ending watches at once', (fake) => fake.fail({ times: 1e9 }, { watch: 'end' }), /no watch stays open/],
  ['compacting without end', (fake) => fake.fail({ times: 1e9 }, { watch: 'gone' }), /410/],
  ['talking nonsense', (fake) => fake.fail({ times: 1e9 }, { answer: 'oops' }), /INVALID_RESPONSE/],
])('a server that is %s for ten minutes: few tries, few lines, ill health, and back', async (_, spoil, words) => {
  const rig = await startRig('a');
  expect(rig.reflector.health()).toBeNull();
  rig.fake.clearLog();
  await spoil(rig.fake);
  time.by(1_000);
  rig.fake.endWatches('cut');
  const since = performance.now();
  await until(() => expect(performance.now() - since).toBeGreaterThan(600_000));
  expect(rig.reflector.health()).toMatch(words);
  // 0.4 s doubling to 15 s: 45 turns, each a list and a watch at most, which the transport may repeat once.
  expect(rig.fake.requests.length).toBeLessThan(200);
  expect(rig.log.length).toBeLessThan(15);
  rig.fake.heal();
  await rig.fake.up().catch(() => {});
  put(rig.fake, 'a', 2);
  await inStep(rig);
  await until(() => expect(rig.reflector.health()).toBeNull());
});

test('a server that was away from the start: healthy for two minutes, then not; synced when it comes', async () => {
  const rig = await makeRig();
  put(rig.fake, 'a', 1);
  await rig.fake.down();
  rig.reflector.start();
  time.by(1_000);
  expect(rig.reflector.health()).toBeNull();
  await until(() => expect(rig.reflector.health()).toMatch(/not in step for 1[23]\d s: NETWORK/));
  expect(rig.reflector.hasSynced()).toBe(false);
  await rig.fake.up();
  await rig.reflector.synced;
  expect(rig.reflector.hasSynced()).toBe(true);
});

test('a closed transport is ill health, not silence; whoever waits for the list goes on', async () => {
  const rig = await makeRig();
  rig.transport.close();
  rig.reflector.start();
  await rig.reflector.synced;
  expect(rig.reflector.hasSynced()).toBe(false);
  expect(rig.reflector.health()).toContain('the transport to the API server is closed');
});
