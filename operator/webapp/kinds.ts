// Every kind of object that the operator makes or reads: what it watches, what RBAC must allow, and which are optional.
import { GROUP, KIND, VERSION } from '../../core/app/schema.ts';
import type { Resource } from '../../kube/object.ts';

const resource = (group: string, version: string, kind: string, plural: string): Resource => ({
  group,
  version,
  kind,
  plural,
  namespaced: true,
});

export const WEBAPP = resource(GROUP, VERSION, KIND, 'webapps');
export const POD = resource('', 'v1', 'Pod', 'pods');
export const SECRET = resource('', 'v1', 'Secret', 'secrets');
export const CONFIG_MAP = resource('', 'v1', 'ConfigMap', 'configmaps');

/** Made by the operator, owned by the WebApp, on every cluster. */
export const CHILD_KINDS = {
  ServiceAccount: resource('', 'v1', 'ServiceAccount', 'serviceaccounts'),
  Role: resource('rbac.authorization.k8s.io', 'v1', 'Role', 'roles'),
  RoleBinding: resource('rbac.authorization.k8s.io', 'v1', 'RoleBinding', 'rolebindings'),
  ConfigMap: CONFIG_MAP,
  Service: resource('', 'v1', 'Service', 'services'),
  NetworkPolicy: resource('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies'),
  PodDisruptionBudget: resource('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  HorizontalPodAutoscaler: resource('autoscaling', 'v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  ControllerRevision: resource('apps', 'v1', 'ControllerRevision', 'controllerrevisions'),
  Deployment: resource('apps', 'v1', 'Deployment', 'deployments'),
  Job: resource('batch', 'v1', 'Job', 'jobs'),
  Ingress: resource('networking.k8s.io', 'v1', 'Ingress', 'ingresses'),
} as const satisfies Record<string, Resource>;

/** Made when the spec asks for it and the cluster has the API. */
export const OPTIONAL_KINDS = {
  HTTPRoute: resource('gateway.networking.k8s.io', 'v1', 'HTTPRoute', 'httproutes'),
  Certificate: resource('cert-manager.io', 'v1', 'Certificate', 'certificates'),
  ServiceMonitor: resource('monitoring.coreos.com', 'v1', 'ServiceMonitor', 'servicemonitors'),
  PodMonitor: resource('monitoring.coreos.com', 'v1', 'PodMonitor', 'podmonitors'),
} as const satisfies Record<string, Resource>;

export type OptionalKind = keyof typeof OPTIONAL_KINDS;
export type ChildKind = keyof typeof CHILD_KINDS | OptionalKind;

export const KINDS: Readonly<Record<ChildKind, Resource>> = { ...CHILD_KINDS, ...OPTIONAL_KINDS };
