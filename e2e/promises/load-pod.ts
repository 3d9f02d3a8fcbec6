// A pod that makes load: on the first node, which tests leave alone, and spoken to through the API server. load-server.ts is what runs in it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RealCluster } from '../cluster/real-cluster.ts';
import type { LoadReport } from '../load.ts';
import { eventually } from '../namespace.ts';
import type { LoadRequest, Progress, Visit, VisitAnswer } from './load-server.ts';
import { nodePodSpec } from './node-pod.ts';

export type { LoadRequest, VisitAnswer } from './load-server.ts';

export interface RemoteLoad {
  report(): Promise<LoadReport>;
  /** Waits for every answer, or its timeout. */
  stop(): Promise<LoadReport>;
}

export interface LoadPod {
  start(request: LoadRequest): Promise<RemoteLoad>;
  /** One request from inside the cluster. @throws Error when there was no answer */
  visit(visit: Visit): Promise<VisitAnswer>;
}

const NAMESPACE = 'promises-load';
const PORT = 8080;
/** Where the files lie to each other as they do here, since they import each other. */
const FILES = ['load.ts', 'promises/load-server.ts', 'promises/socket-load.ts'];
const LAST_ANSWERS_MS = 60_000;

/** Makes it, unless there is one with these very scripts. Resolves when it is ready. */
export async function ensureLoadPod(cluster: RealCluster): Promise<LoadPod> {
  const scripts = FILES.map((path) => ({
    path,
    text: readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8'),
  }));
  const hash = createHash('sha256').update(JSON.stringify(scripts)).digest('hex').slice(0, 8);
  const name = `load-${hash}`;
  const objects = [
    namespaceObject(NAMESPACE),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: NAMESPACE }, data: scriptData(scripts) },
    podObject(name, cluster.nodes[0] ?? ''),
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  await cluster.kubectlOk(['apply', '-f', '-'], { input });
  await cluster.kubectlOk(['wait', '-n', NAMESPACE, '--for=condition=Ready', `pod/${name}`, '--timeout=50s']);
  return speakTo(cluster, `/api/v1/namespaces/${NAMESPACE}/pods/${name}:${PORT}/proxy`);
}

/** @param name of a namespace that takes only pods that are `restricted` */
export function namespaceObject(name: string): object {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function speakTo({ api }: RealCluster, root: string): LoadPod {
  return {
    start: async (request) => {
      const { id } = await api.json<{ id: string }>('POST', `${root}/start`, request);
      const report = (): Promise<Progress> => api.json<Progress>('GET', `${root}/report/${id}`);
      return { report, stop: () => stopped(() => api.json<Progress>('POST', `${root}/stop/${id}`), report) };
    },
    visit: (visit) => api.json<VisitAnswer>('POST', `${root}/visit`, visit),
  };
}

async function stopped(stop: () => Promise<Progress>, report: () => Promise<Progress>): Promise<LoadReport> {
  let last = await stop();
  await eventually(
    async () => {
      last = await report();
      return last.done;
    },
    () => `the load does not end: ${JSON.stringify(last)}`,
    LAST_ANSWERS_MS,
  );
  return last;
}

const keyOf = (path: string): string => path.replaceAll('/', '-');

function scriptData(scripts: readonly { path: string; text: string }[]): Record<string, string> {
  return {
    'package.json': '{"type": "module"}',
    ...Object.fromEntries(scripts.map(({ path, text }) => [keyOf(path), text])),
  };
}

function podObject(name: string, node: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeSelector: { 'kubernetes.io/hostname': node },
      tolerations: [{ operator: 'Exists' }],
      // A load that is lost is to be seen, not begun again.
      restartPolicy: 'Never',
      ...nodePodSpec('load', ['/load/promises/load-server.ts'], {
        ports: [{ containerPort: PORT }],
        readinessProbe: { httpGet: { path: '/', port: PORT }, periodSeconds: 1 },
        volumeMounts: [{ name: 'scripts', mountPath: '/load', readOnly: true }],
      }),
      volumes: [
        {
          name: 'scripts',
          configMap: { name, items: ['package.json', ...FILES].map((path) => ({ key: keyOf(path), path })) },
        },
      ],
    },
  };
}
