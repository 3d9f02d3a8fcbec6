import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type KubeObject, keyOf } from '../../kube/object.ts';
import { parseFlags } from '../flags.ts';
import { KINDS, POD, SECRET, WEBAPP } from '../webapp/kinds.ts';
import { makeManifestFiles } from './files.ts';
import { makeInstall } from './install.ts';
import { NAMESPACE } from './place.ts';
import { makeLeaseRules, makeWorkRules, type Rule } from './rbac.ts';
import { makeDeployment } from './workload.ts';

const VERSION = '1.2.3';
const everywhere = makeInstall({ version: VERSION, namespaces: [] });
const nameOf = (object: KubeObject) => `${object.kind} ${keyOf(object)}`;
const documents = (text = ''): unknown[] => [...parseAllDocuments(text)].map((document) => document.toJS());

function allows(rules: readonly Rule[], group: string, resource: string, verb: string): boolean {
  return rules.some(
    ({ apiGroups, resources, verbs }) =>
      apiGroups.includes(group) && resources.includes(resource) && verbs.includes(verb),
  );
}

test('what is applied first is what the rest stands on', () => {
  const order = everywhere.map(nameOf);
  expect(order[0]).toBe(`Namespace ${NAMESPACE}`);
  expect(order.at(-1)).toBe('Deployment webapp-operator/webapp-operator');
  const before = (first: string, then: string) => expect(order.indexOf(first)).toBeLessThan(order.indexOf(then));
  before('ClusterRole webapp-operator', 'ClusterRoleBinding webapp-operator');
  before('ServiceAccount webapp-operator/webapp-operator', 'ClusterRoleBinding webapp-operator');
  expect(new Set(order).size).toBe(order.length);
});

test.each(Object.values(KINDS))('a child can be made, followed and taken away: $kind', ({ group, plural }) => {
  for (const verb of ['get', 'list', 'watch', 'create', 'patch', 'delete'])
    expect([verb, allows(makeWorkRules(), group, plural, verb)]).toEqual([verb, true]);
});

test('the rights end there', () => {
  const rules = [...makeWorkRules(), ...makeLeaseRules()];
  expect(rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs])).not.toContain('*');
  const verbsOf = (group: string, resource: string) =>
    rules
      .filter(({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(resource))
      .flatMap(({ verbs }) => verbs);
  expect(verbsOf(WEBAPP.group, WEBAPP.plural)).toEqual(['get', 'list', 'watch']);
  expect(verbsOf(SECRET.group, SECRET.plural)).toEqual(['get', 'list', 'watch']);
  expect(verbsOf(POD.group, POD.plural)).toEqual(['get', 'list', 'watch', 'patch']);
  const used = new Set(rules.flatMap(({ verbs }) => verbs));
  expect([...used].sort()).toEqual(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']);
});

test('in single namespaces: a Role in each, and nothing for the operator in all', () => {
  const install = makeInstall({ version: VERSION, namespaces: ['shop', 'blog'] });
  const names = install.map(nameOf);
  expect(names).toEqual(expect.arrayContaining(['Role shop/webapp-operator', 'RoleBinding blog/webapp-operator']));
  expect(names.filter((name) => name.startsWith('ClusterRole'))).toEqual([
    'ClusterRole webapps-view',
    'ClusterRole webapps-edit',
  ]);
  expect(install.find(({ kind }) => kind === 'Role')?.['rules']).toEqual(makeWorkRules());
});

test.each([
  ['all namespaces', []],
  ['two', ['shop', 'blog']],
])('the program takes its arguments: %s', (_, namespaces) => {
  const { spec } = makeDeployment({ version: VERSION, namespaces }) as unknown as {
    spec: { template: { spec: { containers: [{ args: string[]; ports: [{ containerPort: number }] }] } } };
  };
  const [{ args, ports }] = spec.template.spec.containers;
  const expanded = args.map((arg) => arg.replace('$(POD_NAME)', 'operator-0').replace('$(POD_NAMESPACE)', NAMESPACE));
  expect(parseFlags(expanded, VERSION)).toMatchObject({
    run: {
      namespaces,
      identity: 'operator-0',
      leaseNamespace: NAMESPACE,
      admin: { host: '0.0.0.0', port: ports[0].containerPort },
      settings: { proxyImage: `webapp-proxy:${VERSION}` },
    },
  });
});

test('what is written to manifests/ is what was made, comments or not', () => {
  const files = makeManifestFiles(VERSION);
  expect(documents(files['install.yaml'])).toEqual(JSON.parse(JSON.stringify(everywhere)));
  const [kustomization] = documents(files['kustomization.yaml']) as [{ resources: string[] }];
  const parts = kustomization.resources.flatMap((part) => documents(files[part]));
  expect(parts).toEqual(documents(files['install.yaml']));
  for (const text of Object.values(files))
    for (const line of text.split('\n')) if (line.includes('#')) expect(line.length).toBeLessThanOrEqual(120);
});
