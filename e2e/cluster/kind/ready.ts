// When a cluster of kind has all that is promised: nodes, DNS, metrics.
import type { Api } from '../api.ts';
import type { RealCluster } from '../real-cluster.ts';

/** The image of metrics-server is fetched meanwhile. */
const PATIENCE_MS = 4 * 60_000;

/** @throws Error that says what is missing, after four minutes */
export async function waitUntilComplete({ api }: Pick<RealCluster, 'api'>, nodes: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const missing = await missingOf(api, nodes);
    if (missing === undefined) return;
    if (performance.now() > deadline) throw new Error(`no ${missing} within ${PATIENCE_MS / 60_000} minutes`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

interface Conditioned {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const holds = (object: Conditioned, type: string): boolean =>
  object.status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;

/** @returns what is waited for, undefined when all is there */
async function missingOf(api: Api, wanted: number): Promise<string | undefined> {
  const nodes = await itemsOf<Conditioned>(api, '/api/v1/nodes');
  const ready = nodes.filter((node) => holds(node, 'Ready')).length;
  if (ready < wanted) return `Ready nodes (${ready} of ${wanted})`;
  const [dns] = await itemsOf<Conditioned>(
    api,
    '/apis/apps/v1/namespaces/kube-system/deployments?labelSelector=k8s-app%3Dkube-dns',
  );
  if (dns === undefined || !holds(dns, 'Available')) return 'available CoreDNS';
  const measured = await itemsOf(api, '/apis/metrics.k8s.io/v1beta1/nodes');
  return measured.length < wanted ? `metrics of every node (${measured.length} of ${wanted})` : undefined;
}

/** An API that does not answer yet has none. */
async function itemsOf<T = unknown>(api: Api, path: string): Promise<readonly T[]> {
  const { status, text } = await api.call('GET', path);
  return status === 200 ? (JSON.parse(text) as { readonly items: readonly T[] }).items : [];
}
