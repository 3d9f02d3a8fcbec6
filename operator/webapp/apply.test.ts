import { expect, test } from 'vitest';
import type { Client } from '../../kube/client.ts';
import { KubeError } from '../../kube/errors.ts';
import { type KubeObject, keyOf, type OwnerReference } from '../../kube/object.ts';
import { applyChanges, type WriteListener } from './apply.ts';
import type { Change } from './changes.ts';
import { labels } from './names.ts';
import type { LiveWebApp } from './observed.ts';

const OURS: OwnerReference = { apiVersion: 'v1', kind: 'WebApp', name: 'shop', uid: 'u1', controller: true };
const webApp = {
  metadata: { name: 'shop', namespace: 'web', uid: 'u1', generation: 1 },
} as unknown as LiveWebApp;
const WEBAPP_OBJECT = object('WebApp', 'shop', { uid: 'u1' });

const notFound = () => new KubeError('API', 'not found', { status: 404, reason: 'NotFound' });
const refusal = (message: string, status = 422) => new KubeError('API', message, { status, reason: 'Invalid' });

function object(kind: string, name: string, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'web', ...metadata } };
}

function apply(kind: string, name: string, more: { create?: boolean; component?: 'worker' | 'proxy' } = {}): Change {
  const { create = false, component = 'worker' } = more;
  return { verb: 'apply', create, why: 'new', object: object(kind, name, { labels: labels('shop', component) }) };
}
const remove = (kind: 'ConfigMap' | 'HorizontalPodAutoscaler', name: string): Change => ({
  verb: 'delete',
  kind,
  seen: { name, namespace: 'web', uid: `uid-${name}`, resourceVersion: '5' },
  why: 'not wanted',
});
const refresh = (pod: string): Change => ({
  verb: 'refresh',
  pod: { name: pod, namespace: 'web' },
  told: { hash: 'h2', times: 2, at: 0 },
});
const handOver: Change = { verb: 'handOver', object: object('Deployment', 'shop-worker'), why: 'autoscaler' };

/** A client over a map: `verb Kind/name` of each call in order, and what fails. */
class Stub {
  readonly calls: string[] = [];
  readonly live = new Map<string, KubeObject>([['WebApp/shop', WEBAPP_OBJECT]]);
  readonly fails = new Map<string, unknown>();
  readonly patches: object[] = [];
  inFlight = 0;
  most = 0;

  readonly client = {
    get: async ({ kind }, { name = '' }) => {
      await this.#call(`get ${kind}/${name}`);
      const found = this.live.get(`${kind}/${name}`);
      if (!found) throw notFound();
      return found;
    },
    apply: async ({ kind }, wanted, options) => {
      const manager = options?.fieldManager ? ` as ${options.fieldManager}` : '';
      const what = `${kind}/${wanted.metadata.name}`;
      // As the API server does with a version that is not the present one.
      const stale = wanted.metadata.resourceVersion !== undefined && this.live.has(what);
      await this.#call(`${stale ? 'try' : 'apply'} ${what}${manager}`);
      if (stale) throw new KubeError('API', 'the object has been modified', { status: 409, reason: 'Conflict' });
      return wanted;
    },
    patch: async ({ kind }, { name = '' }, patch) => {
      await this.#call(`patch ${kind}/${name}`);
      this.patches.push(patch);
      return object(kind, name);
    },
    remove: ({ kind }, { name }) => this.#call(`remove ${kind}/${name}`),
  } as Partial<Client> as Client;

  async #call(what: string): Promise<void> {
    this.calls.push(what);
    this.most = Math.max(this.most, ++this.inFlight);
    await new Promise(setImmediate);
    this.inFlight--;
    const failure = this.fails.get(what);
    if (failure) throw failure;
  }
}

class Told implements WriteListener {
  readonly writes: string[] = [];
  whileWriting<R>(_kind: string, _key: string, write: () => Promise<R>): Promise<R> {
    return write();
  }
  wrote(written: KubeObject): void {
    this.writes.push(`wrote ${written.kind} ${keyOf(written)}`);
  }
  removed(kind: string, key: string, uid: string): void {
    this.writes.push(`removed ${kind} ${key} ${uid}`);
  }
}

function carryOut(stub: Stub, changes: readonly Change[], told = new Told(), signal = new AbortController().signal) {
  return applyChanges(stub.client, webApp, changes, told, signal);
}
const before = (stub: Stub, first: string, then: string) => {
  expect(stub.calls).toContain(first);
  expect(stub.calls).toContain(then);
  expect(stub.calls.indexOf(first)).toBeLessThan(stub.calls.indexOf(then));
};

test('what a Deployment stands on is there before it, whatever the order of the plan', async () => {
  const stub = new Stub();
  const failures = await carryOut(stub, [
    apply('Deployment', 'shop-worker'),
    apply('Job', 'shop-migrate-1'),
    remove('ConfigMap', 'shop-worker-old'),
    refresh('shop-worker-x'),
    apply('ServiceAccount', 'shop-worker'),
    apply('ConfigMap', 'shop-worker-1'),
    apply('ControllerRevision', 'shop-worker-1'),
  ]);
  expect(failures).toEqual([]);
  for (const base of ['ServiceAccount/shop-worker', 'ConfigMap/shop-worker-1', 'ControllerRevision/shop-worker-1']) {
    before(stub, `apply ${base}`, 'apply Deployment/shop-worker');
    before(stub, `apply ${base}`, 'apply Job/shop-migrate-1');
    before(stub, `apply ${base}`, 'patch Pod/shop-worker-x');
  }
  before(stub, 'apply Deployment/shop-worker', 'remove ConfigMap/shop-worker-old');
});

test('a RoleBinding comes after its Role, and waits when that failed', async () => {
  const stub = new Stub();
  const changes = [apply('RoleBinding', 'shop-proxy'), apply('Role', 'shop-proxy')];
  await carryOut(stub, changes);
  before(stub, 'apply Role/shop-proxy', 'apply RoleBinding/shop-proxy');
  const failing = new Stub();
  failing.fails.set('apply Role/shop-proxy', refusal('escalation', 403));
  expect(await carryOut(failing, changes)).toMatchObject([{ type: 'refused', message: 'escalation' }]);
  expect(failing.calls).not.toContain('apply RoleBinding/shop-proxy');
});

test('replicas are handed over before they are let go of, and an autoscaler leaves before they are taken again', async () => {
  const stub = new Stub();
  await carryOut(stub, [
    apply('Deployment', 'shop-worker'),
    apply('HorizontalPodAutoscaler', 'shop-worker'),
    handOver,
    remove('HorizontalPodAutoscaler', 'old'),
  ]);
  const given = 'apply Deployment/shop-worker as webapp-operator-hand-over';
  before(stub, given, 'apply Deployment/shop-worker');
  before(stub, given, 'apply HorizontalPodAutoscaler/shop-worker');
  before(stub, 'remove HorizontalPodAutoscaler/old', 'apply Deployment/shop-worker');
});

test('nothing follows a hand-over that failed', async () => {
  const stub = new Stub();
  stub.fails.set('apply Deployment/shop-worker as webapp-operator-hand-over', refusal('no'));
  const failures = await carryOut(stub, [handOver, apply('Deployment', 'shop-worker'), remove('ConfigMap', 'old')]);
  expect(failures).toMatchObject([{ type: 'refused', message: 'no', change: { verb: 'handOver' } }]);
  expect(stub.calls.filter((call) => !call.startsWith('get'))).toHaveLength(1);
});

test('independent writes go side by side, never more than six', async () => {
  const stub = new Stub();
  await carryOut(
    stub,
    Array.from({ length: 30 }, (_, index) => apply('Service', `s${index}`)),
  );
  expect(stub.calls).toHaveLength(30);
  expect(stub.most).toBe(6);
});

test('every write is told, and a refresh sets the annotation', async () => {
  const stub = new Stub();
  const told = new Told();
  await carryOut(stub, [apply('Service', 'shop'), refresh('p'), remove('ConfigMap', 'old')], told);
  expect(told.writes).toEqual(['wrote Service web/shop', 'wrote Pod web/p', 'removed ConfigMap web/old uid-old']);
  const annotations = {
    'webapp-operator.io/config': 'h2',
    'webapp-operator.io/config-told': '2@1970-01-01T00:00:00.000Z',
  };
  expect(stub.patches).toEqual([{ metadata: { annotations } }]);
});

const NAMES: readonly [string, KubeObject | undefined, string | undefined][] = [
  ['a free name is taken', undefined, undefined],
  ['ours by uid is applied', object('Service', 'shop', { ownerReferences: [OURS] }), undefined],
  ['marked as ours and without an owner is adopted', object('Service', 'shop', { labels: labels('shop') }), undefined],
  [
    'of nobody is not touched',
    object('Service', 'shop'),
    'Service/shop is there already and was not made for this WebApp',
  ],
  [
    'marked for another WebApp is not touched',
    object('Service', 'shop', { labels: labels('shop-2') }),
    'Service/shop is there already and was not made for this WebApp',
  ],
  [
    'of another owner is not touched, however it is marked',
    object('Service', 'shop', {
      labels: labels('shop'),
      ownerReferences: [{ ...OURS, kind: 'Deployment', name: 'other', uid: 'u9' }],
    }),
    'Service/shop is there already and belongs to Deployment/other',
  ],
];
test.each(NAMES)('a new object: %s', async (_, live, taken) => {
  const stub = new Stub();
  if (live) stub.live.set('Service/shop', live);
  const failures = await carryOut(stub, [apply('Service', 'shop', { create: true })]);
  expect(failures.map(({ type, message }) => [type, message])).toEqual(taken === undefined ? [] : [['taken', taken]]);
  expect(stub.calls.includes('apply Service/shop')).toBe(taken === undefined);
});

test('an API server that refuses a version without an object is asked, then told without one', async () => {
  const stub = new Stub();
  const { apply: plain } = stub.client;
  stub.client.apply = async (resource, wanted, options) => {
    if (wanted.metadata.resourceVersion !== undefined) throw notFound();
    return plain(resource, wanted, options);
  };
  expect(await carryOut(stub, [apply('Service', 'shop', { create: true })])).toEqual([]);
  expect(stub.calls).toEqual(['get Service/shop', 'apply Service/shop']);
});

test.each([
  ['a predecessor of the same name', { ownerReferences: [{ ...OURS, uid: 'u0' }] }],
  ['anything being deleted', { ownerReferences: [OURS], deletionTimestamp: '2026-01-01T00:00:00Z' }],
])('what belongs to %s is waited for, not complained of', async (_, metadata) => {
  const stub = new Stub();
  stub.live.set('Service/shop', object('Service', 'shop', metadata));
  await expect(carryOut(stub, [apply('Service', 'shop', { create: true })])).rejects.toMatchObject({ status: 409 });
  expect(stub.calls).not.toContain('apply Service/shop');
});

test('what the server refuses is a failure in its words, and the others are still tried', async () => {
  const stub = new Stub();
  for (const verb of ['apply', 'patch'])
    stub.fails.set(`${verb} Service/bad`, refusal('Service "bad" is invalid: spec.ports'));
  const failures = await carryOut(stub, [apply('Service', 'bad'), apply('Service', 'good'), apply('Job', 'j')]);
  expect(failures).toEqual([
    { change: apply('Service', 'bad'), type: 'refused', message: 'Service "bad" is invalid: spec.ports' },
  ]);
  expect(stub.calls).toEqual(expect.arrayContaining(['apply Service/good', 'apply Job/j']));
});

test('what may heal is thrown, the first of them, after all were tried', async () => {
  const stub = new Stub();
  const broken = new KubeError('NETWORK', 'reset');
  stub.fails.set('apply Service/a', broken);
  stub.fails.set('apply Service/b', new KubeError('API', 'slow down', { status: 429 }));
  stub.fails.set('apply Service/c', refusal('never'));
  const changes = ['a', 'b', 'c', 'd'].map((name) => apply('Service', name));
  await expect(carryOut(stub, changes)).rejects.toBe(broken);
  expect(stub.calls).toContain('apply Service/d');
});

test('a component whose ConfigMap failed is not rolled out nor refreshed; the other is', async () => {
  const stub = new Stub();
  stub.fails.set('apply ConfigMap/shop-worker-1', refusal('too large', 413));
  await carryOut(stub, [
    apply('ConfigMap', 'shop-worker-1'),
    apply('Deployment', 'shop-worker'),
    apply('Deployment', 'shop-proxy', { component: 'proxy' }),
    refresh('shop-worker-x'),
  ]);
  expect(stub.calls).not.toContain('apply Deployment/shop-worker');
  expect(stub.calls).not.toContain('patch Pod/shop-worker-x');
  expect(stub.calls).toContain('apply Deployment/shop-proxy');
});

test.each([
  ['refused', refusal('no such policy', 403)],
  ['not found, as in a namespace that has ended', notFound()],
])('children of a WebApp that has gone are dropped quietly: %s', async (_, error) => {
  const stub = new Stub();
  stub.fails.set('apply Service/shop', error);
  stub.live.delete('WebApp/shop');
  expect(await carryOut(stub, [apply('Service', 'shop')])).toEqual([]);
  stub.live.set('WebApp/shop', object('WebApp', 'shop', { uid: 'u1', deletionTimestamp: '2026-01-01T00:00:00Z' }));
  expect(await carryOut(stub, [apply('Service', 'shop')])).toEqual([]);
});

test('in a namespace that is being deleted nothing is told, while the WebApp is still there', async () => {
  const stub = new Stub();
  const causes = ['NamespaceTerminating'];
  stub.fails.set('apply Service/shop', new KubeError('API', 'no', { status: 403, reason: 'Forbidden', causes }));
  expect(await carryOut(stub, [apply('Service', 'shop')])).toEqual([]);
});

test('not found while the WebApp is there is tried again: its API may have left', async () => {
  const stub = new Stub();
  stub.fails.set('apply HTTPRoute/shop', notFound());
  await expect(carryOut(stub, [apply('HTTPRoute', 'shop')])).rejects.toMatchObject({ status: 404 });
});

test('a pod that has gone needs no refresh; an object that changed since it was seen is not deleted', async () => {
  const stub = new Stub();
  const told = new Told();
  stub.fails.set('patch Pod/p', notFound());
  stub.fails.set('remove ConfigMap/old', new KubeError('API', 'precondition', { status: 409, reason: 'Conflict' }));
  expect(await carryOut(stub, [refresh('p'), remove('ConfigMap', 'old')], told)).toEqual([]);
  expect(told.writes).toEqual([]);
});

test('after the stop nothing is written any more', async () => {
  const stub = new Stub();
  const stop = new AbortController();
  const told = new Told();
  told.wrote = () => stop.abort();
  const changes = Array.from({ length: 20 }, (_, index) => apply('Service', `s${index}`));
  await expect(carryOut(stub, changes, told, stop.signal)).rejects.toMatchObject({ code: 'CLOSED' });
  expect(stub.calls.length).toBeLessThanOrEqual(6);
});
