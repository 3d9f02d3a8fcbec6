// The installation put together: as one list in the order in which kubectl can apply it, and as the parts of a kustomize base.
import { makeCrd } from '../../core/app/crd.ts';
import type { KubeObject } from '../../kube/object.ts';
import { NAME } from './place.ts';
import { makeClusterRole, makeLeaseRole, makeNamespaceRole, makePeopleRoles, makeServiceAccount } from './rbac.ts';
import {
  makeDeployment,
  makeDisruptionBudget,
  makeNamespace,
  makeNetworkPolicy,
  type WorkloadOptions,
} from './workload.ts';

export type InstallOptions = WorkloadOptions;

/** Each in the order in which it can be applied; together, too. */
export interface InstallParts {
  readonly namespace: readonly KubeObject[];
  readonly crd: readonly KubeObject[];
  /** The operator's account, what it may do, and what people may do with WebApps. */
  readonly rbac: readonly KubeObject[];
  readonly operator: readonly KubeObject[];
}

export function makeInstallParts(options: InstallOptions): InstallParts {
  const { namespaces } = options;
  const scope = namespaces.length > 0 ? namespaces.flatMap(makeNamespaceRole) : makeClusterRole();
  return {
    namespace: [makeNamespace()],
    crd: [makeCrd() as KubeObject],
    rbac: [makeServiceAccount(), ...scope, ...makeLeaseRole(), ...makePeopleRoles()],
    operator: [makeNetworkPolicy(), makeDisruptionBudget(), makeDeployment(options)],
  };
}

/** @returns everything an installation needs, in the order in which kubectl can apply it */
export function makeInstall(options: InstallOptions): KubeObject[] {
  const { namespace, crd, rbac, operator } = makeInstallParts(options);
  return [...namespace, ...crd, ...rbac, ...operator];
}

/** @param resources files and folders, relative to it */
export function makeKustomization(resources: readonly string[]): object {
  return { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources };
}

/**
 * A component that takes the rights in all namespaces away, for overlays whose operator looks after single ones. A component, because kustomize lets
 * no folder build on the one that holds it.
 */
export function makeNamespacedComponent(): object {
  const gone = (kind: string) => ({
    patch: `$patch: delete\napiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata: {name: ${NAME}}\n`,
  });
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    patches: [gone('ClusterRole'), gone('ClusterRoleBinding')],
  };
}
