// Where an installation of the operator lives and what its objects are called. Used by all makers of this folder, which are pure: they make what
// `npm run generate` writes to manifests/, and look at no cluster.
import type { ObjectMeta } from '../../kube/object.ts';

export const NAMESPACE = 'webapp-operator';
/** Of everything that an installation has one of. */
export const NAME = 'webapp-operator';
export const ADMIN_PORT = 9100;

/** Selector of the operator's pods: immutable in its Deployment, so never to be changed here. */
export const SELECTOR = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/component': 'operator' } as const;

/** Without `managed-by`, by which the operator finds what it made itself. */
export const LABELS = { ...SELECTOR, 'app.kubernetes.io/part-of': NAME } as const;

/** @returns metadata of an object of the installation. @param name default: the operator's */
export function inPlace(name: string = NAME): ObjectMeta {
  return { name, namespace: NAMESPACE, labels: LABELS };
}

/** @returns metadata of an object that no namespace holds */
export function clusterWide(name: string = NAME): ObjectMeta {
  return { name, labels: LABELS };
}
