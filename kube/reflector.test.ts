import { Registry } from 'prom-client';
import { expect, test, vi } from 'vitest';
import { makeClient } from './client.ts';
import {
  contents,
  drop,
  inStep,
  lists,
  makeRig,
  put,
  type Rig,
  startRig,
  stored,
  until,
  WEBS,
  watches,
  watching,
} from './testing/reflector-rig.ts';
import { turnTime } from './testing/turned-time.ts';

const OTHERS = { ...WEBS, plural: 'others', kind: 'Other' };
const time = turnTime();

test('a list in pages, read from etcd, then a watch from its version with bookmarks', async () => {
  const rig = await makeRig({ labelSelector: '', namespace: 'shop' });
  for (let i = 0; i < 600; i++) put(rig.fake, `web-${i}`, i);
  const { resourceVersion } = rig.fake;
  rig.reflector.start();
  await rig.reflector.synced;
  expect(rig.store.size).toBe(600);
  expect(rig.changes.every(({ type, initial }) => type === 'added' && initial)).toBe(true);
  await watching(rig);
  const [first, second, third, watch] = rig.fake.requests;
  expect(first?.path).toBe('/apis/example.io/v1/namespaces/shop/webs');
  expect(first?.query).toEqual({ limit: '250', labelSelector: '' });
  expect(second?.query).toMatchObject({ limit: '250', continue: expect.any(String) });
  expect(third?.query['continue']).not.toBe(second?.query['continue']);
  expect(watch?.query).toMatchObject({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion });
  expect(Number(watch?.query['timeoutSeconds'])).toBeGreaterThanOrEqual(240);
});

test('a watch that ends or is cut goes on from its last event, without a list', async () => {
  const rig = await startRig('a');
  rig.fake.fail({ times: 8 }, { watch: 'end', afterEvents: 2 });
  rig.fake.endWatches('cut');
  for (let i = 2; i < 60; i++) put(rig.fake, `web-${i % 5}`, i);
  await inStep(rig);
  expect(lists(rig)).toBe(1);
  expect(watches(rig)).toBe(10);
  const from = rig.fake.requests.flatMap(({ watch, query }) => (watch ? [Number(query['resourceVersion'])] : []));
  expect(new Set(from.slice(1)).size).toBe(9);
});

test('a bookmark is a version to go on from, though all before it is compacted', async () => {
  const rig = await startRig('a');
  for (let i = 0; i < 5; i++)
    rig.fake.put(OTHERS, {
      apiVersion: 'example.io/v1',
      kind: 'Other',
      metadata: { namespace: 'shop', name: 'o' },
      spec: { i },
    });
  rig.fake.compact('keep');
  rig.fake.bookmark();
  put(rig.fake, 'b', 1);
  await inStep(rig);
  rig.fake.endWatches('cut');
  await until(() => expect(watches(rig)).toBe(2));
  put(rig.fake, 'a', 2);
  await inStep(rig);
  expect(lists(rig)).toBe(1);
});

test('compacted while it was away: listed anew, and what went meanwhile is told', async () => {
  const rig = await startRig('a', 'b', 'c');
  rig.fake.fail({ watch: true, times: 3 }, { reset: 'before' });
  rig.fake.endWatches('cut');
  await until(() => expect(rig.fake.openWatches).toBe(0));
  drop(rig.fake, 'a');
  put(rig.fake, 'b', 2);
  put(rig.fake, 'd', 1);
  rig.fake.compact();
  rig.changes.length = 0;
  await inStep(rig);
  expect(lists(rig)).toBe(2);
  expect(rig.changes.map(({ type, key }) => `${type} ${key}`).sort()).toEqual([
    'added shop/d',
    'deleted shop/a',
    'updated shop/b',
  ]);
  expect(rig.changes.every(({ initial }) => !initial)).toBe(true);
});

test('compacted between two pages: the list begins anew, and nothing that is there is told as deleted', async () => {
  const rig = await makeRig();
  for (let i = 0; i < 400; i++) put(rig.fake, `web-${i}`, i);
  const stop = rig.store.onChange(() => {
    stop();
    rig.fake.compact('keep');
  });
  rig.reflector.start();
  await rig.reflector.synced;
  expect(contents(rig.store)).toEqual(stored(rig.fake));
  expect(lists(rig)).toBe(2);
  expect(rig.changes).toHaveLength(400);
});

test.each<[string, (rig: Rig) => void]>([
  ['reset', ({ fake }) => fake.fail({ path: /continue=/, times: 3 }, { reset: 'before' })],
  ['cut short', ({ fake }) => fake.fail({ path: /continue=/ }, { answer: '{"items": [', cut: true })],
  ['no JSON', ({ fake }) => fake.fail({ path: /continue=/ }, { answer: '<html>' })],
  ['without a version', ({ fake }) => fake.fail({ path: /limit=/ }, { answer: '{"metadata": {}, "items": []}' })],
  [
    'an object without a name',
    ({ fake }) =>
      fake.fail({ path: /limit=/ }, { answer: '{"metadata": {"resourceVersion": "5"}, "items": [{"metadata": {}}]}' }),
  ],
  ['never answered', ({ fake }) => fake.fail({ path: /continue=/ }, { silence: true })],
  ['slow', ({ fake }) => fake.fail({ path: /limit=/, times: 2 }, { delayMs: 20_000 })],
  ['throttled', ({ fake }) => fake.fail({ path: /limit=/, times: 20 }, { status: 429, retryAfter: 5 })],
  ['a server that starts', ({ fake }) => fake.fail({ path: /limit=/, times: 5 }, { status: 503 })],
])('a list that is %s is had in the end', async (_, spoil) => {
  const rig = await makeRig();
  for (let i = 0; i < 300; i++) put(rig.fake, `web-${i}`, i);
  spoil(rig);
  time.by(300);
  rig.reflector.start();
  await rig.reflector.synced;
  expect(contents(rig.store)).toEqual(stored(rig.fake));
});

test('half open: the silence is noticed, and nothing that happened in it is missed', async () => {
  const rig = await startRig('a');
  rig.fake.endWatches('silence');
  time.by(1_000);
  put(rig.fake, 'a', 2);
  put(rig.fake, 'b', 1);
  const since = performance.now();
  await inStep(rig);
  expect(performance.now() - since).toBeGreaterThan(100_000);
  expect(lists(rig)).toBe(1);
});

const event = (type: string, object: unknown): { answer: string } => ({
  answer: `${JSON.stringify({ type, object })}\n`,
});

test.each<[string, { answer: string }]>([
  ['no JSON', { answer: 'oops\n' }],
  ['half a line', { answer: '{"type":"ADDED"' }],
  ['an object without a name', event('ADDED', { metadata: { resourceVersion: '1' } })],
  ['an event nobody knows', event('RENAMED', { metadata: { name: 'x', resourceVersion: '1' } })],
  ['an ERROR without a Status', event('ERROR', 'oops')],
  ['gone', event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })],
])('a watch that brings %s: listed anew, after a wait', async (_, answer) => {
  const rig = await startRig('a');
  rig.fake.fail({ watch: true, times: 3 }, answer);
  rig.fake.endWatches('end');
  await until(() => expect(lists(rig)).toBe(4));
  await watching(rig);
  put(rig.fake, 'a', 2);
  await inStep(rig);
  expect(rig.log.filter((line) => line.includes('"relist":true')).length).toBeGreaterThan(0);
});

test('an ERROR of the server: tried again from where it was, and listed anew in the end', async () => {
  const rig = await startRig('a');
  rig.fake.fail({ watch: true, times: 4 }, event('ERROR', { code: 500, message: 'no leader' }));
  rig.fake.endWatches('cut');
  await until(() => expect(watches(rig)).toBe(3));
  expect(lists(rig)).toBe(1);
  await watching(rig);
  expect(lists(rig)).toBe(2);
});

test('a throttled watch waits as long as it is told', async () => {
  const rig = await startRig('a');
  rig.fake.fail({ watch: true, times: 3 }, { status: 429, retryAfter: 60 });
  const since = performance.now();
  time.by(400);
  rig.fake.endWatches('cut');
  await until(() => expect(watches(rig)).toBe(5));
  expect(performance.now() - since).toBeGreaterThanOrEqual(180_000);
  expect(lists(rig)).toBe(1);
});

test.each(['resumed', 'compacted'])('deleted and made again while away (%s): seen as another', async (how) => {
  const rig = await startRig('a');
  const before = rig.store.get('shop/a')?.metadata.uid;
  rig.fake.fail({ watch: true, times: 3 }, { reset: 'before' });
  rig.fake.endWatches('cut');
  await until(() => expect(rig.fake.openWatches).toBe(0));
  drop(rig.fake, 'a');
  put(rig.fake, 'a', 1);
  if (how === 'compacted') rig.fake.compact();
  rig.changes.length = 0;
  await inStep(rig);
  const seen = rig.changes.map(({ type, object, old }) => [
    type,
    object.metadata.uid !== before,
    old?.metadata.uid === before,
  ]);
  expect(seen).toEqual(
    how === 'compacted'
      ? [['updated', true, true]]
      : [
          ['deleted', false, false],
          ['added', true, false],
        ],
  );
});

test('what is deleted between the list and the watch is not kept', async () => {
  const rig = await makeRig();
  put(rig.fake, 'a', 1);
  rig.store.onChange(() => drop(rig.fake, 'a'));
  rig.reflector.start();
  await until(() => expect(rig.changes.map(({ type }) => type)).toEqual(['added', 'deleted']));
});

test('listeners that throw are told of in the log, and end nothing', async () => {
  const rig = await startRig('a');
  const stop = rig.store.onChange(() => {
    throw new Error('a bug');
  });
  put(rig.fake, 'a', 2);
  put(rig.fake, 'b', 1);
  rig.fake.compact();
  await inStep(rig);
  stop();
  expect(rig.log.join('\n')).toContain('a bug');
});

test('metrics: lists and watches by resource, of all reflectors on one registry', async () => {
  const registry = new Registry();
  const rigs = [await makeRig({ registry }), await makeRig({ registry })];
  for (const rig of rigs) {
    rig.reflector.start();
    await watching(rig);
  }
  const text = await registry.metrics();
  expect(text).toContain('reflector_lists_total{name="webs.example.io"} 2');
  expect(text).toContain('reflector_watches_total{name="webs.example.io"} 2');
});

test('closed at any moment: nothing more reaches the sink, no timer and no request stays', async () => {
  const { fake } = await makeRig();
  for (let i = 0; i < 300; i++) put(fake, `web-${i}`, 1);
  for (let moment = 0; moment < 40; moment++) {
    const rig = await makeRig({}, fake);
    if (moment % 3 === 0) fake.fail({ watch: true, times: 2 }, { watch: 'end' });
    if (moment % 3 === 1) fake.fail({ path: /limit/, times: 2 }, { reset: 'before' });
    rig.reflector.start();
    for (let turn = 0; turn < moment; turn++) await new Promise(setImmediate);
    rig.reflector.close();
    rig.reflector.close();
    const seen = rig.changes.length;
    await rig.reflector.synced;
    put(fake, 'web-0', moment + 2);
    await until(() => expect(fake.openWatches).toBe(0));
    expect(rig.changes).toHaveLength(seen);
    expect(rig.reflector.health()).toBeNull();
    rig.transport.close();
    fake.heal();
  }
  await until(() => expect(vi.getTimerCount()).toBe(0));
});

test.each([0, 200])(
  'our own writes, a hundred of them, the watch %i ms behind: it tells no listener',
  async (lagMs) => {
    const rig = await makeRig({}, undefined, lagMs);
    for (let i = 0; i < 20; i++) put(rig.fake, `web-${i}`, 0);
    rig.reflector.start();
    await watching(rig);
    rig.changes.length = 0;
    const client = makeClient({ transport: rig.transport, fieldManager: 'test', metricPrefix: 'test' });
    const work = async (name: string): Promise<void> => {
      for (let mark = 1; mark <= 5; mark++)
        await rig.store.whileWriting(`shop/${name}`, async () => {
          rig.store.wrote(await client.patch(WEBS, { namespace: 'shop', name }, { spec: { mark } }));
        });
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => work(`web-${i}`)));
    put(rig.fake, 'last', 1);
    await inStep(rig);
    expect(rig.changes.map(({ key }) => key)).toEqual(['shop/last']);
  },
);
