// Another value than the chart's own for every value it has: for tests that hold every one of them to do something, and to be taken by an API server.
import type { Values } from '../promises/helm.ts';

export interface Change {
  readonly value: unknown;
  /** What must be set for it to matter. */
  readonly beside?: Values;
  /** It takes an object away: left out where all are changed at once. */
  readonly removes?: true;
}

const on = (value: unknown, beside: Values): Change => ({ value, beside });
const off: Change = { value: false, removes: true };
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Path in values.yaml → change. */
export const CHANGES: Readonly<Record<string, Change>> = {
  'global.imageRegistry': { value: 'mirror.example.com' },
  'global.imagePullSecrets': { value: [{ name: 'mirror' }] },
  replicas: { value: 3 },
  'image.registry': { value: 'registry.example.com' },
  'image.repository': { value: 'team/webapp-operator' },
  'image.tag': { value: '1.2.3' },
  'image.digest': { value: DIGEST },
  'image.pullPolicy': { value: 'Always' },
  'proxyImage.registry': { value: 'registry.example.com' },
  'proxyImage.repository': { value: 'team/webapp-proxy' },
  'proxyImage.tag': { value: '1.2.3' },
  'proxyImage.digest': { value: DIGEST },
  imagePullSecrets: { value: [{ name: 'registry' }] },
  watchNamespaces: { value: ['shop', 'blog'] },
  clusterDomain: { value: 'cluster.example' },
  drainDelay: { value: '1m30s' },
  concurrency: { value: 20 },
  statusInterval: { value: '0s' },
  resyncInterval: { value: '1h' },
  'crds.enabled': off,
  'crds.keep': { value: false },
  'rbac.create': off,
  'rbac.people': off,
  'serviceAccount.create': off,
  'serviceAccount.name': { value: 'looks-after-webapps' },
  'serviceAccount.annotations': { value: { 'example.com/role': 'operator' } },
  'resources.requests': { value: { cpu: 1, memory: '256Mi' } },
  'resources.limits': { value: { cpu: '2', memory: '1Gi' } },
  env: { value: { NODE_OPTIONS: '--max-old-space-size=512', NODE_EXTRA_CA_CERTS: '/etc/ca.pem' } },
  'priorityClass.name': on('webapps-first', { priorityClass: { create: true } }),
  'priorityClass.create': { value: true },
  'priorityClass.value': on(12_345_678, { priorityClass: { create: true } }),
  nodeSelector: { value: { 'kubernetes.io/os': 'linux' } },
  tolerations: { value: [{ key: 'dedicated', operator: 'Equal', value: 'operators', effect: 'NoSchedule' }] },
  affinity: {
    value: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }] }],
        },
      },
    },
  },
  podAnnotations: { value: { 'example.com/team': 'web' } },
  podLabels: { value: { 'example.com/team': 'web' } },
  commonLabels: { value: { 'example.com/cost': '42' } },
  'podDisruptionBudget.enabled': off,
  'networkPolicy.enabled': off,
  'serviceMonitor.enabled': { value: true },
  'serviceMonitor.interval': on('1m', { serviceMonitor: { enabled: true } }),
  'serviceMonitor.labels': on({ release: 'prometheus' }, { serviceMonitor: { enabled: true } }),
  'dashboards.enabled': { value: true },
  'dashboards.labels': on({ team: 'web' }, { dashboards: { enabled: true } }),
  'dashboards.annotations': on({ grafana_folder: 'WebApps' }, { dashboards: { enabled: true } }),
  'alerts.enabled': { value: true },
  'alerts.labels': on({ release: 'prometheus' }, { alerts: { enabled: true } }),
  'alerts.objective': on(99.5, { alerts: { enabled: true } }),
  'alerts.runbooks': on('https://wiki.example.com/runbooks', { alerts: { enabled: true } }),
};

/** @returns values in which only `path` differs from the chart's, and what it needs beside it */
export function valuesOf(path: string, { value, beside = {} }: Change): Values {
  return merged(structuredClone(beside), path, value);
}

/** Every value changed at once, save those that take something away. */
export function makeAllChanged(): Values {
  return Object.entries(CHANGES)
    .filter(([, { removes }]) => !removes)
    .reduce<Values>((values, [path, { value }]) => merged(values, path, value), {});
}

function merged(values: Values, path: string, value: unknown): Values {
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0) return { ...values, [first]: value };
  return { ...values, [first]: merged((values[first] ?? {}) as Values, rest.join('.'), value) };
}
