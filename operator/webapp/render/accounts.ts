// Who the pods are. The application gets no token; the proxy may watch EndpointSlices, which is how it finds the workers, and nothing else.
import type { KubeObject } from '../../../kube/object.ts';
import { names } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { makeChild } from './child.ts';

/**
 * The worker's is made also when the spec names another: pods of earlier versions that stand in its name could not be
 * replaced without it.
 */
export function renderAccounts(webApp: LiveWebApp): KubeObject[] {
  const { name, namespace } = webApp.metadata;
  const worker = { name: names.worker(name), component: 'worker' } as const;
  const proxy = { name: names.proxy(name), component: 'proxy' } as const;
  // A token is mounted where a pod asks for it, so that a pod that merely borrows the account has none.
  return [
    makeChild(webApp, 'ServiceAccount', worker, { automountServiceAccountToken: false }),
    makeChild(webApp, 'ServiceAccount', proxy, { automountServiceAccountToken: false }),
    makeChild(webApp, 'Role', proxy, {
      rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] }],
    }),
    makeChild(webApp, 'RoleBinding', proxy, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: proxy.name },
      subjects: [{ kind: 'ServiceAccount', name: proxy.name, namespace }],
    }),
  ];
}
