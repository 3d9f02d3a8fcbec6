// The kinds of objects that the commands read in a cluster, and by what the operator's pods are known. The operator has these names in operator/webapp/, which is not for
// others to import; a test holds the two together.
import { GROUP, KIND, VERSION } from '../../core/app/schema.ts';
import type { Resource } from '../../kube/object.ts';

export const WEBAPP: Resource = { group: GROUP, version: VERSION, kind: KIND, plural: 'webapps', namespaced: true };
export const POD: Resource = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
export const EVENT: Resource = { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true };

export const LABEL = {
  webApp: `${GROUP}/webapp`,
  component: 'app.kubernetes.io/component',
  revision: `${GROUP}/revision`,
} as const;

export const ADMIN_PORT = { worker: 9000, proxy: 9090 } as const;
/** Of pods: the one whose log it is. */
export const CONTAINER = { worker: 'app', proxy: 'proxy', migrate: 'app' } as const;
