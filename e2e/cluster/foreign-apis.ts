// CustomResourceDefinitions of Gateway API, cert-manager and the Prometheus operator, read out of their Go modules at the versions that
// programs/foreign-apis/go.mod pins and go.sum vouches for. Definitions only: nobody acts on what is made of them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilEstablished } from './established.ts';
import { findGoModule } from './go-module.ts';
import type { ForeignApi, RealCluster } from './real-cluster.ts';

interface Source {
  readonly module: string;
  /** Where the definitions lie in it. */
  readonly folder: string;
}

const SOURCES: Readonly<Record<ForeignApi, Source>> = {
  'gateway-api': { module: 'sigs.k8s.io/gateway-api', folder: 'config/crd/standard' },
  'cert-manager': { module: 'github.com/cert-manager/cert-manager', folder: 'deploy/crds' },
  'prometheus-operator': {
    module: 'github.com/prometheus-operator/prometheus-operator',
    folder: 'example/prometheus-operator-crd',
  },
};

export const FOREIGN_APIS = Object.keys(SOURCES) as readonly ForeignApi[];

/**
 * Downloads the module when Go's module cache does not hold it yet.
 * @returns absolute paths of YAML files, each with one CustomResourceDefinition, sorted
 * @throws Error with Go's own words, or when the module holds no definition where this file looks for them
 */
export async function foreignApiManifests(api: ForeignApi): Promise<string[]> {
  const { module, folder } = SOURCES[api];
  const path = join((await findGoModule('foreign-apis', module)).folder, folder);
  const files = (await readdir(path)).filter((name) => name.endsWith('.yaml')).sort();
  const definitions = await onlyDefinitions(files.map((name) => join(path, name)));
  if (definitions.length === 0) throw new Error(`${module} has no CustomResourceDefinition in ${folder}`);
  return definitions;
}

/** Resolves when they are established. Again is safe. */
export async function installForeignApi(cluster: Pick<RealCluster, 'kubectlOk'>, api: ForeignApi): Promise<void> {
  const files = (await foreignApiManifests(api)).flatMap((file) => ['-f', file]);
  // Server-side: some are larger than the annotation in which a client-side apply keeps what it applied. Unvalidated: kubectl would
  // have the server write its whole OpenAPI anew after each definition, which takes three times as long as all the rest.
  await cluster.kubectlOk(['apply', '--server-side', '--force-conflicts', '--validate=false', ...files]);
  await untilEstablished(cluster.kubectlOk, ...files);
}

/** Beside them lie kustomizations, and an admission policy of Gateway API that forbids others to replace its definitions. */
async function onlyDefinitions(files: readonly string[]): Promise<string[]> {
  const isDefinition = await Promise.all(
    files.map(async (file) => /^kind: CustomResourceDefinition$/m.test(await readFile(file, 'utf8'))),
  );
  return files.filter((_, index) => isDefinition[index]);
}
