// What the tests of the operator share: the CRD and the operator's own rights on a cluster, WebApps made and looked at.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { makeCrd } from '../../core/app/crd.ts';
import { API_VERSION, KIND } from '../../core/app/schema.ts';
import type { WebAppStatus } from '../../core/status/webapp.ts';
import { type KubeObject, pathOf } from '../../kube/object.ts';
import { type ChildKind, KINDS, POD, WEBAPP } from '../../operator/webapp/kinds.ts';
import { LABEL } from '../../operator/webapp/names.ts';
import type { Cluster } from '../cluster/control-plane.ts';

export interface LiveObject extends KubeObject {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}

export interface WebAppObject extends KubeObject {
  readonly spec: Record<string, unknown>;
  readonly status?: WebAppStatus;
}

export interface Rig {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Of a user with exactly the operator's rights. */
  readonly kubeconfig: string;
  /** `kubectl apply` of a WebApp: what is not in `spec` any more is removed. */
  apply(name: string, spec: object): Promise<void>;
  webApp(name: string): Promise<WebAppObject>;
  /** undefined: there is none */
  child(kind: ChildKind | 'Pod' | 'WebApp', name: string): Promise<LiveObject | undefined>;
  /** All objects that belong to the WebApp, of all kinds that every cluster has. */
  children(webApp: string): Promise<LiveObject[]>;
  /** JSON merge patch, as somebody else. */
  patch(kind: ChildKind | 'Pod' | 'WebApp', name: string, patch: object, manager?: string): Promise<void>;
  remove(kind: ChildKind | 'Pod' | 'WebApp', name: string): Promise<void>;
  /** Polls the WebApp until `holds`. @throws Error that shows the last status */
  settled(name: string, what: string, holds: (webApp: WebAppObject) => boolean): Promise<WebAppObject>;
}

const MANIFESTS = fileURLToPath(new URL('../../manifests', import.meta.url));
const CRD_NAME = 'webapps.webapp-operator.io';
const PATIENCE_MS = 60_000;

export const OPERATOR_NAMESPACE = 'webapp-operator';
const OPERATOR_ACCOUNT = 'webapp-operator';

/** With exactly the rights that manifests/ gives the operator. */
export async function makeRig(cluster: Cluster): Promise<Rig> {
  const rights = ['namespace', 'rbac']
    .map((name) => readFileSync(join(MANIFESTS, `${name}.yaml`), 'utf8'))
    .join('---\n');
  await cluster.kubectlOk(['apply', '--server-side', '-f', '-'], { input: stringify(makeCrd()) });
  await cluster.kubectlOk(['wait', '--for=condition=Established', `crd/${CRD_NAME}`, '--timeout=60s']);
  await cluster.kubectlOk(['apply', '--server-side', '-f', '-'], { input: rights });
  const namespace = await cluster.makeNamespace();
  const kubeconfig = await writeOperatorKubeconfig(cluster);
  const path = (kind: ChildKind | 'Pod' | 'WebApp', name?: string): string =>
    pathOf(kind === 'Pod' ? POD : kind === 'WebApp' ? WEBAPP : KINDS[kind], { namespace, name });
  const get = async <T>(kind: ChildKind | 'Pod' | 'WebApp', name: string): Promise<T | undefined> => {
    const { status, text } = await cluster.api.call('GET', path(kind, name));
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${kind}/${name}: ${text}`);
    return JSON.parse(text) as T;
  };
  const rig: Rig = {
    cluster,
    namespace,
    kubeconfig,
    apply: async (name, spec) => {
      const manifest = { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace }, spec };
      await cluster.kubectlOk(['apply', '-f', '-'], { input: stringify(manifest) });
    },
    webApp: async (name) => {
      const webApp = await get<WebAppObject>('WebApp', name);
      if (webApp === undefined) throw new Error(`there is no WebApp ${name}`);
      return webApp;
    },
    child: (kind, name) => get<LiveObject>(kind, name),
    children: async (webApp) => {
      const lists = await Promise.all(
        Object.values(KINDS).map(async (resource) => {
          const selector = encodeURIComponent(`${LABEL.webApp}=${webApp}`);
          const { status, text } = await cluster.api.call(
            'GET',
            `${pathOf(resource, { namespace })}?labelSelector=${selector}`,
          );
          if (status === 404) return [];
          const { items } = JSON.parse(text) as { items: LiveObject[] };
          return items.map((item) => ({ ...item, kind: resource.kind }));
        }),
      );
      return lists.flat();
    },
    patch: async (kind, name, patch, manager = 'somebody') => {
      await cluster.api.json(
        'PATCH',
        `${path(kind, name)}?fieldManager=${manager}`,
        patch,
        'application/merge-patch+json',
      );
    },
    remove: async (kind, name) => {
      await cluster.api.json('DELETE', path(kind, name));
    },
    settled: (name, what, holds) => settled(rig, name, what, holds),
  };
  return rig;
}

async function settled(
  rig: Rig,
  name: string,
  what: string,
  holds: (webApp: WebAppObject) => boolean,
): Promise<WebAppObject> {
  let last: WebAppObject | undefined;
  await eventually(
    async () => {
      last = await rig.webApp(name);
      return last.status?.observedGeneration === last.metadata.generation && holds(last);
    },
    () => `${name} is not ${what}: ${JSON.stringify(last?.status, null, 1)}`,
  );
  return last as WebAppObject;
}

/** Polls. @throws Error with `tell()` after a minute */
export async function eventually(look: () => Promise<boolean> | boolean, tell: () => string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(tell());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
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

export const condition = (webApp: WebAppObject, type: string): string => {
  const found = webApp.status?.conditions?.find((one) => one.type === type);
  return `${found?.status}/${found?.reason}`;
};

/** Serves, and no pod of an older revision or not yet ready is left. */
export const isComplete = (webApp: WebAppObject): boolean =>
  condition(webApp, 'Ready') === 'True/Serving' && condition(webApp, 'Progressing') === 'False/Complete';
