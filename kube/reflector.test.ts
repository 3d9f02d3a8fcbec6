import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { makeClient } from './client.ts';
import { type KubeObject, keyOf, type Resource } from './object.ts';
import { makeReflector, type Reflector, type ReflectorOptions } from './reflector.ts';
import { makeStore, type Sink, type Store, type StoreChange } from './store.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { makeTransport, type Transport } from './transport.ts';

const WEBS: Resource = { group: 'example.io', version: 'v1', plural: 'webs', kind: 'Web', namespaced: true };
const OTHERS: Resource = { ...WEBS, plural: 'others', kind: 'Other' };
const CLOSED = { group: 'x', version: 'v1', plural: 'x', kind: 'X', namespaced: false };

// Time is turned: waits of minutes pass in moments, and none is slept through.
const everyMs = setInterval;
const stopEvery = clearInterval;
let turning: NodeJS.Timeout;
let stepMs = 100;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  stepMs = 100;
  turning = everyMs(() => vi.advanceTimersByTime(stepMs), 2);
});
afterEach(() => {
  stopEvery(turning);
  vi.useRealTimers();
});

const open = new Set<{ close(): unknown }>();
afterEach(async () => {
  for (const each of open) await each.close();
  open.clear();
});

interface Rig {
  readonly fake: FakeApiServer;
  readonly transport: Transport;
  readonly store: Store<KubeObject> & Sink;
  readonly reflector: Reflector;
  readonly changes: StoreChange[];
  readonly log: string[];
}

/** @param lagMs how far the watch is behind the answers to our writes */
async function makeRig(options: Partial<ReflectorOptions> = {}, faked?: FakeApiServer, lagMs = 0): Promise<Rig> {
  const fake = faked ?? (await startFakeApiServer({ resources: [WEBS] }));
  const lines: string[] = [];
  const log = makeLog(
    (line) => lines.push(line),
    () => 0,
  );
  const common = { log, clock: systemClock };
  const transport = makeTransport({ ...common, access: fake.access(), userAgent: 'test' });
  const store = makeStore<KubeObject>({ kind: 'Web' });
  const changes: StoreChange[] = [];
  store.onChange((change) => changes.push(change));
  const lagging = lagMs === 0 ? transport : { ...transport, watch: lag(transport, lagMs) };
  const reflector = makeReflector({
    ...common,
    transport: lagging,
    resource: WEBS,
    sink: store,
    random: () => 0,
    ...options,
  });
  for (const each of [fake, transport, reflector]) open.add(each);
  return { fake, transport, store, reflector, changes, log: lines };
}

/** The same watch, every line so much later. */
function lag(transport: Transport, lagMs: number): Transport['watch'] {
  return async (request) => {
    const failed = new AbortController();
    let told = Promise.resolve();
    const onLine = (line: string): void => {
      const due = new Promise((resolve) => setTimeout(resolve, lagMs));
      told = told.then(() => due).then(() => request.onLine(line));
      told.catch(() => failed.abort());
    };
    const signal = AbortSignal.any([failed.signal, ...(request.signal ? [request.signal] : [])]);
    const ended = await transport.watch({ ...request, signal, onLine }).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await told;
    if (ended !== undefined) throw ended.error;
  };
}

async function startRig(...names: string[]): Promise<Rig> {
  const rig = await makeRig();
  for (const name of names) put(rig.fake, name, 1);
  rig.reflector.start();
  await watching(rig);
  return rig;
}

function put(fake: FakeApiServer, name: string, mark: number): KubeObject {
  const metadata = { namespace: 'shop', name };
  return fake.put(WEBS, { apiVersion: 'example.io/v1', kind: 'Web', metadata, spec: { mark } });
}

const drop = (fake: FakeApiServer, name: string): boolean => fake.remove(WEBS, { namespace: 'shop', name });
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });
const watching = ({ fake }: Rig): Promise<void> => until(() => expect(fake.openWatches).toBe(1));
const lists = ({ fake }: Rig): number =>
  fake.requests.filter(({ watch, query }) => !watch && !query['continue']).length;
const watches = ({ fake }: Rig): number => fake.requests.filter(({ watch }) => watch).length;

function contents(store: Store<KubeObject>): Record<string, unknown> {
  return Object.fromEntries([...store.keys()].sort().map((key) => [key, store.get(key)]));
}

function stored(fake: FakeApiServer): Record<string, unknown> {
  return Object.fromEntries(fake.list(WEBS).map((object) => [keyOf(object), withoutManagers(object)]));
}

function withoutManagers(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata as KubeObject['metadata'] & { managedFields?: unknown };
  return { ...object, metadata };
}

const inStep = ({ store, fake }: Rig): Promise<void> => until(() => expect(contents(store)).toEqual(stored(fake)));

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

test('a watch that is cut goes on from its last event, without a list', async () => {
  const rig = await startRig('a');
  rig.fake.fail({ times: 8 }, { watch: 'cut', afterEvents: 2 });
  rig.fake.endWatches('cut');
  for (let i = 2; i < 60; i++) put(rig.fake, `web-${i % 5}`, i);
  await inStep(rig);
  expect(lists(rig)).toBe(1);
  expect(watches(rig)).toBe(10);
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
  rig.reflector.start();
  await rig.reflector.synced;
  expect(contents(rig.store)).toEqual(stored(rig.fake));
});

test('half open: the silence is noticed, and nothing that happened in it is missed', async () => {
  const rig = await startRig('a');
  rig.fake.endWatches('silence');
  stepMs = 1_000;
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
  stepMs = 1_000;
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
  expect(rig.reflector.health()).toBeNull();
  await until(() => expect(rig.reflector.health()).toMatch(/not in step for 12\d s: NETWORK/));
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

test('metrics: lists and watches by resource', async () => {
  const registry = new Registry();
  const rig = await makeRig({ registry });
  makeReflector({
    transport: rig.transport,
    resource: CLOSED,
    sink: rig.store,
    clock: systemClock,
    log: makeLog(
      () => {},
      () => 0,
    ),
    registry,
  });
  rig.reflector.start();
  await watching(rig);
  const text = await registry.metrics();
  expect(text).toContain('reflector_lists_total{name="webs.example.io"} 1');
  expect(text).toContain('reflector_watches_total{name="webs.example.io"} 1');
});

test('closed at any moment: nothing more reaches the sink, no timer and no request stays', async () => {
  const fake = await startFakeApiServer({ resources: [WEBS] });
  open.add(fake);
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

// ---- Churn -----------------------------------------------------------------------------------------------------------------------

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

test.each([1, 2, 3, 4, 5, 6])(
  'churn with every misfortune, seed %i: the store is the server, and listeners know the last of all',
  async (seed) => {
    const roll = makeDie(seed);
    const rig = await makeRig();
    const { fake, store, transport } = rig;
    const client = makeClient({ transport, fieldManager: 'test', metricPrefix: 'test' });
    /** What listeners were told of others' changes, by key. */
    const told = new Map<string, unknown>();
    store.onChange(({ type, key, object }) => {
      if (type === 'deleted') told.delete(key);
      else told.set(key, markOf(object as KubeObject));
    });
    for (let i = 0; i < 300; i++) put(fake, `web-${i}`, 0);
    rig.reflector.start();
    for (let step = 1; step <= 400; step++) {
      const name = `web-${roll(12)}`;
      if (roll(6) === 0) drop(fake, name);
      else put(fake, name, step);
      // Our own writes go on meanwhile, in the order that one worker for a key has; some fail.
      if (roll(4) === 0) {
        const place = { namespace: 'shop', name, subresource: 'status' };
        await client.patch(WEBS, place, { status: { step } }).then(
          (object) => store.wrote(object),
          () => {},
        );
      }
      if (roll(10) === 0) misfortune(fake, roll);
      if (roll(3) === 0) await new Promise(setImmediate);
    }
    fake.heal();
    fake.endWatches('end');
    await until(() => {
      expect(contents(store)).toEqual(stored(fake));
      expect(Object.fromEntries(told)).toEqual(
        Object.fromEntries(fake.list(WEBS).map((object) => [keyOf(object), markOf(object)])),
      );
    });
  },
);

const markOf = ({ spec }: KubeObject): unknown => (spec as { mark: number }).mark;

test('our own writes, a hundred of them: the watch tells no listener', async () => {
  const rig = await makeRig({}, undefined, 200);
  for (let i = 0; i < 20; i++) put(rig.fake, `web-${i}`, 0);
  rig.reflector.start();
  await watching(rig);
  rig.changes.length = 0;
  const client = makeClient({ transport: rig.transport, fieldManager: 'test', metricPrefix: 'test' });
  const work = async (name: string): Promise<void> => {
    for (let mark = 1; mark <= 5; mark++)
      rig.store.wrote(await client.patch(WEBS, { namespace: 'shop', name }, { spec: { mark } }));
  };
  await Promise.all(Array.from({ length: 20 }, (_, i) => work(`web-${i}`)));
  put(rig.fake, 'last', 1);
  await inStep(rig);
  expect(rig.changes.map(({ key }) => key)).toEqual(['shop/last']);
});
