// The API of WebApps on a test's cluster: its path, installed, and asked.
import { fileURLToPath } from 'node:url';
import type { ApiAnswer } from './api.ts';
import type { Cluster } from './control-plane.ts';
import { until } from './until.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const API = '/apis/webapp-operator.io/v1alpha1';
export const webApps = (namespace = 'default'): string => `${API}/namespaces/${namespace}/webapps`;

export interface WebAppObject {
  readonly metadata: { readonly name: string; readonly generation: number; readonly resourceVersion: string };
  readonly spec: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}

/** Resolves when WebApps can be made. */
export async function installCrd(cluster: Cluster): Promise<void> {
  await cluster.kubectlOk(['apply', '-f', `${root}manifests/crd.yaml`]);
  await until('API for WebApps', async () => (await cluster.api.call('GET', webApps())).status === 200);
}

/** Asks what the API server would make of it, and makes nothing. */
export function tryWebApp(cluster: Cluster, manifest: unknown, query = 'fieldValidation=Strict'): Promise<ApiAnswer> {
  return cluster.api.call('POST', `${webApps()}?dryRun=All&${query}`, manifest);
}
