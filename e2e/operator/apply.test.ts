// How the operator carries a plan out, on a real API server and with exactly the rights of manifests/: true server-side apply, preconditions, garbage
// that nobody has collected yet. No controller runs here: what a test makes stays as it is.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { webAppSchema } from '../../core/app/schema.ts';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { type Client, makeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { makeTransport, type Transport } from '../../kube/transport.ts';
import { NAME, NAMESPACE } from '../../operator/install/place.ts';
import { SAMPLES, sampleYaml } from '../../operator/install/samples.ts';
import { applyChanges, type WriteListener } from '../../operator/webapp/apply.ts';
import type { Change } from '../../operator/webapp/changes.ts';
import { CHILD_KINDS, CONFIG_MAP, POD, WEBAPP } from '../../operator/webapp/kinds.ts';
import { FIELD_MANAGER, labels } from '../../operator/webapp/names.ts';
import type { LiveWebApp } from '../../operator/webapp/observed.ts';
import { planWebApp } from '../../operator/webapp/plan/plan.ts';
import { untilEstablished } from '../cluster/established.ts';
import { useCluster } from '../cluster/fixture.ts';

const getCluster = useCluster();
const SETTINGS = { proxyImage: 'webapp-proxy:1', clusterDomain: 'cluster.local', drainDelayMs: 5_000 };
const { Deployment: DEPLOYMENT, Service: SERVICE } = CHILD_KINDS;

let transport: Transport;
let client: Client;
let admin: Client;
let namespace: string;
let webApp: LiveWebApp;

beforeAll(async () => {
  const manifest = (file: string) => new URL(`../../manifests/${file}`, import.meta.url).pathname;
  for (const file of ['namespace.yaml', 'crd.yaml', 'rbac.yaml'])
    await getCluster().kubectlOk(['apply', '-f', manifest(file)]);
  await untilEstablished(getCluster().kubectlOk, 'crd/webapps.webapp-operator.io');
  const open = (access: Parameters<typeof makeTransport>[0]['access']) =>
    makeTransport({ access, log: makeLog(() => {}, Date.now), clock: systemClock, userAgent: 'e2e' });
  transport = open(await getCluster().accessFor(NAMESPACE, NAME));
  client = makeClient({ transport, fieldManager: FIELD_MANAGER, metricPrefix: 'e2e' });
  adminTransport = open(getCluster().access());
  admin = makeClient({ transport: adminTransport, fieldManager: 'somebody', metricPrefix: 'e2e' });
});
let adminTransport: Transport;
afterAll(() => {
  transport?.close();
  adminTransport?.close();
});

beforeEach(async () => {
  namespace = await getCluster().makeNamespace();
  webApp = await makeWebApp();
});

async function makeWebApp(): Promise<LiveWebApp> {
  const text = sampleYaml(SAMPLES['minimal.yaml'] ?? { about: '', webApps: [] });
  await getCluster().kubectlOk(['apply', '-n', namespace, '-f', '-'], { input: text });
  const object = await admin.get(WEBAPP, { namespace, name: 'shop' });
  const { metadata } = object;
  return { ...webAppSchema.parse({ ...object, metadata: { name: 'shop' } }), metadata } as unknown as LiveWebApp;
}

class Told implements WriteListener {
  whileWriting<R>(_kind: string, _key: string, write: () => Promise<R>): Promise<R> {
    return write();
  }
  readonly wrote_: KubeObject[] = [];
  readonly removed_: string[] = [];
  wrote(object: KubeObject): void {
    this.wrote_.push(object);
  }
  removed(kind: string, key: string): void {
    this.removed_.push(`${kind} ${key}`);
  }
}

const apply = (changes: readonly Change[], told = new Told()) =>
  applyChanges(client, webApp, changes, told, new AbortController().signal);

/** As for a WebApp of which nothing is there. */
function firstPass(): Change[] {
  const nothing = { invalid: [], children: [], pods: [], references: [], reports: [] };
  return [...planWebApp({ ...nothing, webApp, apis: new Set(), settings: SETTINGS }, Date.now()).changes];
}

/** As another, by `kubectl apply`. */
async function make(resource: Resource, name: string, body: object = {}, more: object = {}): Promise<KubeObject> {
  const object = {
    apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name, namespace, ...more },
    ...body,
  };
  await getCluster().kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(object) });
  return admin.get(resource, { namespace, name });
}

const missing = (error: unknown) => {
  if (isNotFound(error)) return undefined;
  throw error;
};

test('a whole first pass by the operator’s own rights; the same once more changes nothing', async () => {
  const told = new Told();
  expect(await apply(firstPass(), told)).toEqual([]);
  expect(told.wrote_).toHaveLength(firstPass().length);
  for (const { metadata } of told.wrote_)
    expect(metadata.ownerReferences).toMatchObject([{ uid: webApp.metadata.uid, controller: true }]);
  const again = new Told();
  expect(await apply(firstPass(), again)).toEqual([]);
  const versions = ({ wrote_ }: Told) =>
    Object.fromEntries(wrote_.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion]));
  expect(versions(again)).toEqual(versions(told));
});

test.each([
  ['a kind of the API server’s own', 'Service', SERVICE, { ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }],
  ['a kind of a CRD', 'WebApp', WEBAPP, { image: 'a', app: 'a:a' }],
] as const)(
  'apply with a version that no object has makes what is absent and leaves what is there: %s',
  async (_, kind, resource, spec) => {
    const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    const fresh: KubeObject = { apiVersion, kind, metadata: { name: 'fresh', namespace, resourceVersion: '1' }, spec };
    const made = await admin.apply(resource, fresh);
    await expect(
      admin.apply(resource, { ...fresh, metadata: { ...fresh.metadata, labels: { a: 'b' } } }),
    ).rejects.toMatchObject({ status: 409 });
    expect((await admin.get(resource, fresh.metadata)).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  },
);

test('another’s ConfigMap of our name is not touched, and its component is not rolled out', async () => {
  const before = await make(CONFIG_MAP, 'shop-proxy', { data: { precious: 'yes' } });
  const failures = await apply(firstPass());
  expect(failures).toMatchObject([
    { type: 'taken', message: 'ConfigMap/shop-proxy is there already and was not made for this WebApp' },
  ]);
  expect(await admin.get(CONFIG_MAP, { namespace, name: 'shop-proxy' })).toEqual(before);
  expect(await admin.get(DEPLOYMENT, { namespace, name: 'shop-proxy' }).catch(missing)).toBeUndefined();
  expect(await admin.get(DEPLOYMENT, { namespace, name: 'shop-worker' })).toBeDefined();
});

test('what carries our labels and has no owner is adopted', async () => {
  await make(SERVICE, 'shop', { spec: { ports: [{ port: 80 }], selector: { a: 'b' } } }, { labels: labels('shop') });
  expect(await apply(firstPass())).toEqual([]);
  const { metadata } = await admin.get(SERVICE, { namespace, name: 'shop' });
  expect(metadata.ownerReferences).toMatchObject([{ uid: webApp.metadata.uid }]);
});

test('children of a WebApp that was deleted and made again are waited for until they are collected', async () => {
  expect(await apply(firstPass())).toEqual([]);
  await getCluster().kubectlOk(['delete', 'webapp', 'shop', '-n', namespace]);
  webApp = await makeWebApp();
  await expect(apply(firstPass())).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining('is still being deleted'),
  });
});

test('in a namespace that ends, children are nobody’s trouble, whether the WebApp has gone already or not', async () => {
  await getCluster().kubectlOk(['delete', 'namespace', namespace, '--wait=false']);
  expect(await apply(firstPass())).toEqual([]);
  await getCluster().kubectlOk(['delete', 'webapp', 'shop', '-n', namespace]);
  expect(await apply(firstPass())).toEqual([]);
});

test('what the API server refuses is told in its words, and the rest is made', async () => {
  const changes = firstPass().map((change): Change => {
    if (change.verb !== 'apply' || change.object.kind !== 'PodDisruptionBudget') return change;
    return { ...change, object: { ...change.object, spec: { minAvailable: -1 } } };
  });
  const failures = await apply(changes);
  expect(failures.map(({ type }) => type)).toEqual(['refused', 'refused']);
  expect(failures[0]?.message).toMatch(/spec\.minAvailable.*must be greater than or equal to 0/);
  expect(await admin.get(DEPLOYMENT, { namespace, name: 'shop-worker' })).toBeDefined();
});

test('only what was seen is deleted: not what changed since, and not its successor', async () => {
  const seen = (await make(CONFIG_MAP, 'old', { data: { a: '1' } })).metadata;
  await make(CONFIG_MAP, 'old', { data: { a: '2' } });
  const told = new Told();
  const remove = (metadata: KubeObject['metadata']): Change => ({
    verb: 'delete',
    kind: 'ConfigMap',
    seen: metadata,
    why: 'test',
  });
  expect(await apply([remove(seen)], told)).toEqual([]);
  const live = await admin.get(CONFIG_MAP, { namespace, name: 'old' });
  expect(live['data']).toEqual({ a: '2' });
  expect(await apply([remove(live.metadata), remove(live.metadata)], told)).toEqual([]);
  expect(await admin.get(CONFIG_MAP, { namespace, name: 'old' }).catch(missing)).toBeUndefined();
  expect(told.removed_).toContain(`ConfigMap ${namespace}/old`);
});

test('a pod is told to refresh by its annotation, and one that has gone is not missed', async () => {
  await make(CHILD_KINDS.ServiceAccount, 'default');
  const pod = await make(POD, 'p', { spec: { containers: [{ name: 'a', image: 'a' }] } });
  const told = { hash: 'abc', times: 2, at: Date.parse('2026-11-22T12:00:05Z') };
  const refresh = (name: string): Change => ({ verb: 'refresh', pod: { ...pod.metadata, name }, told });
  expect(await apply([refresh('p'), refresh('gone')])).toEqual([]);
  const { metadata } = await admin.get(POD, { namespace, name: 'p' });
  expect(metadata.annotations).toMatchObject({
    'webapp-operator.io/config': 'abc',
    'webapp-operator.io/config-told': '2@2026-11-22T12:00:05.000Z',
  });
});

test('replicas that are handed over keep their number when we let go of them', async () => {
  expect(await apply(firstPass())).toEqual([]);
  const deployment = firstPass().flatMap((change) =>
    change.verb === 'apply' && change.object.metadata.name === 'shop-worker' && change.object.kind === 'Deployment'
      ? [change.object]
      : [],
  )[0];
  const { spec, ...rest } = deployment as KubeObject & { spec: Record<string, unknown> };
  const { replicas: _, ...without } = spec;
  const { apiVersion, kind } = rest;
  const partial = { apiVersion, kind, metadata: { name: 'shop-worker', namespace }, spec: { replicas: 4 } };
  expect(
    await apply([
      { verb: 'apply', object: { ...rest, spec: without }, create: false, why: 'autoscaler' },
      { verb: 'handOver', object: partial, why: 'autoscaler' },
    ]),
  ).toEqual([]);
  const live = (await admin.get(DEPLOYMENT, { namespace, name: 'shop-worker' })) as KubeObject & {
    spec: { replicas: number };
  };
  expect(live.spec.replicas).toBe(4);
});
