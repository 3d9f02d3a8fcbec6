// What a WebApp makes of Gateway API, cert-manager and the Prometheus operator, before their real schemas: taken, read back without a
// difference, applied again without a write. Nobody acts on it here.
import { beforeAll, describe, expect, test } from 'vitest';
import { findDrift, withIntentHash } from '../../kube/drift.ts';
import { type KubeObject, pathOf } from '../../kube/object.ts';
import { OPTIONAL_KINDS, type OptionalKind } from '../../operator/webapp/kinds.ts';
import { ANNOTATION, FIELD_MANAGER } from '../../operator/webapp/names.ts';
import { renderBase } from '../../operator/webapp/render/render.ts';
import { EVERY_FIELD, EVERY_OTHER_FIELD, inputOf, liveWebApp } from '../../operator/webapp/render/testing/samples.ts';
import { useCluster } from './fixture.ts';
import { FOREIGN_APIS, foreignApiManifests, installForeignApi } from './foreign-apis.ts';

const LONG_NAME = 'a'.repeat(50);
const LONGEST_HOST = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
const MOST_HOSTS = [
  '*.example.com',
  LONGEST_HOST,
  ...Array.from({ length: 14 }, (_, index) => `s${index}.example.com`),
];
const BEHIND_GATEWAY = {
  expose: { type: 'HTTPRoute', parentRef: { name: LONG_NAME } },
  tls: { issuerRef: { name: 'own' } },
};

const cluster = useCluster({});

beforeAll(async () => {
  for (const api of FOREIGN_APIS) await installForeignApi(cluster(), api);
});

test('the sets hold every optional kind, and may be installed again', async () => {
  for (const api of FOREIGN_APIS) await installForeignApi(cluster(), api);
  for (const resource of Object.values(OPTIONAL_KINDS)) {
    const crd = `crd/${resource.plural}.${resource.group}`;
    const versions = await cluster().kubectlOk(['get', crd, '-o', 'jsonpath={.spec.versions[?(@.served)].name}']);
    expect([crd, versions.split(' ')]).toEqual([crd, expect.arrayContaining([resource.version])]);
  }
});

test('a set is definitions only', async () => {
  const files = await foreignApiManifests('gateway-api');
  expect(files.filter((file) => /kustomization|_vap_/.test(file))).toEqual([]);
  expect(files.length).toBeGreaterThan(3);
});

describe.each<[string, object, object, readonly OptionalKind[]]>([
  ['every field', EVERY_FIELD, {}, ['ServiceMonitor']],
  ['the other fields', EVERY_OTHER_FIELD, {}, ['Certificate', 'HTTPRoute', 'PodMonitor']],
  [
    'the most and the longest',
    { proxy: { ...BEHIND_GATEWAY, hosts: MOST_HOSTS }, monitoring: { serviceMonitor: true, interval: '86399500ms' } },
    { name: LONG_NAME },
    ['Certificate', 'HTTPRoute', 'ServiceMonitor'],
  ],
  [
    'the least',
    { proxy: { ...BEHIND_GATEWAY, hosts: ['a.b'] }, monitoring: { podMonitor: true, interval: '1ms' } },
    { name: 'a' },
    ['Certificate', 'HTTPRoute', 'PodMonitor'],
  ],
])('a WebApp of %s', (_name, spec, metadata, kinds) => {
  let children: KubeObject[];
  beforeAll(async () => {
    const namespace = await cluster().makeNamespace();
    children = foreignChildren(spec, { namespace, ...metadata });
  });

  test(`asks for ${kinds.join(', ')}`, () => {
    expect(children.map(({ kind }) => kind).sort()).toEqual(kinds);
  });

  test('is taken, and settles at once', async () => {
    for (const child of children) {
      const desired = withIntentHash(child, ANNOTATION.intent);
      const applied = await apply(desired);
      expect([child.kind, findDrift(desired, await read(child))]).toEqual([child.kind, undefined]);
      const again = await apply(desired);
      expect([child.kind, again.metadata.resourceVersion]).toEqual([child.kind, applied.metadata.resourceVersion]);
    }
  });
});

test('a field that a schema does not know is refused: the schemas are at work', async () => {
  const namespace = await cluster().makeNamespace();
  for (const child of foreignChildren(EVERY_OTHER_FIELD, { namespace })) {
    const wrong = { ...child, spec: { ...(child.spec as object), nonsense: true } };
    await expect(apply(wrong), child.kind).rejects.toThrow('spec.nonsense: field not declared in schema');
  }
});

function foreignChildren(spec: object, metadata: object): KubeObject[] {
  return renderBase(inputOf(liveWebApp(spec, metadata))).filter(({ kind }) => kind in OPTIONAL_KINDS);
}

const pathTo = (child: KubeObject): string => pathOf(OPTIONAL_KINDS[child.kind as OptionalKind], child.metadata);
const read = (child: KubeObject): Promise<KubeObject> => cluster().api.json('GET', pathTo(child));

/** As the operator does, but strictly. */
function apply(child: KubeObject): Promise<KubeObject> {
  const query = `?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`;
  return cluster().api.json('PATCH', pathTo(child) + query, child, 'application/apply-patch+yaml');
}
