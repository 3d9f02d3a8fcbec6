// `webapp-operator --dry-run -f FILE`: what the operator would make of the WebApps in a file, without a cluster. Pure.
import { parseWebApps } from '../core/app/manifest-file.ts';
import type { WebApp } from '../core/app/schema.ts';
import { ProblemsError } from '../core/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import { toYaml } from './install/yaml.ts';
import type { Settings } from './settings.ts';
import { OPTIONAL_KINDS, type OptionalKind } from './webapp/kinds.ts';
import type { LiveWebApp } from './webapp/observed.ts';
import { planReplicas } from './webapp/plan/replicas.ts';
import {
  makeProxyRevision,
  makeWorkerRevision,
  migrationKey,
  proxyConfigOf,
  proxyInputs,
  type RenderInput,
  referencesOf,
  renderBase,
  renderControllerRevision,
  renderMigrateJob,
  renderProxyConfigMap,
  renderProxyDeployment,
  renderWorkerConfigMap,
  renderWorkerDeployment,
  staticVersionOf,
  workerConfigFor,
  workerConfigOf,
  workerInputs,
} from './webapp/render/render.ts';

/** Where a WebApp without one would be applied. */
const DEFAULT_NAMESPACE = 'default';
const EVERY_API: ReadonlySet<OptionalKind> = new Set(Object.keys(OPTIONAL_KINDS) as OptionalKind[]);

/**
 * @param text of a manifest file: one WebApp or several, other objects are passed over
 * @returns the children of each WebApp at the end of its first rollout, on a cluster with every optional API, as YAML documents in the order in which
 *   they can be applied. Without owners: there is no WebApp yet whose uid they could name
 * @throws ProblemsError with everything that is wrong with the file
 */
export function dryRun(text: string, settings: Settings): { readonly yaml: string } {
  const { webApps, problems, ignored } = parseWebApps(text);
  if (problems.length > 0) throw new ProblemsError('The manifest', problems);
  const passedOver = ignored.length > 0 ? `# Not looked at: ${ignored.join(', ')}\n` : '';
  return { yaml: `${passedOver}${webApps.map(({ webApp }) => describe(webApp, settings)).join('---\n')}` };
}

function describe(webApp: WebApp, settings: Settings): string {
  const live = asLive(webApp);
  const { name, namespace } = live.metadata;
  const children = childrenOf({ webApp: live, settings, apis: EVERY_API });
  const documents = children.map((child) =>
    toYaml([withoutOwner(child)], `WebApp ${namespace}/${name}: ${child.kind} ${child.metadata.name}`),
  );
  return `${caveat(live)}${documents.join('---\n')}`;
}

/** What the API server would add to it. */
function asLive({ metadata, ...webApp }: WebApp): LiveWebApp {
  const { name, namespace = DEFAULT_NAMESPACE, annotations = {} } = metadata;
  return { ...webApp, metadata: { name, namespace, annotations, uid: '', generation: 1 } };
}

/** The order is that of the first rollout: what pods use, the migration, the proxies, the workers. */
function childrenOf(input: RenderInput): KubeObject[] {
  const { webApp } = input;
  const { spec } = webApp;
  const workerConfig = workerConfigOf(input);
  const statics = (spec.proxy.static ?? []).length > 0 ? [staticVersionOf(spec.image)] : [];
  const proxyConfig = proxyConfigOf(input, statics);
  const worker = makeWorkerRevision(input, {
    inputs: workerInputs(input, contentsUnknown(webApp)),
    number: 1,
    configHash: workerConfig.hash,
  });
  const proxy = makeProxyRevision(input, statics, {
    inputs: proxyInputs(input, statics),
    number: 1,
    configHash: proxyConfig.hash,
  });
  const migration = migrationKey(webApp);
  const { replicas } = planReplicas(spec, undefined);
  return [
    ...renderBase(input),
    renderControllerRevision(webApp, worker),
    renderControllerRevision(webApp, proxy),
    renderWorkerConfigMap(webApp, worker, workerConfigFor(workerConfig, worker)),
    renderProxyConfigMap(webApp, proxyConfig),
    ...(migration === undefined ? [] : [renderMigrateJob(input, migration)]),
    renderProxyDeployment(webApp, proxy),
    renderWorkerDeployment(webApp, worker, { replicas, migrated: migration }),
  ];
}

function contentsUnknown(webApp: LiveWebApp) {
  return referencesOf(webApp).map((reference) => ({ ...reference, state: 'unknown', missingKeys: [] }) as const);
}

/** A version's name is made over the content of what it refers to, too. */
function caveat(webApp: LiveWebApp): string {
  const references = referencesOf(webApp);
  if (references.length === 0) return '';
  const list = references.map(({ kind, name }) => `${kind}/${name}`).join(', ');
  return `# The worker's revision is another in the cluster: it follows the content of ${list} as well.\n`;
}

function withoutOwner({ metadata, ...object }: KubeObject): KubeObject {
  const { ownerReferences: _, ...rest } = metadata;
  const { apiVersion, kind, ...body } = object;
  return { apiVersion, kind, metadata: rest, ...body };
}
