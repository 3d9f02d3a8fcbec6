// WebApps of one namespace, made and looked at: the same on a control plane whose pods are played and on a real cluster.
import { stringify } from 'yaml';
import { API_VERSION, KIND } from '../core/app/schema.ts';
import type { WebAppStatus } from '../core/status/webapp.ts';
import { type KubeObject, pathOf } from '../kube/object.ts';
import { type ChildKind, KINDS, POD, WEBAPP } from '../operator/webapp/kinds.ts';
import { LABEL } from '../operator/webapp/names.ts';
import type { Api } from './cluster/api.ts';
import type { Kubectl } from './cluster/kubectl.ts';

export interface LiveObject extends KubeObject {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}

export interface WebAppObject extends KubeObject {
  readonly spec: Record<string, unknown>;
  readonly status?: WebAppStatus;
}

/** What any kind of test cluster has. */
export interface Reach {
  readonly api: Api;
  kubectlOk(...call: Parameters<Kubectl>): Promise<string>;
}

type Kind = ChildKind | 'Pod' | 'WebApp';

export interface WebApps {
  readonly namespace: string;
  /** `kubectl apply` of a WebApp: what is not in `spec` any more is removed. */
  apply(name: string, spec: object): Promise<void>;
  webApp(name: string): Promise<WebAppObject>;
  /** undefined: there is none */
  child(kind: Kind, name: string): Promise<LiveObject | undefined>;
  /** All objects that belong to the WebApp, of all kinds that every cluster has. */
  children(webApp: string): Promise<LiveObject[]>;
  /** JSON merge patch, as somebody else. */
  patch(kind: Kind, name: string, patch: object, manager?: string): Promise<void>;
  remove(kind: Kind, name: string): Promise<void>;
  /** Polls the WebApp until `holds`. @throws Error that shows the last status */
  settled(name: string, what: string, holds: (webApp: WebAppObject) => boolean): Promise<WebAppObject>;
}

const PATIENCE_MS = 60_000;

/** @param patienceMs how long `settled` waits */
export function webAppsIn(reach: Reach, namespace: string, patienceMs = PATIENCE_MS): WebApps {
  const path = (kind: Kind, name?: string): string =>
    pathOf(kind === 'Pod' ? POD : kind === 'WebApp' ? WEBAPP : KINDS[kind], { namespace, name });
  const get = async <T>(kind: Kind, name: string): Promise<T | undefined> => {
    const { status, text } = await reach.api.call('GET', path(kind, name));
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${kind}/${name}: ${text}`);
    return JSON.parse(text) as T;
  };
  const webApps: WebApps = {
    namespace,
    apply: async (name, spec) => {
      const manifest = { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace }, spec };
      await reach.kubectlOk(['apply', '-f', '-'], { input: stringify(manifest) });
    },
    webApp: async (name) => {
      const webApp = await get<WebAppObject>('WebApp', name);
      if (webApp === undefined) throw new Error(`there is no WebApp ${name}`);
      return webApp;
    },
    child: (kind, name) => get<LiveObject>(kind, name),
    children: (webApp) => childrenOf(reach, namespace, webApp),
    patch: async (kind, name, patch, manager = 'somebody') => {
      const query = `fieldManager=${manager}`;
      await reach.api.json('PATCH', `${path(kind, name)}?${query}`, patch, 'application/merge-patch+json');
    },
    remove: async (kind, name) => {
      await reach.api.json('DELETE', path(kind, name));
    },
    settled: (name, what, holds) => settled(webApps, patienceMs, name, what, holds),
  };
  return webApps;
}

async function childrenOf(reach: Reach, namespace: string, webApp: string): Promise<LiveObject[]> {
  const selector = encodeURIComponent(`${LABEL.webApp}=${webApp}`);
  const lists = await Promise.all(
    Object.values(KINDS).map(async (resource) => {
      const path = `${pathOf(resource, { namespace })}?labelSelector=${selector}`;
      const { status, text } = await reach.api.call('GET', path);
      if (status === 404) return [];
      const { items } = JSON.parse(text) as { items: LiveObject[] };
      return items.map((item) => ({ ...item, kind: resource.kind }));
    }),
  );
  return lists.flat();
}

async function settled(
  webApps: WebApps,
  patienceMs: number,
  name: string,
  what: string,
  holds: (webApp: WebAppObject) => boolean,
): Promise<WebAppObject> {
  let last: WebAppObject | undefined;
  await eventually(
    async () => {
      last = await webApps.webApp(name);
      return last.status?.observedGeneration === last.metadata.generation && holds(last);
    },
    () => `${name} is not ${what}: ${JSON.stringify(last?.status, null, 1)}`,
    patienceMs,
  );
  return last as WebAppObject;
}

/** Polls. @throws Error with `tell()` after a minute, or as long as is said */
export async function eventually(
  look: () => Promise<boolean> | boolean,
  tell: () => string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(tell());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const condition = (webApp: WebAppObject, type: string): string => {
  const found = webApp.status?.conditions?.find((one) => one.type === type);
  return `${found?.status}/${found?.reason}`;
};

/** Serves, and no pod of an older revision or not yet ready is left. */
export const isComplete = (webApp: WebAppObject): boolean =>
  condition(webApp, 'Ready') === 'True/Serving' && condition(webApp, 'Progressing') === 'False/Complete';
