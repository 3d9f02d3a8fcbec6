// What holds for every object that is rendered, whatever the spec.
import { describe, expect, it } from 'vitest';
import { proxyConfigSchema } from '../../../core/config/proxy.ts';
import { workerConfigSchema } from '../../../core/config/worker.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { LiveWebApp } from '../observed.ts';
import type { Revision } from '../revision.ts';
import {
  makeProxyRevision,
  makeWorkerRevision,
  migrationKey,
  proxyConfigOf,
  renderBase,
  renderControllerRevision,
  renderMigrateJob,
  renderProxyConfigMap,
  renderProxyDeployment,
  renderWorkerConfigMap,
  renderWorkerDeployment,
  staticVersionOf,
  workerConfigFor,
  workerConfigOf,
} from './render.ts';
import { deepFreeze, EVERY_FIELD, EVERY_OTHER_FIELD, inputOf, liveWebApp, SETTINGS } from './testing/samples.ts';

const LONG = `a${'-b'.repeat(24)}c`;
const DEEP = JSON.parse(`${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`);
const SPECS: readonly [string, object, object][] = [
  ['three fields', {}, {}],
  ['every field', EVERY_FIELD, {}],
  ['the other fields', EVERY_OTHER_FIELD, {}],
  ['the longest name', EVERY_FIELD, { name: LONG }],
  [
    'empty lists',
    {
      env: [],
      envFrom: [],
      files: [],
      volumes: [],
      imagePullSecrets: [],
      access: { from: [] },
      proxy: { hosts: [], static: [], expose: { annotations: {} } },
      podTemplate: { spec: { tolerations: [], containers: [{ name: 'app', args: [], env: null }] } },
    },
    {},
  ],
  ['a hostile template', { podTemplate: { metadata: 5, spec: { containers: 'none', volumes: [null, [], 'x'] } } }, {}],
  ['a bottomless template', { podTemplate: { spec: DEEP } }, {}],
  ['no template', { podTemplate: { $patch: 'delete' }, proxy: { podTemplate: { spec: null } } }, {}],
];

describe.each(SPECS)('%s', (_, spec, metadata) => {
  const webApp = liveWebApp(spec, metadata);
  const objects = renderAll(webApp);

  it('holds no null, no undefined and no empty list', () => {
    for (const object of objects) expect(faultsIn(object, object.kind)).toEqual([]);
  });

  it('is the same each time, and leaves its input alone', () => {
    // The input is frozen all through: a write would throw.
    expect(JSON.stringify(renderAll(webApp))).toBe(JSON.stringify(objects));
    expect(deepFreeze(objects)).toEqual(renderAll(webApp));
  });

  it('has an owner, a namespace and labels on each object', () => {
    const owner = { apiVersion: 'webapp-operator.io/v1alpha1', kind: 'WebApp', name: webApp.metadata.name, uid: 'u-1' };
    for (const object of objects) {
      expect(object.metadata.namespace).toBe('web');
      expect(object.metadata.ownerReferences).toEqual([{ ...owner, controller: true, blockOwnerDeletion: true }]);
      expect(object.metadata.labels).toMatchObject({
        'app.kubernetes.io/name': webApp.metadata.name,
        'app.kubernetes.io/managed-by': 'webapp-operator',
        'webapp-operator.io/webapp': webApp.metadata.name,
      });
    }
  });

  it('has names and labels that the API takes', () => {
    for (const { kind, metadata } of objects) {
      const longest = kind === 'Service' || kind === 'Job' ? 63 : 253;
      expect(metadata.name.length, metadata.name).toBeLessThanOrEqual(longest);
      expect(metadata.name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
    }
    for (const value of labelValuesIn(objects))
      expect(value).toMatch(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/);
    for (const name of portNamesIn(objects)) expect(name).toMatch(/^[a-z0-9-]{1,15}$/);
  });

  it('names no object twice', () => {
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('makes documents that the programs take', () => {
    const input = inputOf(webApp);
    expect(workerConfigSchema.parse(workerConfigOf(input))).toEqual(workerConfigOf(input));
    const proxy = proxyConfigOf(input, []);
    expect(proxyConfigSchema.parse(proxy)).toEqual(proxy);
  });

  it('keeps the labels that selectors live by', () => {
    for (const revision of revisionsOf(webApp))
      expect((revision.template['metadata'] as { labels: object }).labels).toMatchObject({
        'app.kubernetes.io/name': webApp.metadata.name,
        'app.kubernetes.io/component': revision.component,
        'app.kubernetes.io/managed-by': 'webapp-operator',
        'webapp-operator.io/webapp': webApp.metadata.name,
        'webapp-operator.io/revision': revision.id,
      });
  });
});

it('optional kinds are not made where the cluster does not have them', () => {
  const webApp = liveWebApp(EVERY_OTHER_FIELD);
  const kinds = renderBase({ webApp, settings: SETTINGS, apis: new Set() }).map(({ kind }) => kind);
  expect(kinds).not.toContain('HTTPRoute');
  expect(kinds).not.toContain('Certificate');
  expect(kinds).not.toContain('PodMonitor');
  expect(renderBase(inputOf(webApp)).map(({ kind }) => kind)).toEqual([
    ...kinds,
    'HTTPRoute',
    'Certificate',
    'PodMonitor',
  ]);
});

describe('two WebApps of one namespace', () => {
  const ofName = (name: string) =>
    renderAll(
      liveWebApp(
        { ...EVERY_FIELD, proxy: { ...EVERY_FIELD.proxy, expose: { type: 'LoadBalancer' }, tls: undefined } },
        { name },
      ),
    ).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  const shop = new Set(ofName('shop'));
  const sharedWith = (name: string) => ofName(name).filter((one) => shop.has(one));

  it.each(['shop-worker', 'shop-proxy', 'shop-migrate', 'shop-tls', 'shop-worker-worker', 'shop-a', 'sho'])(
    '%s and shop share no name',
    (name) => {
      expect(sharedWith(name)).toEqual([]);
    },
  );

  // One name, two Services: the second WebApp is told that the name is taken (apply.ts), and the first keeps it.
  it.each([
    ['shop-workers', ['Service/shop-workers']],
    ['shop-public', ['Service/shop-public']],
  ])('%s and shop share a Service', (name, shared) => {
    expect(sharedWith(name)).toEqual(shared);
  });

  it('whose long names begin alike have Jobs of their own', () => {
    const [one, other] = ['a', 'b'].map((end) => jobOf(liveWebApp(EVERY_FIELD, { name: `${'x'.repeat(49)}${end}` })));
    expect(one?.metadata.name).not.toBe(other?.metadata.name);
  });
});

function revisionsOf(webApp: LiveWebApp): [Revision, Revision] {
  const input = inputOf(webApp);
  const made = { inputs: 'inputs', number: 1, configHash: 'hash' };
  return [makeWorkerRevision(input, made), makeProxyRevision(input, [staticVersionOf(webApp.spec.image)], made)];
}

function jobOf(webApp: LiveWebApp): KubeObject | undefined {
  const key = migrationKey(webApp);
  return key === undefined ? undefined : renderMigrateJob(inputOf(webApp), key);
}

function renderAll(webApp: LiveWebApp): KubeObject[] {
  const input = inputOf(webApp);
  const [worker, proxy] = revisionsOf(webApp);
  const job = jobOf(webApp);
  return [
    ...renderBase(input),
    renderWorkerConfigMap(webApp, worker, workerConfigFor(workerConfigOf(input), worker)),
    renderProxyConfigMap(webApp, proxyConfigOf(input, [])),
    renderWorkerDeployment(webApp, worker, { replicas: 2, migrated: 'key' }),
    renderProxyDeployment(webApp, proxy),
    ...[worker, proxy].map((revision) => renderControllerRevision(webApp, revision)),
    ...(job ? [job] : []),
  ];
}

function faultsIn(value: unknown, path: string): string[] {
  if (value === null || value === undefined) return [`${path} is ${value}`];
  if (typeof value !== 'object') return [];
  if (Array.isArray(value) && value.length === 0) return [`${path} is empty`];
  return Object.entries(value).flatMap(([key, inside]) => faultsIn(inside, `${path}.${key}`));
}

function labelValuesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) =>
    key === 'labels' || key === 'matchLabels' ? Object.values(inside as Record<string, string>) : labelValuesIn(inside),
  );
}

function portNamesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) =>
    key === 'ports' && Array.isArray(inside)
      ? inside.flatMap(({ name }: { name?: string }) => (name === undefined ? [] : [name]))
      : portNamesIn(inside),
  );
}
