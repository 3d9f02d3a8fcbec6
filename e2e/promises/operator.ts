// The operator on the cluster that promises are held on: installed once, by the first file that needs it.
import { fileURLToPath } from 'node:url';
import type { RealCluster } from '../cluster/real-cluster.ts';

export const OPERATOR_NAMESPACE = 'webapp-operator';
export const OPERATOR_DEPLOYMENT = 'webapp-operator';

const INSTALL_FILE = fileURLToPath(new URL('../../manifests/install.yaml', import.meta.url));

/** Resolves when every replica is ready. */
export async function ensureOperator(cluster: RealCluster): Promise<void> {
  const { code } = await cluster.kubectl(['-n', OPERATOR_NAMESPACE, 'get', 'deployment', OPERATOR_DEPLOYMENT]);
  if (code !== 0) await cluster.kubectlOk(['apply', '--server-side', '-f', INSTALL_FILE]);
  const wait = ['rollout', 'status', 'deployment', OPERATOR_DEPLOYMENT, '--timeout=55s'];
  await cluster.kubectlOk(['-n', OPERATOR_NAMESPACE, ...wait]);
}
