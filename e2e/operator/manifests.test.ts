// manifests/ on a real API server: what is shipped can be applied, and gives the operator the rights it needs and no others.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { apiVersionOf, type KubeObject } from '../../kube/object.ts';
import { dryRun } from '../../operator/dry-run.ts';
import { NAME, NAMESPACE } from '../../operator/install/place.ts';
import { SAMPLES } from '../../operator/install/samples.ts';
import { KINDS, OPTIONAL_KINDS } from '../../operator/webapp/kinds.ts';
import { untilEstablished } from '../cluster/established.ts';
import { useCluster } from '../cluster/fixture.ts';
import { eventually } from './rig.ts';

const MANIFESTS = fileURLToPath(new URL('../../manifests', import.meta.url));
const OPERATOR = `system:serviceaccount:${NAMESPACE}:${NAME}`;
const SETTINGS = { proxyImage: 'webapp-proxy:1', clusterDomain: 'cluster.local', drainDelayMs: 5_000 };

const getCluster = useCluster({ controllers: true });
const kubectl = (...args: string[]) => getCluster().kubectlOk(args);
const objects = (yaml: string) => [...parseAllDocuments(yaml)].map((document) => document.toJS() as KubeObject);
const file = (path: string) => join(MANIFESTS, path);

beforeAll(async () => {
  await kubectl('apply', '--validate=strict', '-f', file('install.yaml'));
  await untilEstablished(getCluster().kubectlOk, 'crd/webapps.webapp-operator.io');
});

/** Of an optional API: any object is taken. Their own schemas are their business. */
function makeStubCrd({ group, version, kind, plural }: (typeof OPTIONAL_KINDS)[keyof typeof OPTIONAL_KINDS]): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // The API server asks for a word on groups of its own community.
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a stand-in for tests' },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
}

/** Whether RBAC lets `user` do so, by the API server's own judgement. */
async function may(
  user: string,
  verb: string,
  resource: string,
  more: { namespace?: string; group?: string; name?: string; subresource?: string } = {},
) {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user,
      groups: ['system:serviceaccounts', 'system:authenticated'],
      resourceAttributes: { verb, resource, ...more },
    },
  };
  const answer = await getCluster().api.json('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
  return (answer as unknown as { status: { allowed: boolean } }).status.allowed;
}

describe('install.yaml', () => {
  test('is taken as a whole, a second time without a change', async () => {
    const lines = (await kubectl('apply', '-f', file('install.yaml'))).trim().split('\n');
    expect(lines).toHaveLength(objects(readFileSync(file('install.yaml'), 'utf8')).length);
    // kubectl sends the selector of a PodDisruptionBudget every time (its patch strategy is `replace`); the server finds nothing new in it.
    expect(lines.filter((line) => !line.endsWith(' unchanged'))).toEqual([
      'poddisruptionbudget.policy/webapp-operator configured',
    ]);
  });

  test('its pods are admitted in a namespace that enforces restricted pod security', async () => {
    const pods = async () =>
      (await kubectl('get', 'pods', '-n', NAMESPACE, '-o', 'name')).trim().split('\n').filter(Boolean);
    await eventually(
      async () => (await pods()).length === 2,
      () => 'the operator has no two pods',
    );
    const events = await kubectl('get', 'events', '-n', NAMESPACE, '-o', 'jsonpath={.items[*].reason}');
    expect(events).not.toContain('FailedCreate');
    const plain = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'plain' },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    const refused = await getCluster().kubectl(['apply', '-n', NAMESPACE, '-f', '-'], { input: stringify(plain) });
    expect(refused.stderr).toContain('violates PodSecurity "restricted');
  });

  test('people who edit a namespace edit its WebApps, those who view it view them', async () => {
    const namespace = await getCluster().makeNamespace();
    for (const role of ['view', 'edit'])
      await kubectl('create', 'rolebinding', role, '-n', namespace, `--clusterrole=${role}`, `--user=${role}or`);
    const allowed = (user: string, verb: string, subresource?: string) =>
      may(user, verb, 'webapps', { namespace, group: 'webapp-operator.io', ...(subresource && { subresource }) });
    // Aggregated by a controller, a moment later.
    await eventually(
      () => allowed('editor', 'create'),
      () => 'edit does not have the rule for WebApps',
    );
    await eventually(
      () => allowed('viewor', 'list'),
      () => 'view does not have the rule for WebApps',
    );
    expect(await allowed('editor', 'patch', 'scale')).toBe(true);
    expect(await allowed('editor', 'patch', 'status')).toBe(false);
    expect(await allowed('viewor', 'create')).toBe(false);
  });
});

describe('what the operator may do', () => {
  test.each(Object.values(KINDS))('$kind: all that a child needs, everywhere', async ({ group, plural }) => {
    for (const verb of ['get', 'list', 'watch', 'create', 'patch', 'delete'])
      expect([verb, await may(OPERATOR, verb, plural, { group, namespace: 'any' })]).toEqual([verb, true]);
    for (const verb of ['update', 'deletecollection'])
      expect([verb, await may(OPERATOR, verb, plural, { group, namespace: 'any' })]).toEqual([verb, false]);
  });

  const GROUP = 'webapp-operator.io';
  const OTHERS: readonly [allowed: boolean, verb: string, resource: string, more: Parameters<typeof may>[3]][] = [
    [true, 'list', 'webapps', { group: GROUP }],
    [true, 'watch', 'webapps', { group: GROUP }],
    [true, 'patch', 'webapps', { group: GROUP, subresource: 'status' }],
    [true, 'update', 'webapps', { group: GROUP, subresource: 'finalizers' }],
    [false, 'patch', 'webapps', { group: GROUP }],
    [false, 'create', 'webapps', { group: GROUP }],
    [false, 'delete', 'webapps', { group: GROUP }],
    [true, 'patch', 'pods', { namespace: 'any' }],
    [false, 'create', 'pods', { namespace: 'any' }],
    [false, 'delete', 'pods', { namespace: 'any' }],
    [false, 'create', 'pods', { namespace: 'any', subresource: 'exec' }],
    [false, 'get', 'pods', { namespace: 'any', subresource: 'log' }],
    // A watch of one Secret by name is, to RBAC, a watch of all: it has no verb for less when names are not known beforehand.
    [true, 'watch', 'secrets', { namespace: 'any' }],
    [false, 'create', 'secrets', { namespace: 'any' }],
    [false, 'patch', 'secrets', { namespace: 'any' }],
    [false, 'delete', 'secrets', { namespace: 'any' }],
    [true, 'create', 'events', { group: 'events.k8s.io', namespace: 'any' }],
    [true, 'create', 'leases', { group: 'coordination.k8s.io', namespace: NAMESPACE }],
    [true, 'update', 'leases', { group: 'coordination.k8s.io', namespace: NAMESPACE, name: NAME }],
    [false, 'update', 'leases', { group: 'coordination.k8s.io', namespace: NAMESPACE, name: 'other' }],
    [false, 'get', 'leases', { group: 'coordination.k8s.io', namespace: 'any', name: NAME }],
    [false, 'list', 'nodes', {}],
    [false, 'list', 'namespaces', {}],
    [false, 'create', 'clusterroles', { group: 'rbac.authorization.k8s.io' }],
    [false, 'escalate', 'roles', { group: 'rbac.authorization.k8s.io', namespace: 'any' }],
    [false, 'bind', 'clusterroles', { group: 'rbac.authorization.k8s.io' }],
    [false, 'impersonate', 'users', {}],
  ];
  test.each(OTHERS)('%s: %s %s %j', async (allowed, verb, resource, more) => {
    expect(await may(OPERATOR, verb, resource, more)).toBe(allowed);
  });

  test('kubectl auth can-i says the same', async () => {
    const ask = (...question: string[]) => getCluster().kubectl(['auth', 'can-i', ...question], { as: OPERATOR });
    expect((await ask('patch', 'deployments.apps', '-A')).stdout.trim()).toBe('yes');
    expect((await ask('delete', 'secrets', '-A')).stdout.trim()).toBe('no');
  });

  test('it gives a proxy its Role, and nobody more than it has', async () => {
    const namespace = await getCluster().makeNamespace();
    const role = (resource: string) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'proxy', namespace },
      rules: [{ apiGroups: ['', 'discovery.k8s.io'], resources: [resource], verbs: ['get', 'list', 'watch'] }],
    });
    const apply = (object: object) =>
      getCluster().kubectl(['apply', '--server-side', '-f', '-'], { input: stringify(object), as: OPERATOR });
    const [given] = [role('endpointslices')].map((object) => ({
      ...object,
      rules: [{ ...object.rules[0], apiGroups: ['discovery.k8s.io'] }],
    }));
    expect(await apply(given ?? {})).toMatchObject({ code: 0 });
    expect((await apply(role('nodes'))).stderr).toContain('attempting to grant RBAC permissions not currently held');
  });
});

describe('kustomize', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  /** kustomize reads no file outside of a folder by an absolute path. */
  function makeOverlay(kustomization: (base: string) => object): string {
    const folder = mkdtempSync(join(tmpdir(), 'overlay-'));
    folders.push(folder);
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization(relative(folder, MANIFESTS))));
    return folder;
  }
  const byName = (list: readonly KubeObject[]) =>
    [...list].sort((a, b) => (`${a.kind} ${a.metadata.name}` < `${b.kind} ${b.metadata.name}` ? -1 : 1));

  test('the base is install.yaml', async () => {
    const built = objects(await kubectl('kustomize', MANIFESTS));
    expect(byName(built)).toEqual(byName(objects(readFileSync(file('install.yaml'), 'utf8'))));
  });

  test('an overlay for single namespaces has no rights in all of them', async () => {
    const flag = { op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--namespaces=shop,blog' };
    const overlay = makeOverlay((base) => ({
      resources: [base],
      components: [`${base}/namespaced`],
      images: [{ name: 'webapp-operator', newName: 'registry.example.com/webapp-operator' }],
      patches: [{ target: { kind: 'Deployment', name: NAME }, patch: stringify([flag]) }],
    }));
    const text = await kubectl('kustomize', overlay);
    const names = objects(text).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names.filter((name) => name.startsWith('ClusterRole')).sort()).toEqual([
      'ClusterRole webapps-edit',
      'ClusterRole webapps-view',
    ]);
    expect(text).toContain('--namespaces=shop,blog');
    expect(text).toMatch(/image: registry\.example\.com\/webapp-operator:\d/);
    const namespace = await getCluster().makeNamespace();
    await kubectl('apply', '-n', namespace, '-f', file('namespaced/role.yaml'));
    const subject = await kubectl(
      'get',
      'rolebinding',
      NAME,
      '-n',
      namespace,
      '-o',
      'jsonpath={.subjects[0].namespace}',
    );
    expect(subject).toBe(NAMESPACE);
  });
});

describe('samples', () => {
  test.each(Object.keys(SAMPLES))('%s is taken by the API server, every field known to it', async (name) => {
    const namespace = await getCluster().makeNamespace();
    await kubectl('apply', '--validate=strict', '-n', namespace, '-f', file(`samples/${name}`));
  });
});

describe('--dry-run', () => {
  beforeAll(async () => {
    const input = Object.values(OPTIONAL_KINDS)
      .map((kind) => stringify(makeStubCrd(kind)))
      .join('---\n');
    await getCluster().kubectlOk(['apply', '-f', '-'], { input });
    for (const { plural, group } of Object.values(OPTIONAL_KINDS))
      await untilEstablished(getCluster().kubectlOk, `crd/${plural}.${group}`);
  });

  test.each(Object.keys(SAMPLES))('what is printed of %s can be applied', async (name) => {
    const { yaml } = dryRun(readFileSync(file(`samples/${name}`), 'utf8'), SETTINGS);
    const { code, stdout, stderr } = await getCluster().kubectl(
      ['apply', '--server-side', '--validate=strict', '--dry-run=server', '-f', '-'],
      { input: yaml },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(objects(yaml).length);
  });

  test('kinds.ts names kinds that the API server has', async () => {
    const known = await kubectl('api-resources', '-o', 'name');
    for (const resource of Object.values(KINDS)) {
      const { group, plural } = resource;
      expect([apiVersionOf(resource), known.split('\n')]).toEqual([
        apiVersionOf(resource),
        expect.arrayContaining([group === '' ? plural : `${plural}.${group}`]),
      ]);
    }
  });
});
