// Names, labels and annotations of all that belongs to a WebApp: made here only. Labels follow app.kubernetes.io.
import { GROUP } from '../../core/app/schema.ts';

export type Component = 'worker' | 'proxy' | 'migrate';

/** Also the selector of every watch: what does not carry it is not ours. */
export const MANAGED_BY = 'webapp-operator';
export const FIELD_MANAGER = 'webapp-operator';
/** Holds `spec.replicas` of a Deployment from when an autoscaler is asked for until that has written it. */
export const HAND_OVER_MANAGER = 'webapp-operator-hand-over';

export const LABEL = {
  name: 'app.kubernetes.io/name',
  component: 'app.kubernetes.io/component',
  managedBy: 'app.kubernetes.io/managed-by',
  /** The WebApp's name, for finding back from any child and pod. */
  webApp: `${GROUP}/webapp`,
  /** Of pods and revisions: which version. */
  revision: `${GROUP}/revision`,
} as const;

export const ANNOTATION = {
  /** Of every child: hash of what was wanted when it was applied. */
  intent: `${GROUP}/intent`,
  /** Of pods: hash of the configuration that the kubelet is to refresh to. */
  config: `${GROUP}/config`,
  /** Of pods: how often the kubelet was told of it, and when last: `2@2026-11-22T12:00:05.000Z`. */
  configTold: `${GROUP}/config-told`,
  /** Of the worker Deployment: keys of the migrations that were made, the newest first, with commas between them. */
  migrated: `${GROUP}/migrated`,
  /** Of the worker Deployment: `operator` or `autoscaler`, whoever sets spec.replicas. */
  replicasBy: `${GROUP}/replicas-by`,
} as const;

export const PORT = { worker: 8000, proxy: 8080, workerAdmin: 9000, proxyAdmin: 9090 } as const;
/** Names of ports in pods, Services and EndpointSlices. */
export const PORT_NAME = { http: 'http', admin: 'admin' } as const;

/** Longest name made here: 50 of the WebApp's, `-worker-` and 10 of a hash: 68, for objects that may have 253. Labels and Services stay below 63. */
export const names = {
  worker: (webApp: string) => `${webApp}-worker`,
  proxy: (webApp: string) => `${webApp}-proxy`,
  /** Cluster-internal way in. */
  service: (webApp: string) => webApp,
  publicService: (webApp: string) => `${webApp}-public`,
  /** Headless: its EndpointSlices are what the proxy watches. */
  workersService: (webApp: string) => `${webApp}-workers`,
  workerConfig: (webApp: string, revision: string) => `${webApp}-worker-${revision}`,
  proxyConfig: (webApp: string) => `${webApp}-proxy`,
  revision: (webApp: string, component: 'worker' | 'proxy', revision: string) => `${webApp}-${component}-${revision}`,
  /** A Job's name is a label of its pods: 63 characters. The key is over the whole name. */
  migrate: (webApp: string, key: string) => `${webApp.slice(0, 44)}-migrate-${key}`,
  /** Ingress, HTTPRoute, Certificate, monitors. */
  edge: (webApp: string) => webApp,
  certificateSecret: (webApp: string) => `${webApp}-tls`,
} as const;

/** Selector of a Deployment and of what follows it: immutable there, so never to be changed here. */
export function selectorLabels(webApp: string, component: Component): Record<string, string> {
  return { [LABEL.name]: webApp, [LABEL.component]: component, [LABEL.managedBy]: MANAGED_BY };
}

export function labels(webApp: string, component?: Component): Record<string, string> {
  return {
    [LABEL.name]: webApp,
    ...(component && { [LABEL.component]: component }),
    [LABEL.managedBy]: MANAGED_BY,
    [LABEL.webApp]: webApp,
  };
}
