// metrics-server, as its own module lays it out, with the image that is published for that version.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findGoModule } from '../go-module.ts';
import type { RealCluster } from '../real-cluster.ts';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment', name: 'metrics-server' };

/**
 * Beside `base`, for `kubectl apply --kustomize`. Pure.
 * @param version of the module and the image, such as `v0.9.0`
 */
export function makeKustomization(version: string): object {
  const container = '/spec/template/spec/containers/0';
  const patch = [
    // The kubelets of kind serve certificates that they signed themselves.
    { op: 'add', path: `${container}/args/-`, value: '--kubelet-insecure-tls' },
    // As often as it agrees to look, and then only when it waits less than that for a kubelet. The last of a flag counts.
    { op: 'add', path: `${container}/args/-`, value: '--metric-resolution=10s' },
    { op: 'add', path: `${container}/args/-`, value: '--kubelet-request-timeout=5s' },
    { op: 'replace', path: `${container}/readinessProbe/initialDelaySeconds`, value: 1 },
    { op: 'replace', path: `${container}/readinessProbe/periodSeconds`, value: 1 },
    // On the node that tests leave alone.
    { op: 'add', path: '/spec/template/spec/nodeSelector/node-role.kubernetes.io~1control-plane', value: '' },
  ];
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['base'],
    images: [
      {
        name: 'gcr.io/k8s-staging-metrics-server/metrics-server',
        newName: 'registry.k8s.io/metrics-server/metrics-server',
        newTag: version,
      },
    ],
    patches: [{ target: DEPLOYMENT, patch: JSON.stringify(patch) }],
  };
}

/** @param folder where the manifests are laid */
export async function installMetricsServer({ kubectlOk }: Pick<RealCluster, 'kubectlOk'>, folder: string) {
  const module = await findGoModule('metrics-server', 'sigs.k8s.io/metrics-server');
  const place = join(folder, 'metrics-server');
  mkdirSync(place, { recursive: true });
  cpSync(join(module.folder, 'manifests', 'base'), join(place, 'base'), { recursive: true });
  writeFileSync(join(place, 'kustomization.yaml'), JSON.stringify(makeKustomization(module.version)));
  await kubectlOk(['apply', '--kustomize', place]);
}
