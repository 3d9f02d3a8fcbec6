// The manifest that a discovered application stands for, as a person would write it. Pure.
import { stringify } from 'yaml';
import { API_VERSION, KIND, SOURCE_ANNOTATION } from '../../core/app/schema.ts';
import type { Found } from './found.ts';

/**
 * @param folderName name of the application's folder: the WebApp's name is made from it
 * @returns YAML that `parseWebApps` accepts, with comments
 */
export function inferManifest(
  found: Pick<Found, 'app' | 'runtime' | 'source' | 'statics'>,
  folderName: string,
): string {
  const name = webAppName(folderName);
  const annotations = found.source === '' ? undefined : { [SOURCE_ANNOTATION]: found.source };
  const needsRuntime = found.runtime === 'node' && !/\.(js|mjs|cjs|ts|mts|cts)$/.test(found.app);
  const text = stringify({
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, ...(annotations && { annotations }) },
    spec: {
      image: `${name}:latest`,
      app: found.app,
      ...(needsRuntime && { runtime: found.runtime }),
      ...(found.statics.length > 0 && { proxy: { static: found.statics.map(({ path, from }) => ({ path, from })) } }),
    },
  });
  return text.replace(/^( *image: .*)$/m, '$1 # for Kubernetes; webapp up runs the source here');
}

/** @returns a name that the schema takes: lower-case letters, digits and -, beginning with a letter */
export function webAppName(folderName: string): string {
  const name = folderName
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 50)
    .replace(/-+$/, '');
  return name === '' ? 'app' : name;
}
