// A Prometheus in the cluster, as people have one: it finds pods by their annotations and is asked through the API server.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../cluster/build.ts';
import { imageArchive } from '../cluster/native/image-archive.ts';
import type { RealCluster } from '../cluster/real-cluster.ts';
import { namespaceObject } from './load-pod.ts';

const IMAGE = 'docker.io/library/promises-prometheus:1';

export interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError: string;
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Prometheus {
  /** As a panel asks: over the last minutes. @returns how many lines it would draw @throws Error in Prometheus' words when it does not take the expression */
  lines(expression: string): Promise<number>;
  targets(): Promise<readonly Target[]>;
  firing(): Promise<readonly Alert[]>;
}

const NAMESPACE = 'promises-prometheus';
const NAME = 'prometheus';
const PORT = 9090;
const SCRAPE_SECONDS = 3;
/** What a panel shows. */
const SHOWN_SECONDS = 300;
const RULES_FILE = fileURLToPath(new URL('../../manifests/prometheus-rules.yaml', import.meta.url));

/** The scrape job of Prometheus' own examples for Kubernetes (documentation/examples/prometheus-kubernetes.yml), at a shorter interval. */
const CONFIG = `
global: {scrape_interval: ${SCRAPE_SECONDS}s, evaluation_interval: ${SCRAPE_SECONDS}s}
rule_files: [/etc/prometheus/rules.yaml]
scrape_configs:
  - job_name: kubernetes-pods
    kubernetes_sd_configs: [{role: pod}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: "true"}
      - {source_labels: [__meta_kubernetes_pod_phase], action: drop, regex: Pending|Succeeded|Failed}
      - {source_labels: [__meta_kubernetes_pod_container_init], action: drop, regex: "true"}
      - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], action: replace, target_label: __metrics_path__, regex: (.+)}
      - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
        action: replace
        target_label: __address__
        regex: ([^;]+);(\\d+)
        replacement: $1:$2
      - {source_labels: [__meta_kubernetes_namespace], action: replace, target_label: namespace}
      - {source_labels: [__meta_kubernetes_pod_name], action: replace, target_label: pod}
`;

/** Builds it when it is not built yet. Resolves when it is ready. */
export async function startPrometheus(cluster: RealCluster): Promise<Prometheus> {
  await loadImage(cluster);
  const items = [namespaceObject(NAMESPACE), ...rights(), configObject(), podObject(cluster.nodes[0] ?? '')];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await cluster.kubectlOk(['apply', '-f', '-'], { input });
  await cluster.kubectlOk(['wait', '-n', NAMESPACE, '--for=condition=Ready', `pod/${NAME}`, '--timeout=55s']);
  return speakTo(cluster, `/api/v1/namespaces/${NAMESPACE}/pods/${NAME}:${PORT}/proxy/api/v1`);
}

async function loadImage(cluster: RealCluster): Promise<void> {
  const content = readFileSync(join(await buildProgram('prometheus'), 'prometheus'));
  const files = [{ path: 'prometheus', content, mode: 0o755 }];
  const archive = join(tmpdir(), `promises-prometheus-${process.pid}.tar`);
  writeFileSync(archive, imageArchive([{ name: IMAGE, entrypoint: ['/prometheus'], files }]));
  await cluster.loadImages(archive).finally(() => rmSync(archive));
}

/** Removes all of it. Does not wait. */
export async function stopPrometheus(cluster: RealCluster): Promise<void> {
  await cluster.kubectlOk(['delete', 'namespace', NAMESPACE, '--wait=false']);
  await cluster.kubectlOk(['delete', 'clusterrole,clusterrolebinding', NAMESPACE, '--wait=false']);
}

interface Answer<T> {
  readonly data: T;
}

function speakTo({ api }: RealCluster, root: string): Prometheus {
  const ask = async <T>(path: string): Promise<T> => (await api.json<Answer<T>>('GET', `${root}/${path}`)).data;
  return {
    lines: async (expression) => {
      const end = Date.now() / 1_000;
      const window = `start=${end - SHOWN_SECONDS}&end=${end}&step=${SCRAPE_SECONDS}`;
      const { result } = await ask<{ result: unknown[] }>(
        `query_range?query=${encodeURIComponent(expression)}&${window}`,
      );
      return result.length;
    },
    targets: async () => (await ask<{ activeTargets: Target[] }>('targets?state=active')).activeTargets,
    firing: async () => {
      const { alerts } = await ask<{ alerts: (Alert & { state: string })[] }>('alerts');
      return alerts.filter(({ state }) => state === 'firing');
    },
  };
}

function rights(): object[] {
  const metadata = { name: NAMESPACE };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAMESPACE };
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: NAMESPACE } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata,
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
    },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata, roleRef, subjects },
  ];
}

function configObject(): object {
  const data = { 'prometheus.yml': CONFIG, 'rules.yaml': readFileSync(RULES_FILE, 'utf8') };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace: NAMESPACE }, data };
}

/** Has the name by which NetworkPolicies let monitors in. */
function podObject(node: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: NAME, namespace: NAMESPACE, labels: { 'app.kubernetes.io/name': 'prometheus' } },
    spec: {
      nodeSelector: { 'kubernetes.io/hostname': node },
      serviceAccountName: NAME,
      securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'prometheus',
          image: IMAGE,
          args: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/data', '--web.enable-lifecycle'],
          ports: [{ containerPort: PORT }],
          readinessProbe: { httpGet: { path: '/-/ready', port: PORT }, periodSeconds: 1 },
          resources: { requests: { cpu: '50m', memory: '128Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'config', mountPath: '/etc/prometheus', readOnly: true },
            { name: 'data', mountPath: '/data' },
          ],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: NAME } },
        { name: 'data', emptyDir: {} },
      ],
    },
  };
}
