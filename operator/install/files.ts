// manifests/, as `npm run generate` writes it: every file and its text.
import type { KubeObject } from '../../kube/object.ts';
import { makeInstall, makeInstallParts, makeKustomization, makeNamespacedComponent } from './install.ts';
import { makeNamespaceRole } from './rbac.ts';
import { SAMPLES, sampleYaml } from './samples.ts';
import { toYaml } from './yaml.ts';

const WRITTEN = 'Written by `npm run generate`.';

/** @param version of the operator. @returns path below manifests/ → text */
export function makeManifestFiles(version: string): Record<string, string> {
  const parts = makeInstallParts({ version, namespaces: [] });
  const names = Object.keys(parts).map((part) => `${part}.yaml`);
  return {
    ...Object.fromEntries(
      Object.entries(parts).map(([part, objects]) => [`${part}.yaml`, toYaml(objects as KubeObject[], WRITTEN)]),
    ),
    'install.yaml': toYaml(
      makeInstall({ version, namespaces: [] }),
      `${WRITTEN} All that the operator needs, for all namespaces: kubectl apply -f install.yaml`,
    ),
    'kustomization.yaml': toYaml(
      [makeKustomization(names)],
      `${WRITTEN} The same as install.yaml, in parts, to build on: kubectl apply -k .`,
    ),
    'namespaced/kustomization.yaml': toYaml(
      [makeNamespacedComponent()],
      `${WRITTEN} For single namespaces, in an overlay of yours: without rights in all of them. docs/guide-operator.md has an example.`,
    ),
    'namespaced/role.yaml': toYaml(
      makeNamespaceRole(undefined),
      `${WRITTEN} What the operator may do in one namespace: kubectl apply -n NAMESPACE -f role.yaml`,
    ),
    ...Object.fromEntries(Object.entries(SAMPLES).map(([file, sample]) => [`samples/${file}`, sampleYaml(sample)])),
  };
}
