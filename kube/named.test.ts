import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { makeNamedObjects, type NamedObjects, type NamedObjectsOptions, type NamedState } from './named.ts';
import type { Resource } from './object.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { turnTime } from './testing/turned-time.ts';
import { makeTransport, type Transport } from './transport.ts';

const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };
const time = turnTime();

interface Rig {
  readonly fake: FakeApiServer;
  readonly transport: Transport;
  readonly named: NamedObjects;
  /** Owners in the order they were told. */
  readonly told: string[];
  readonly log: string[];
}

const open: Rig[] = [];
afterEach(async () => {
  for (const { named, transport, fake } of open.splice(0)) {
    named.close();
    named.close();
    transport.close();
    await fake.close();
  }
});

async function makeRig(options: Partial<NamedObjectsOptions> = {}): Promise<Rig> {
  const fake = await startFakeApiServer({ resources: [SECRETS] });
  const lines: string[] = [];
  const log = makeLog(
    (line) => lines.push(line),
    () => 0,
  );
  const transport = makeTransport({ access: fake.access(), log, clock: systemClock, userAgent: 'test' });
  const named = makeNamedObjects({ transport, log, clock: systemClock, random: () => 0, ...options });
  const told: string[] = [];
  named.onChange((owner) => told.push(owner));
  const rig = { fake, transport, named, told, log: lines };
  open.push(rig);
  return rig;
}

const ref = (name: string): { resource: Resource; namespace: string; name: string } => ({
  ...{ resource: SECRETS, namespace: 'shop', name },
});
const stateOf = ({ named }: Rig, name: string): NamedState => named.state(SECRETS, 'shop', name);
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });

function put(fake: FakeApiServer, name: string, value: string, labels: Record<string, string> = {}): void {
  const metadata = { namespace: 'shop', name, labels };
  fake.put(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { key: value } });
}

test('present, changed, gone and back: its owners are told, each once a change', async () => {
  const rig = await makeRig();
  put(rig.fake, 'db', 'MQ==');
  put(rig.fake, 'other', 'MQ==');
  expect(stateOf(rig, 'db')).toEqual({ state: 'unknown' });
  rig.named.want('a', [ref('db')]);
  rig.named.want('b', [ref('db'), ref('db')]);
  await until(() => expect(rig.told).toEqual(['a', 'b']));
  const first = stateOf(rig, 'db');
  expect(first).toEqual({ state: 'present', hash: expect.stringMatching(/^[0-9a-f]{16}$/), keys: ['key'] });
  put(rig.fake, 'db', 'Mg==');
  await until(() => expect(rig.told).toHaveLength(4));
  expect(stateOf(rig, 'db')).not.toEqual(first);
  rig.fake.remove(SECRETS, { namespace: 'shop', name: 'db' });
  await until(() => expect(rig.told).toHaveLength(6));
  expect(stateOf(rig, 'db')).toEqual({ state: 'missing' });
  put(rig.fake, 'db', 'MQ==');
  await until(() => expect(rig.told).toHaveLength(8));
  expect(stateOf(rig, 'db')).toEqual(first);
});

test('what is not of the content tells nobody', async () => {
  const rig = await makeRig();
  put(rig.fake, 'db', 'MQ==');
  rig.named.want('a', [ref('db')]);
  await until(() => expect(rig.told).toEqual(['a']));
  put(rig.fake, 'db', 'MQ==', { team: 'blue' });
  put(rig.fake, 'other', 'MQ==');
  put(rig.fake, 'db', 'Mg==');
  await until(() => expect(rig.told).toEqual(['a', 'a']));
});

test('asked for by name only, never for all', async () => {
  const rig = await makeRig();
  rig.named.want('a', [ref('db')]);
  await until(() => expect(stateOf(rig, 'db')).toEqual({ state: 'missing' }));
  await until(() => expect(rig.fake.openWatches).toBe(1));
  for (const { path, query } of rig.fake.requests) {
    expect(path).toBe('/api/v1/namespaces/shop/secrets');
    expect(query['fieldSelector']).toBe('metadata.name=db');
  }
});

test.each(['db,metadata.name!=x', 'DB', '', '-db', `${'a'.repeat(254)}`, 'a/b'])(
  'what cannot be a name is missing, and the server is not asked: %#',
  async (name) => {
    const rig = await makeRig();
    rig.named.want('a', [ref(name)]);
    expect(stateOf(rig, name)).toEqual({ state: 'missing' });
    rig.named.want('a', [ref('db')]);
    await until(() => expect(rig.told).toEqual(['a']));
    expect(rig.fake.requests.every(({ query }) => query['fieldSelector'] === 'metadata.name=db')).toBe(true);
  },
);

test('one watch however many want it, and none when nobody does', async () => {
  const rig = await makeRig();
  for (const owner of ['a', 'b', 'c']) rig.named.want(owner, [ref('db')]);
  await until(() => expect(rig.fake.openWatches).toBe(1));
  rig.named.want('a', []);
  rig.named.want('b', [ref('cache')]);
  await until(() => expect(rig.fake.openWatches).toBe(2));
  rig.named.want('c', []);
  rig.named.want('b', []);
  await until(() => expect(rig.fake.openWatches).toBe(0));
  expect(stateOf(rig, 'db')).toEqual({ state: 'unknown' });
  expect(rig.fake.requests.filter(({ watch }) => watch)).toHaveLength(2);
});

test('an owner that is told may want something else at once', async () => {
  const rig = await makeRig();
  put(rig.fake, 'db', 'MQ==');
  rig.named.onChange((owner) => rig.named.want(owner, [ref('cache')]));
  rig.named.want('a', [ref('db')]);
  await until(() => expect(stateOf(rig, 'cache')).toEqual({ state: 'missing' }));
  expect(stateOf(rig, 'db')).toEqual({ state: 'unknown' });
});

test('forbidden: said with the words of the server, seldom asked again, and back when it is allowed', async () => {
  const rig = await makeRig();
  put(rig.fake, 'db', 'MQ==');
  const message = 'secrets "db" is forbidden';
  rig.fake.fail({ times: 1e9 }, { status: 403, message });
  rig.named.want('a', [ref('db')]);
  await until(() => expect(stateOf(rig, 'db')).toEqual({ state: 'forbidden', message }));
  expect(rig.told).toEqual(['a']);
  const since = performance.now();
  time.by(1_000);
  await until(() => expect(performance.now() - since).toBeGreaterThan(1_200_000));
  // Every 45 s once, and the watch is tried now and then.
  expect(rig.fake.requests.length).toBeLessThan(40);
  expect(rig.log.length).toBeLessThan(40);
  expect(rig.told).toEqual(['a']);
  expect(rig.named.health()).toBeNull();
  rig.fake.heal();
  await until(() => expect(stateOf(rig, 'db')).toMatchObject({ state: 'present' }));
  await until(() => expect(rig.fake.openWatches).toBe(1));
});

test('reading is allowed and watching is not: read, so that a change is seen within two minutes', async () => {
  const rig = await makeRig();
  rig.fake.fail({ path: /fieldSelector/, times: 1e9 }, { status: 403, message: 'no' });
  put(rig.fake, 'db', 'MQ==');
  rig.named.want('a', [ref('db')]);
  await until(() => expect(stateOf(rig, 'db')).toMatchObject({ state: 'present' }));
  put(rig.fake, 'db', 'Mg==');
  const since = performance.now();
  await until(() => expect(rig.told).toHaveLength(2));
  expect(performance.now() - since).toBeLessThan(120_000);
  rig.fake.remove(SECRETS, { namespace: 'shop', name: 'db' });
  await until(() => expect(stateOf(rig, 'db')).toEqual({ state: 'missing' }));
});

test('beyond the watches there are: read, until one is free', async () => {
  const rig = await makeRig({ maxWatches: 2 });
  for (const name of ['a', 'b', 'c', 'd']) {
    put(rig.fake, name, 'MQ==');
    rig.named.want(name, [ref(name)]);
  }
  await until(() => expect([...rig.told].sort()).toEqual(['a', 'b', 'c', 'd']));
  await until(() => expect(rig.fake.openWatches).toBe(2));
  put(rig.fake, 'd', 'Mg==');
  await until(() => expect(rig.told.filter((owner) => owner === 'd')).toHaveLength(2));
  rig.named.want('a', []);
  rig.named.want('b', []);
  const watched = (): unknown[] =>
    rig.fake.requests.flatMap(({ watch, query }) => (watch ? [query['fieldSelector']] : []));
  await until(() => expect(watched().sort()).toEqual(['a', 'b', 'c', 'd'].map((name) => `metadata.name=${name}`)));
});

test('the server away: what was known holds, a few lines say so, ill health after two minutes; then back', async () => {
  const rig = await makeRig({ maxWatches: 20 });
  const names = Array.from({ length: 30 }, (_, i) => `db-${i}`);
  for (const name of names) put(rig.fake, name, 'MQ==');
  rig.named.want('a', names.map(ref));
  await until(() => expect(rig.told).toHaveLength(30));
  await until(() => expect(rig.fake.openWatches).toBe(20));
  await rig.fake.down();
  const since = performance.now();
  time.by(1_000);
  await until(() => expect(performance.now() - since).toBeGreaterThan(300_000));
  expect(rig.named.health()).toMatch(/^30 of 30 watched by name: /);
  expect(rig.log.length).toBeLessThan(50);
  expect(rig.told).toHaveLength(30);
  await rig.fake.up();
  put(rig.fake, 'db-0', 'Mg==');
  put(rig.fake, 'db-29', 'Mg==');
  await until(() => expect(rig.told).toHaveLength(32));
  await until(() => expect(rig.named.health()).toBeNull());
});

test('a listener that throws is told of in the log; the others hear all the same', async () => {
  const rig = await makeRig();
  const named = rig.named;
  named.onChange(() => {
    throw new Error('a bug');
  });
  const other = vi.fn<(owner: string) => void>();
  const stop = named.onChange(other);
  named.want('a', [ref('db')]);
  await until(() => expect(other).toHaveBeenCalledWith('a'));
  expect(rig.log.join('\n')).toContain('a bug');
  stop();
  put(rig.fake, 'db', 'MQ==');
  await until(() => expect(rig.told).toEqual(['a', 'a']));
  expect(other).toHaveBeenCalledTimes(1);
});

test('closed: no timer and no watch stays, and nothing is told', async () => {
  const rig = await makeRig({ maxWatches: 1 });
  rig.named.want('a', ['x', 'y', 'z'].map(ref));
  await until(() => expect(rig.fake.openWatches).toBe(1));
  rig.named.close();
  const told = rig.told.length;
  rig.named.want('b', [ref('q')]);
  put(rig.fake, 'x', 'MQ==');
  await until(() => expect(rig.fake.openWatches).toBe(0));
  rig.transport.close();
  expect(vi.getTimerCount()).toBe(0);
  expect(rig.told).toHaveLength(told);
});

test('what the caller takes out of an object is kept with its state, and a change of it is told', async () => {
  const extract = (object: Readonly<Record<string, unknown>>): string | undefined =>
    (object['data'] as { key?: string }).key;
  const rig = await makeRig({ extract });
  put(rig.fake, 'db', 'MQ==');
  rig.named.want('a', [ref('db')]);
  await until(() => expect(stateOf(rig, 'db')).toMatchObject({ state: 'present', extract: 'MQ==' }));
  put(rig.fake, 'db', 'Mg==');
  await until(() => expect(stateOf(rig, 'db')).toMatchObject({ extract: 'Mg==' }));
  expect(rig.told).toEqual(['a', 'a']);
});

test('those that are patient leave half of the watches to the others', async () => {
  const rig = await makeRig({ maxWatches: 2 });
  for (const name of ['a', 'b', 'c']) put(rig.fake, name, 'MQ==');
  const patient = true;
  rig.named.want('x', [
    { ...ref('a'), patient },
    { ...ref('b'), patient },
  ]);
  await until(() => expect(rig.told).toEqual(['x', 'x']));
  expect(rig.fake.openWatches).toBe(1);
  rig.named.want('y', [ref('c')]);
  await until(() => expect(rig.fake.openWatches).toBe(2));
  await until(() => expect(stateOf(rig, 'c')).toMatchObject({ state: 'present' }));
});

test('one that is patient is read once a quarter of an hour, until another is not', async () => {
  const rig = await makeRig({ maxWatches: 0 });
  for (const name of ['a', 'b']) put(rig.fake, name, 'MQ==');
  const reads = (name: string): number => rig.fake.requests.filter(({ path }) => path.endsWith(`/${name}`)).length;
  rig.named.want('x', [{ ...ref('a'), patient: true }, ref('b')]);
  await until(() => expect([reads('a'), reads('b')]).toEqual([1, 1]));
  time.by(1_000);
  await until(() => expect(reads('b')).toBeGreaterThan(8));
  expect(reads('a')).toBe(1);
  expect(rig.named.health()).toBeNull();
  rig.named.want('y', [ref('a')]);
  const before = reads('b');
  await until(() => expect(reads('a')).toBeGreaterThan(2));
  expect(reads('b') - before).toBeLessThan(8);
});
