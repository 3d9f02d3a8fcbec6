import { expect, test, vi } from 'vitest';
import type { KubeObject } from './object.ts';
import { makeStore, type Sink, type Store, type StoreChange } from './store.ts';

function web(
  version: number,
  fields: { uid?: string; generation?: number; name?: string; owner?: string } = {},
): KubeObject {
  const { uid = 'u1', generation = 1, name = 'web', owner = 'o1' } = fields;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'shop', name, uid, generation, resourceVersion: String(version), labels: { owner } },
  };
}

interface Rig {
  readonly store: Store<KubeObject> & Sink;
  /** Like `updated 5 (was 3)`. */
  readonly told: string[];
}

function makeRig(): Rig {
  const store = makeStore<KubeObject>({
    kind: 'Deployment',
    indexes: { owner: ({ metadata }) => [metadata.labels?.['owner'] ?? ''] },
  });
  const told: string[] = [];
  store.onChange(({ type, object, old, initial }) => {
    const was = old === undefined ? '' : ` (was ${old.metadata.resourceVersion})`;
    told.push(`${initial ? 'first ' : ''}${type} ${object.metadata.resourceVersion}${was}`);
  });
  return { store, told };
}

function list(sink: Sink, version: number, ...objects: KubeObject[]): void {
  sink.begin(String(version));
  for (const object of objects) sink.page([object]);
  sink.commit();
}

/** A store that has heard a list at version 10 with one object of version 5. */
function listed(): Rig {
  const rig = makeRig();
  list(rig.store, 10, web(5));
  rig.told.length = 0;
  return rig;
}

const versionOf = (store: Store<KubeObject>): string | undefined => store.get('shop/web')?.metadata.resourceVersion;

test('the first list is told as such, later ones and events are not', () => {
  const { store, told } = makeRig();
  list(store, 10, web(5), web(6, { name: 'api' }));
  store.event('MODIFIED', web(11));
  list(store, 20, web(11), web(15, { name: 'job' }));
  expect(told).toEqual(['first added 5', 'first added 6', 'updated 11 (was 5)', 'added 15', 'deleted 6']);
  expect([...store.keys()].sort()).toEqual(['shop/job', 'shop/web']);
});

test('a list that is begun anew counts once, and deletes only when it is complete', () => {
  const { store, told } = listed();
  store.begin('20');
  store.page([web(12, { name: 'api' })]);
  store.begin('30');
  store.page([web(5)]);
  expect(store.size).toBe(2);
  store.commit();
  expect([...store.keys()]).toEqual(['shop/web']);
  expect(told).toEqual(['added 12', 'deleted 12']);
});

test.each<[string, (store: Store<KubeObject> & Sink) => void, string[], string | undefined]>([
  ['a version already known', (s) => s.event('MODIFIED', web(5)), [], '5'],
  ['an older version', (s) => s.event('MODIFIED', web(4)), [], '5'],
  ['versions are numbers, not texts', (s) => s.event('MODIFIED', web(100)), ['updated 100 (was 5)'], '100'],
  ['deleted', (s) => s.event('DELETED', web(11)), ['deleted 5'], undefined],
  ['made again unseen', (s) => s.event('MODIFIED', web(12, { uid: 'u2' })), ['updated 12 (was 5)'], '12'],
  ['deleted before it was known', (s) => s.event('DELETED', web(11, { name: 'api' })), [], '5'],
])('event: %s', (_, act, wanted, version) => {
  const { store, told } = listed();
  act(store);
  expect(told).toEqual(wanted);
  expect(versionOf(store)).toBe(version);
});

test.each<[string, (store: Store<KubeObject> & Sink) => void, string[], string | undefined]>([
  ['is read at once, and tells nobody', (s) => s.wrote(web(12)), [], '12'],
  [
    'its echo tells nobody',
    (s) => {
      s.wrote(web(12));
      s.event('MODIFIED', web(12));
    },
    [],
    '12',
  ],
  [
    'echoes of several tell nobody',
    (s) => {
      for (const version of [12, 13, 14]) s.wrote(web(version));
      for (const version of [12, 13, 14]) s.event('MODIFIED', web(version));
    },
    [],
    '14',
  ],
  [
    'what came before it by another is told, and does not overwrite it',
    (s) => {
      s.wrote(web(13));
      s.event('MODIFIED', web(12));
      s.event('MODIFIED', web(13));
    },
    ['updated 13 (was 5)'],
    '13',
  ],
  [
    'what comes after it is told against it',
    (s) => {
      s.wrote(web(12));
      s.event('MODIFIED', web(12));
      s.event('MODIFIED', web(13));
    },
    ['updated 13 (was 12)'],
    '13',
  ],
  [
    'a later state makes the echo needless',
    (s) => {
      s.wrote(web(12));
      s.event('MODIFIED', web(14));
    },
    ['updated 14 (was 12)'],
    '14',
  ],
  [
    'older than what the watch told: known',
    (s) => {
      s.event('MODIFIED', web(14));
      s.wrote(web(12));
    },
    ['updated 14 (was 5)'],
    '14',
  ],
  [
    'of what was deleted meanwhile: makes no ghost',
    (s) => {
      s.event('DELETED', web(13));
      s.wrote(web(12));
    },
    ['deleted 5'],
    undefined,
  ],
  [
    'that made it again outlives the delete of what was there before',
    (s) => {
      s.wrote(web(13, { uid: 'u2' }));
      s.event('DELETED', web(12));
      s.event('ADDED', web(13, { uid: 'u2' }));
    },
    [],
    '13',
  ],
  [
    'and then deleted by another',
    (s) => {
      s.wrote(web(12));
      s.event('MODIFIED', web(12));
      s.event('DELETED', web(13));
    },
    ['deleted 12'],
    undefined,
  ],
  [
    'a list from before it neither undoes nor deletes it',
    (s) => {
      s.wrote(web(22));
      s.wrote(web(23, { name: 'api', uid: 'u3' }));
      list(s, 20, web(5));
    },
    [],
    '22',
  ],
  [
    'a list that shows it may hide what another wrote before: told to be safe',
    (s) => {
      s.wrote(web(13));
      list(s, 20, web(13));
    },
    ['updated 13 (was 5)'],
    '13',
  ],
  [
    'once confirmed it is as any other',
    (s) => {
      s.wrote(web(13));
      s.event('MODIFIED', web(13));
      list(s, 20, web(13));
    },
    [],
    '13',
  ],
  [
    'a list from after it that lacks it deletes it',
    (s) => {
      s.wrote(web(13));
      list(s, 20);
    },
    ['deleted 13'],
    undefined,
  ],
])('our write: %s', (_, act, wanted, version) => {
  const { store, told } = listed();
  act(store);
  expect(told).toEqual(wanted);
  expect(versionOf(store)).toBe(version);
});

test.each<[string, (store: Store<KubeObject> & Sink) => void, string[], string | undefined]>([
  ['is gone at once, and tells nobody', (s) => s.removed('shop/web', 'u1'), [], undefined],
  [
    'events of what was deleted bring nothing back',
    (s) => {
      s.removed('shop/web', 'u1');
      s.event('MODIFIED', web(11));
      s.event('DELETED', web(12));
    },
    [],
    undefined,
  ],
  [
    'another of that name is news',
    (s) => {
      s.removed('shop/web', 'u1');
      s.event('DELETED', web(12));
      s.event('ADDED', web(13, { uid: 'u2' }));
    },
    ['added 13'],
    '13',
  ],
  ['another uid is not touched', (s) => s.removed('shop/web', 'u0'), [], '5'],
  [
    'a list from before it brings nothing back, nor do the events after it',
    (s) => {
      s.removed('shop/web', 'u1');
      list(s, 20, web(5));
      s.event('MODIFIED', web(21));
      s.event('DELETED', web(22));
    },
    [],
    undefined,
  ],
  [
    'made, deleted, made again by us: the events tell nobody',
    (s) => {
      s.removed('shop/web', 'u1');
      s.wrote(web(13, { uid: 'u2' }));
      s.removed('shop/web', 'u2');
      s.wrote(web(15, { uid: 'u3' }));
      s.event('DELETED', web(12));
      s.event('ADDED', web(13, { uid: 'u2' }));
      s.event('DELETED', web(14, { uid: 'u2' }));
      s.event('ADDED', web(15, { uid: 'u3' }));
    },
    [],
    '15',
  ],
  [
    'held by a finalizer and applied to: its end is news',
    (s) => {
      s.removed('shop/web', 'u1');
      s.event('MODIFIED', web(12));
      s.wrote(web(12));
      s.event('DELETED', web(20));
    },
    ['deleted 12'],
    undefined,
  ],
])('our delete: %s', (_, act, wanted, version) => {
  const { store, told } = listed();
  act(store);
  expect(told).toEqual(wanted);
  expect(versionOf(store)).toBe(version);
});

test.each<[string, (store: Store<KubeObject> & Sink) => Promise<unknown>, string[], string | undefined]>([
  [
    'the echo is first',
    (s) =>
      s.whileWriting('shop/web', async () => {
        s.event('MODIFIED', web(12));
        expect(versionOf(s)).toBe('12');
        s.wrote(web(12));
      }),
    [],
    '12',
  ],
  [
    'the echo of a delete is first',
    (s) =>
      s.whileWriting('shop/web', async () => {
        s.event('DELETED', web(12));
        s.removed('shop/web', 'u1');
      }),
    [],
    undefined,
  ],
  [
    'what others did before and after is told, in order',
    (s) =>
      s.whileWriting('shop/web', async () => {
        for (const version of [11, 12, 13]) s.event('MODIFIED', web(version));
        s.wrote(web(12));
      }),
    ['updated 11 (was 5)', 'updated 13 (was 12)'],
    '13',
  ],
  [
    'what another did before is told though our answer overtook it',
    (s) =>
      s.whileWriting('shop/web', async () => {
        s.wrote(web(12));
        s.event('MODIFIED', web(11));
        s.event('MODIFIED', web(12));
      }),
    ['updated 12 (was 5)'],
    '12',
  ],
  [
    'it fails: all was done by others',
    (s) =>
      s
        .whileWriting('shop/web', async () => {
          s.event('MODIFIED', web(12));
          throw new Error('refused');
        })
        .catch((error: Error) => expect(error.message).toBe('refused')),
    ['updated 12 (was 5)'],
    '12',
  ],
  [
    'two at a time: told when both are done',
    (s) =>
      s.whileWriting('shop/web', async () => {
        await s.whileWriting('shop/web', async () => {
          s.event('MODIFIED', web(12));
          s.event('MODIFIED', web(13));
          s.wrote(web(12));
        });
        s.wrote(web(13));
      }),
    [],
    '13',
  ],
  [
    'other objects are told of at once',
    (s) =>
      s.whileWriting('shop/api', async () => {
        s.event('MODIFIED', web(12));
        s.wrote(web(13));
      }),
    ['updated 12 (was 5)'],
    '13',
  ],
  [
    'a flood is not kept back',
    (s) =>
      s.whileWriting('shop/web', async () => {
        for (let version = 11; version < 30; version++) s.event('MODIFIED', web(version));
        for (let version = 11; version < 27; version++) s.wrote(web(version));
      }),
    ['updated 27 (was 26)', 'updated 28 (was 27)', 'updated 29 (was 28)'],
    '29',
  ],
])('while our write is on its way: %s', async (_, act, wanted, version) => {
  const { store, told } = listed();
  await act(store);
  expect(told).toEqual(wanted);
  expect(versionOf(store)).toBe(version);
});

test('a listener that throws after a write does not fail the write', async () => {
  const { store } = listed();
  store.onChange(() => {
    throw new Error('a bug');
  });
  const wrote = store.whileWriting('shop/web', async () => store.event('MODIFIED', web(12)));
  await expect(wrote).resolves.toBeUndefined();
  expect(() => store.event('MODIFIED', web(12))).toThrow('a bug');
});

test('etcd restored from a backup: an older list is the truth, our writes included', () => {
  const { store, told } = listed();
  store.event('MODIFIED', web(50));
  store.wrote(web(60, { name: 'api', uid: 'u3' }));
  list(store, 30, web(20));
  expect([...store.keys()]).toEqual(['shop/web']);
  expect(told).toEqual(['updated 50 (was 5)', 'updated 20 (was 50)', 'deleted 60']);
  store.wrote(web(31));
  expect(versionOf(store)).toBe('31');
});

test('an index follows every way an object comes, changes and goes', () => {
  const { store } = makeRig();
  const names = (owner: string): string[] =>
    store
      .byIndex('owner', owner)
      .map(({ metadata }) => metadata.name)
      .sort();
  list(store, 10, ...['a', 'b', 'c'].map((name) => web(5, { name, uid: name })));
  expect(names('o1')).toEqual(['a', 'b', 'c']);
  store.event('MODIFIED', web(11, { name: 'a', uid: 'a', owner: 'o2' }));
  store.wrote(web(12, { name: 'b', uid: 'b', owner: 'o2' }));
  expect([names('o1'), names('o2')]).toEqual([['c'], ['a', 'b']]);
  store.removed('shop/a', 'a');
  store.event('DELETED', web(13, { name: 'c', uid: 'c' }));
  expect([names('o1'), names('o2')]).toEqual([[], ['b']]);
  list(store, 20);
  expect(names('o2')).toEqual([]);
  expect(() => store.byIndex('colour', 'red')).toThrow('the store of Deployment has no index "colour"');
});

test('what is read belongs to the reader', () => {
  const { store } = listed();
  (store.get('shop/web')?.metadata as { name: string }).name = 'changed';
  expect(store.get('shop/web')?.metadata.name).toBe('web');
});

test('managedFields of our writes are not kept', () => {
  const { store } = listed();
  const object = web(12);
  store.wrote({
    ...object,
    metadata: { ...object.metadata, managedFields: [{ manager: 'x' }] } as KubeObject['metadata'],
  });
  expect(store.get('shop/web')).toEqual(object);
});

test('a listener that throws keeps nothing from the others, nor from the store', () => {
  const { store } = listed();
  const other = vi.fn<(change: StoreChange) => void>();
  const stop = store.onChange(() => {
    throw new Error('a bug');
  });
  store.onChange(other);
  expect(() => list(store, 20, web(12), web(13, { name: 'api' }))).toThrow('a bug');
  expect(other.mock.calls.map(([{ key }]) => key)).toEqual(['shop/web']);
  stop();
  store.begin('30');
  store.page([web(12), web(13, { name: 'api' })]);
  store.commit();
  expect(store.size).toBe(2);
});

test('an object that `keep` cannot read stays as it was; the others are kept', () => {
  const store = makeStore<KubeObject>({
    kind: 'Pod',
    keep(object) {
      const { metadata } = object as KubeObject;
      if (Number(metadata.resourceVersion) > 20) throw new Error('unreadable');
      return object as KubeObject;
    },
  });
  list(store, 10, web(5));
  store.begin('30');
  expect(() => store.page([web(25), web(12, { name: 'api' })])).toThrow('unreadable');
  store.commit();
  expect(versionOf(store)).toBe('5');
  expect(store.size).toBe(2);
});

test('a listener that is stopped hears no more, and the same function twice is two', () => {
  const { store } = listed();
  const listener = vi.fn<() => void>();
  const stop = store.onChange(listener);
  store.onChange(listener);
  stop();
  stop();
  store.event('MODIFIED', web(11));
  expect(listener).toHaveBeenCalledTimes(1);
});
