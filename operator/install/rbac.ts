// What the operator may do, and no more: made from the list of kinds that it makes and reads. Held against a real API server in
// e2e/operator/manifests.test.ts.
import { GROUP } from '../../core/app/schema.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { CONFIG_MAP, KINDS, POD, SECRET, WEBAPP } from '../webapp/kinds.ts';
import { clusterWide, inPlace, NAME, NAMESPACE } from './place.ts';
import { said } from './yaml.ts';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const API_VERSION = 'rbac.authorization.k8s.io/v1';
const READ = ['get', 'list', 'watch'] as const;
/** Server-side apply is a patch, and a create when there is nothing yet; nothing is ever updated by PUT or deleted by collection. */
const MAKE = [...READ, 'create', 'patch', 'delete'] as const;

const rule = (apiGroup: string, resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});

/** In every namespace whose WebApps it looks after. */
export function makeWorkRules(): Rule[] {
  return [
    said('The resource itself: read; only its status is written.', rule(GROUP, [WEBAPP.plural], READ)),
    rule(GROUP, [`${WEBAPP.plural}/status`], ['patch']),
    said(
      'Clusters with the admission plugin OwnerReferencesPermissionEnforcement (OpenShift) ask for this of whoever makes a WebApp the owner of a child.',
      rule(GROUP, [`${WEBAPP.plural}/finalizers`], ['update']),
    ),
    ...childRules(),
    said(
      'Watched; the annotation that makes the kubelet refresh a changed ConfigMap is patched.',
      rule(POD.group, [POD.plural], [...READ, 'patch']),
    ),
    said(
      'Only Secrets that a WebApp names are read, each by its name (metadata.name in the field selector), and only a hash of them, and when their certificate ends, is kept. RBAC cannot say that: names are not known here, and a list by name is a list. To withhold it, install for single namespaces.',
      rule(SECRET.group, [SECRET.plural], READ),
    ),
    said(
      'Nothing of this is made or read by the operator: each proxy gets a Role with it, and nobody can give what he does not have.',
      rule('discovery.k8s.io', ['endpointslices'], READ),
    ),
    said('Events that kubectl describe shows.', rule('events.k8s.io', ['events'], ['create', 'patch'])),
  ];
}

/** One rule for each API group, in the order of kinds.ts. */
function childRules(): Rule[] {
  const groups = Map.groupBy(Object.values(KINDS), ({ group }) => group);
  return [...groups].map(([group, kinds]) => {
    const made = rule(
      group,
      kinds.map(({ plural }: Resource) => plural),
      MAKE,
    );
    return kinds.includes(CONFIG_MAP)
      ? said('Children of a WebApp, and ConfigMaps that it names (read by name).', made)
      : made;
  });
}

/** In its own namespace, for leader election. A name cannot be given for create. */
export function makeLeaseRules(): Rule[] {
  return [
    rule('coordination.k8s.io', ['leases'], ['create']),
    { ...rule('coordination.k8s.io', ['leases'], ['get', 'update']), resourceNames: [NAME] },
  ];
}

export function makeServiceAccount(): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: inPlace() };
}

export function makeLeaseRole(): KubeObject[] {
  const metadata = inPlace(`${NAME}-leader-election`);
  return [
    { apiVersion: API_VERSION, kind: 'Role', metadata, rules: makeLeaseRules() },
    { apiVersion: API_VERSION, kind: 'RoleBinding', metadata, ...binding('Role', metadata.name) },
  ];
}

/** For an operator that looks after all namespaces. */
export function makeClusterRole(): KubeObject[] {
  const metadata = clusterWide();
  return [
    { apiVersion: API_VERSION, kind: 'ClusterRole', metadata, rules: makeWorkRules() },
    { apiVersion: API_VERSION, kind: 'ClusterRoleBinding', metadata, ...binding('ClusterRole', metadata.name) },
  ];
}

/** For one that looks after single namespaces: the same rights in one of them. @param namespace undefined: kubectl's or kustomize's */
export function makeNamespaceRole(namespace: string | undefined): KubeObject[] {
  const { name, labels } = inPlace();
  const metadata = { name, ...(namespace !== undefined && { namespace }), labels: labels ?? {} };
  return [
    { apiVersion: API_VERSION, kind: 'Role', metadata, rules: makeWorkRules() },
    { apiVersion: API_VERSION, kind: 'RoleBinding', metadata, ...binding('Role', name) },
  ];
}

/** For people: whoever may view or edit a namespace may do so with its WebApps (aggregated into view, edit and admin). */
export function makePeopleRoles(): KubeObject[] {
  const all = [WEBAPP.plural, `${WEBAPP.plural}/status`, `${WEBAPP.plural}/scale`];
  const aggregated = (name: string, to: readonly string[], rules: readonly Rule[]): KubeObject => {
    const { labels, ...metadata } = clusterWide(name);
    const aggregate = Object.fromEntries(to.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']));
    return {
      apiVersion: API_VERSION,
      kind: 'ClusterRole',
      metadata: { ...metadata, labels: { ...labels, ...aggregate } },
      rules,
    };
  };
  return [
    aggregated(`${WEBAPP.plural}-view`, ['view', 'edit', 'admin'], [rule(GROUP, all, READ)]),
    aggregated(
      `${WEBAPP.plural}-edit`,
      ['edit', 'admin'],
      [
        rule(GROUP, [WEBAPP.plural], ['create', 'update', 'patch', 'delete', 'deletecollection']),
        rule(GROUP, [`${WEBAPP.plural}/scale`], ['update', 'patch']),
      ],
    ),
  ];
}

function binding(kind: 'Role' | 'ClusterRole', name: string): object {
  return {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }],
  };
}
