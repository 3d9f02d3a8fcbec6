// The manifests of metrics-server before a real API server and with a real kubectl: a kustomization that names a place wrongly fails there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../fixture.ts';
import { installMetricsServer } from './metrics-server.ts';

const cluster = useCluster({});

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly nodeSelector: Readonly<Record<string, string>>;
        readonly containers: readonly { readonly image: string; readonly args: readonly string[] }[];
      };
    };
  };
}

test('are taken, twice, with the published image and the flags that kind needs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'metrics-server-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await installMetricsServer(cluster(), folder);
  await installMetricsServer(cluster(), folder);
  const path = '/apis/apps/v1/namespaces/kube-system/deployments/metrics-server';
  const { containers, nodeSelector } = (await cluster().api.json<Deployment>('GET', path)).spec.template.spec;
  const [container] = containers;
  expect(container?.image).toMatch(/^registry\.k8s\.io\/metrics-server\/metrics-server:v\d+\.\d+\.\d+$/);
  expect(container?.args).toEqual(expect.arrayContaining(['--kubelet-insecure-tls', '--metric-resolution=10s']));
  expect(nodeSelector).toEqual({ 'kubernetes.io/os': 'linux', 'node-role.kubernetes.io/control-plane': '' });
  await cluster().api.json('GET', '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io');
});
