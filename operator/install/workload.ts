// The operator's own pods: two of them, of which one leads, and the other takes over within seconds.
import type { KubeObject } from '../../kube/object.ts';
import { ADMIN_PORT, inPlace, LABELS, NAME, NAMESPACE, SELECTOR } from './place.ts';

export interface WorkloadOptions {
  /** Of the operator; images are named after it. */
  readonly version: string;
  /** Those to look after. Empty: all. */
  readonly namespaces: readonly string[];
}

export const CONTAINER = 'operator';

export function makeNamespace(): KubeObject {
  const labels = { ...LABELS, 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } };
}

export function makeDeployment(options: WorkloadOptions): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: inPlace(),
    spec: {
      replicas: 2,
      selector: { matchLabels: SELECTOR },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: {
          labels: LABELS,
          annotations: {
            'kubectl.kubernetes.io/default-container': CONTAINER,
            'prometheus.io/scrape': 'true',
            'prometheus.io/port': String(ADMIN_PORT),
          },
        },
        spec: makePodSpec(options),
      },
    },
  };
}

function makePodSpec(options: WorkloadOptions): object {
  return {
    serviceAccountName: NAME,
    // Passes in work may take 20 s to finish; then the Lease is given back.
    terminationGracePeriodSeconds: 40,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: SELECTOR },
      },
    ],
    containers: [makeContainer(options)],
  };
}

/**
 * 5,000 WebApps fit into 256 MiB with these (bench/operator/): glibc gives back what packing and TLS have freed, and V8 collects before it grows. The heap's own
 * bound stands far above what such a fleet needs.
 */
export const MEMORY_ENV: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '--max-old-space-size=256',
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

function makeContainer({ version, namespaces }: WorkloadOptions): object {
  return {
    name: CONTAINER,
    image: `webapp-operator:${version}`,
    command: ['webapp-operator'],
    args: [
      'run',
      '--identity=$(POD_NAME)',
      '--leader-election-namespace=$(POD_NAMESPACE)',
      `--admin=:${ADMIN_PORT}`,
      `--proxy-image=webapp-proxy:${version}`,
      ...(namespaces.length > 0 ? [`--namespaces=${namespaces.join(',')}`] : []),
    ],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      ...Object.entries(MEMORY_ENV).map(([name, value]) => ({ name, value })),
    ],
    ports: [{ name: 'admin', containerPort: ADMIN_PORT, protocol: 'TCP' }],
    livenessProbe: probe('/healthz', { periodSeconds: 10, failureThreshold: 6 }),
    // Ready when its caches are complete, whether it leads or not.
    readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 2 }),
    resources: makeResources(),
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

export function makeResources() {
  return { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } };
}

function probe(path: string, times: { periodSeconds: number; failureThreshold: number }): object {
  return { httpGet: { path, port: 'admin' }, timeoutSeconds: 5, ...times };
}

export function makeDisruptionBudget(): KubeObject {
  const spec = { maxUnavailable: 1, selector: { matchLabels: SELECTOR } };
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: inPlace(), spec };
}

/** Metrics and probes come in, nothing else. What goes out is left alone: the API server's address and port are the cluster's, and workers are everywhere. */
export function makeNetworkPolicy(): KubeObject {
  const spec = {
    podSelector: { matchLabels: SELECTOR },
    policyTypes: ['Ingress'],
    ingress: [{ ports: [{ port: 'admin', protocol: 'TCP' }] }],
  };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: inPlace(), spec };
}
