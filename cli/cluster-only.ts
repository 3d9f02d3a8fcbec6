// What a WebApp says that means something on Kubernetes only: `webapp up` names it rather than pass over it. Pure.
import { API_VERSION, KIND, type WebApp, type WebAppSpec, webAppSchema } from '../core/app/schema.ts';

/** Fields below `spec`. The two documents are made without them; `image` nobody expects to run here. */
const CLUSTER_FIELDS: readonly string[] = [
  'replicas',
  'resources',
  'envFrom',
  'files',
  'volumes',
  'imagePullSecrets',
  'serviceAccountName',
  'proxy.replicas',
  'proxy.hosts',
  'proxy.expose',
  'proxy.tls',
  'proxy.resources',
  'proxy.podTemplate',
  'proxy.keepRevisions',
  'migrate',
  'autoscaling',
  'rollout',
  'access',
  'monitoring',
  'podTemplate',
];

const UNTOUCHED: WebAppSpec = webAppSchema.parse({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name: 'a' },
  spec: { image: 'a', app: 'a:a' },
}).spec;

/** @returns those that are set to something other than their default, such as `proxy.hosts` */
export function clusterFieldsOf({ spec }: WebApp): string[] {
  return CLUSTER_FIELDS.filter((path) => JSON.stringify(at(spec, path)) !== JSON.stringify(at(UNTOUCHED, path)));
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns variables whose value only the cluster knows, without those that `environment` has */
export function unsetVariables({ spec: { env = [] } }: WebApp, environment: Environment): string[] {
  return env
    .filter(({ name, valueFrom }) => valueFrom !== undefined && environment[name] === undefined)
    .map(({ name }) => name);
}

/** @returns sentences for a person, none when all that is said is done here too */
export function clusterNotes(webApp: WebApp, environment: Environment): string[] {
  const fields = clusterFieldsOf(webApp);
  const variables = unsetVariables(webApp, environment);
  return [
    ...(fields.length > 0 ? [`for Kubernetes, not used here: ${fields.join(', ')}`] : []),
    ...(variables.length > 0
      ? [`not set here: ${variables.join(', ')} (env[].valueFrom); set them in this terminal`]
      : []),
    ...(webApp.spec.suspend ? ['suspended: the proxy answers 503 with a maintenance page, the worker idles'] : []),
  ];
}

/** @returns what of a spec is in force on this machine; a variable from the cluster is none */
export function specHere({ spec }: WebApp): object {
  const env = spec.env
    ?.filter(({ valueFrom }) => valueFrom === undefined)
    .map(({ name, value = '' }) => ({ name, value }));
  return CLUSTER_FIELDS.reduce<object>(without, { ...spec, image: undefined, env });
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((part, key) => (isFields(part) ? part[key] : undefined), value);
}

function without(value: object, path: string): object {
  const [key = '', ...rest] = path.split('.');
  const part: unknown = isFields(value) ? value[key] : undefined;
  if (rest.length === 0) return { ...value, [key]: undefined };
  return isFields(part) ? { ...value, [key]: without(part, rest.join('.')) } : value;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
