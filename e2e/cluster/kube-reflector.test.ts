// kube/'s reflector and store against a real API server and etcd: pages, watches, compaction, restarts. The store ends as the server.
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { type Client, makeClient } from '../../kube/client.ts';
import { isGone } from '../../kube/errors.ts';
import { makeNamedObjects } from '../../kube/named.ts';
import { type KubeObject, keyOf, pathOf, type Resource } from '../../kube/object.ts';
import { makeReflector, type Reflector } from '../../kube/reflector.ts';
import { makeStore, type Sink, type Store, type StoreChange } from '../../kube/store.ts';
import { makeTransport } from '../../kube/transport.ts';
import { until } from './control-plane.ts';
import { useCluster } from './fixture.ts';

const cluster = useCluster();
const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const ours = 'app=reflected';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

interface Rig {
  readonly client: Client;
  readonly store: Store<KubeObject> & Sink;
  readonly reflector: Reflector;
  readonly changes: StoreChange[];
  /** What ended lists and watches. */
  readonly troubles: unknown[];
  readonly namespace: string;
}

async function makeRig(): Promise<Rig> {
  const troubles: unknown[] = [];
  const log = makeLog(() => {}, Date.now);
  const common = { log, clock: systemClock };
  const transport = makeTransport({ ...common, access: cluster().access(), userAgent: 'e2e' });
  const store = makeStore<KubeObject>({ kind: 'ConfigMap' });
  const changes: StoreChange[] = [];
  store.onChange((change) => changes.push(change));
  const namespace = await cluster().makeNamespace();
  const reflector = makeReflector({
    ...{ ...common, transport, namespace },
    ...{ resource: CONFIG_MAPS, labelSelector: ours, sink: store, onTrouble: (error: unknown) => troubles.push(error) },
  });
  opened.push(reflector, transport);
  const client = makeClient({ transport, fieldManager: 'e2e', metricPrefix: 'e2e' });
  return { client, store, reflector, changes, troubles, namespace };
}

const configMap = ({ namespace }: Rig, name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { app: 'reflected' } },
  data,
});

/** As another would, not through what is tested. */
async function put(rig: Rig, name: string, data: Record<string, string>): Promise<void> {
  const path = `${pathOf(CONFIG_MAPS, { namespace: rig.namespace, name })}?fieldManager=another&force=true`;
  await cluster().api.json('PATCH', path, configMap(rig, name, data), 'application/apply-patch+yaml');
}

async function drop({ namespace }: Rig, name: string): Promise<void> {
  await cluster().api.call('DELETE', pathOf(CONFIG_MAPS, { namespace, name }));
}

const dataOf = (object: KubeObject): [string, unknown] => [
  keyOf(object),
  [object.metadata.uid, object.metadata.resourceVersion, object['data']],
];

async function inStep(rig: Rig): Promise<void> {
  const path = `${pathOf(CONFIG_MAPS, { namespace: rig.namespace })}?labelSelector=${ours}`;
  const { items } = await cluster().api.json<{ items: KubeObject[] }>('GET', path);
  const wanted = JSON.stringify(items.map(dataOf).sort());
  const seen = (): unknown[] => [...rig.store.keys()].map((key) => dataOf(rig.store.get(key) as KubeObject));
  await until('store that is as the server', () => JSON.stringify(seen().sort()) === wanted);
}

/** @param width at a time */
async function putMany(rig: Rig, count: number, width = 16): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `map-${String(index).padStart(4, '0')}`);
  const work = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) await put(rig, name, { name });
  };
  await Promise.all(Array.from({ length: width }, work));
}

test('600 objects in pages, as they are; then changes as they come', async () => {
  const rig = await makeRig();
  await putMany(rig, 600);
  const before = await cluster().requestCount({ verbs: ['LIST'], resource: 'configmaps' });
  rig.reflector.start();
  await rig.reflector.synced;
  expect(rig.store.size).toBe(600);
  expect(rig.changes.every(({ type, initial }) => type === 'added' && initial)).toBe(true);
  expect(await cluster().requestCount({ verbs: ['LIST'], resource: 'configmaps' })).toBe(before + 3);
  const [first] = rig.changes;
  expect(first?.object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  expect(first?.object.metadata).not.toHaveProperty('managedFields');
  rig.changes.length = 0;
  await put(rig, 'map-0000', { name: 'changed' });
  await drop(rig, 'map-0001');
  await put(rig, 'new', {});
  await until('three changes', () => rig.changes.length === 3);
  expect(rig.changes.map(({ type, key }) => `${type} ${key}`)).toEqual(
    ['updated map-0000', 'deleted map-0001', 'added new'].map((change) => change.replace(' ', ` ${rig.namespace}/`)),
  );
  await inStep(rig);
});

test('our own writes and deletes are read at once, and tell nobody', async () => {
  const rig = await makeRig();
  rig.reflector.start();
  await rig.reflector.synced;
  const write = async (name: string, round: number): Promise<void> => {
    const made = await rig.client.apply(CONFIG_MAPS, configMap(rig, name, { round: String(round) }));
    rig.store.wrote(made);
    expect(rig.store.get(keyOf(made))?.['data']).toEqual({ round: String(round) });
    if (round % 4 > 0) return;
    await rig.client.remove(CONFIG_MAPS, made.metadata);
    rig.store.removed(keyOf(made), made.metadata.uid ?? '');
    expect(rig.store.get(keyOf(made))).toBeUndefined();
  };
  for (let round = 0; round < 40; round++) {
    const name = `own-${round % 5}`;
    await rig.store.whileWriting(`${rig.namespace}/${name}`, () => write(name, round));
  }
  await put(rig, 'last', {});
  await inStep(rig);
  expect(rig.changes.map(({ key }) => key)).toEqual([`${rig.namespace}/last`]);
});

test('etcd compacted and the API server restarted while others write: it lists anew, and deletes what went', async () => {
  const rig = await makeRig();
  await putMany(rig, 40);
  rig.reflector.start();
  await rig.reflector.synced;
  const uid = rig.store.get(`${rig.namespace}/map-0001`)?.metadata.uid;
  await put(rig, 'map-0002', { changed: 'before' });
  await inStep(rig);
  await cluster().killApiServer();
  expect(rig.reflector.health()).toBeNull();
  await cluster().startApiServer();
  await drop(rig, 'map-0000');
  await drop(rig, 'map-0001');
  await put(rig, 'map-0001', { again: 'yes' });
  await cluster().compactEtcd();
  await cluster().restartApiServer();
  await put(rig, 'map-0003', { changed: 'after' });
  await inStep(rig);
  expect(rig.store.get(`${rig.namespace}/map-0000`)).toBeUndefined();
  expect(rig.store.get(`${rig.namespace}/map-0001`)?.metadata.uid).not.toBe(uid);
  expect(rig.reflector.health()).toBeNull();
  expect(rig.troubles.some(isGone)).toBe(true);
});

test('killed again and again under churn: nothing is missed', async () => {
  const rig = await makeRig();
  rig.reflector.start();
  await rig.reflector.synced;
  const told = new Map<string, unknown>();
  rig.store.onChange(({ type, key, object }) => {
    if (type === 'deleted') told.delete(key);
    else told.set(key, (object as KubeObject)['data']);
  });
  const deadline = { passed: false };
  const churn = async (worker: number): Promise<void> => {
    for (let step = 0; !deadline.passed; step++) {
      const name = `churn-${worker}-${step % 7}`;
      // While the server is away, calls fail: the next one comes.
      await (step % 5 === 0 ? drop(rig, name) : put(rig, name, { step: String(step) })).catch(
        () => new Promise((resolve) => setTimeout(resolve, 50)),
      );
    }
  };
  const workers = [churn(1), churn(2), churn(3)];
  for (let kill = 0; kill < 2; kill++) {
    await until('some churn', () => told.size >= 10);
    await cluster().killApiServer();
    await cluster().startApiServer();
    if (kill === 0) await cluster().compactEtcd();
  }
  deadline.passed = true;
  await Promise.all(workers);
  await inStep(rig);
  const stored = [...rig.store.keys()].map((key) => [key, rig.store.get(key)?.['data']]);
  expect([...told].sort()).toEqual(stored.sort());
});

test('an object by its name, with no more than the right to that one', async () => {
  const rig = await makeRig();
  const { namespace } = rig;
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'one' };
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'], verbs: ['get', 'list', 'watch'] },
  ];
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await cluster().api.json('POST', `${rbac}/roles`, { metadata: { name: 'one' }, rules });
  const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace }];
  await cluster().api.json('POST', `${rbac}/rolebindings`, { metadata: { name: 'one' }, roleRef: role, subjects });
  const log = makeLog(() => {}, Date.now);
  const access = await cluster().accessFor(namespace, 'reader');
  const transport = makeTransport({ access, log, clock: systemClock, userAgent: 'e2e' });
  const named = makeNamedObjects({ transport, log, clock: systemClock });
  opened.push(named, transport);
  const state = (name: string): string => named.state(CONFIG_MAPS, namespace, name).state;
  named.want(
    'owner',
    ['one', 'two'].map((name) => ({ resource: CONFIG_MAPS, namespace, name })),
  );
  await until(
    'one that is missing and one that is forbidden',
    () => state('one') === 'missing' && state('two') === 'forbidden',
  );
  await put(rig, 'one', { a: '1' });
  await until('one that is there', () => state('one') === 'present');
  const first = named.state(CONFIG_MAPS, namespace, 'one');
  await put(rig, 'one', { a: '2' });
  await until(
    'another hash',
    () => JSON.stringify(named.state(CONFIG_MAPS, namespace, 'one')) !== JSON.stringify(first),
  );
  await drop(rig, 'one');
  await until('one that is gone', () => state('one') === 'missing');
});
