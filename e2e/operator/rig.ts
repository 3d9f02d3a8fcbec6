// What the tests of the operator share: the CRD and the operator's own rights on a cluster, WebApps made and looked at.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { makeCrd } from '../../core/app/crd.ts';
import type { Cluster } from '../cluster/control-plane.ts';
import { untilEstablished } from '../cluster/established.ts';
import { type WebApps, webAppsIn } from '../namespace.ts';

export { condition, eventually, isComplete, type LiveObject, type WebAppObject } from '../namespace.ts';

export interface Rig extends WebApps {
  readonly cluster: Cluster;
  /** Of a user with exactly the operator's rights. */
  readonly kubeconfig: string;
}

const MANIFESTS = fileURLToPath(new URL('../../manifests', import.meta.url));
const CRD_NAME = 'webapps.webapp-operator.io';

export const OPERATOR_NAMESPACE = 'webapp-operator';
const OPERATOR_ACCOUNT = 'webapp-operator';

/** With exactly the rights that manifests/ gives the operator. */
export async function makeRig(cluster: Cluster): Promise<Rig> {
  const rights = ['namespace', 'rbac']
    .map((name) => readFileSync(join(MANIFESTS, `${name}.yaml`), 'utf8'))
    .join('---\n');
  await cluster.kubectlOk(['apply', '--server-side', '-f', '-'], { input: stringify(makeCrd()) });
  await untilEstablished(cluster.kubectlOk, `crd/${CRD_NAME}`);
  await cluster.kubectlOk(['apply', '--server-side', '-f', '-'], { input: rights });
  const namespace = await cluster.makeNamespace();
  const kubeconfig = await writeOperatorKubeconfig(cluster);
  return { cluster, kubeconfig, ...webAppsIn(cluster, namespace) };
}

/** Polls until `read` gives the same twice in a row, `times` in a row: nothing moves any more. */
export async function untilQuiet<T>(read: () => Promise<T>, times = 10): Promise<T> {
  let last = await read();
  for (let same = 0; same < times; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = await read();
    same = isDeepStrictEqual(now, last) ? same + 1 : 0;
    last = now;
  }
  return last;
}

async function writeOperatorKubeconfig(cluster: Cluster): Promise<string> {
  return writeKubeconfig(
    join(cluster.folder, 'operator.kubeconfig'),
    cluster.server,
    ...(await operatorToken(cluster)),
  );
}

/** For a kubeconfig of the operator's service account. */
export async function operatorToken(cluster: Cluster): Promise<[ca: string, token: string]> {
  const access = await cluster.accessFor(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT);
  const { authorization = '' } = await access.headers();
  return [String(access.tls().ca), authorization.replace('Bearer ', '')];
}

/** @returns `path` */
export function writeKubeconfig(path: string, server: URL, ca: string, token: string): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: {
          server: server.href.replace(/\/$/, ''),
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'operator', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'operator' } }],
    'current-context': 'test',
  };
  writeFileSync(path, stringify(config), { mode: 0o600 });
  return path;
}
