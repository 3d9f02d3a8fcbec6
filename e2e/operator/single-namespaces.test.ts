// The operator with rights in two namespaces and none beside them: it works there, and asks for nothing elsewhere.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { makeCrd } from '../../core/app/crd.ts';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { eventually, operatorToken, writeKubeconfig } from './rig.ts';

const getCluster = useCluster();
const MANIFESTS = fileURLToPath(new URL('../../manifests', import.meta.url));
let operator: OperatorProcess;
let [inside, beside, outside] = ['', '', ''];

beforeAll(async () => {
  const cluster = getCluster();
  await cluster.kubectlOk(['apply', '--server-side', '-f', '-'], { input: stringify(makeCrd()) });
  await cluster.kubectlOk(['apply', '-f', join(MANIFESTS, 'namespace.yaml')]);
  inside = await cluster.makeNamespace();
  beside = await cluster.makeNamespace();
  outside = await cluster.makeNamespace();
  const role = readFileSync(join(MANIFESTS, 'namespaced/role.yaml'), 'utf8');
  for (const namespace of [inside, beside])
    await cluster.kubectlOk(['apply', '-n', namespace, '-f', '-'], { input: role });
  const path = join(cluster.folder, 'single.kubeconfig');
  operator = await startOperator({
    kubeconfig: writeKubeconfig(path, cluster.server, ...(await operatorToken(cluster))),
    flags: ['--namespaces', `${inside},${beside}`, '--status-interval', '0s'],
  });
});
afterAll(() => operator?.stop());

test('WebApps in them are served, others are not looked at', async () => {
  const cluster = getCluster();
  for (const namespace of [outside, inside, beside]) {
    const spec = { image: 'shop:1', app: 'shop:app', envFrom: [{ configMapRef: { name: 'settings' } }] };
    const webApp = {
      apiVersion: 'webapp-operator.io/v1alpha1',
      kind: 'WebApp',
      metadata: { name: 'shop', namespace },
      spec,
    };
    await cluster.kubectlOk(['create', 'configmap', 'settings', '-n', namespace, '--from-literal=A=b']);
    await cluster.kubectlOk(['apply', '-f', '-'], { input: stringify(webApp) });
  }
  const deployments = async (namespace: string): Promise<string> =>
    cluster.kubectlOk(['get', 'deployments', '-n', namespace, '-o', 'name']);
  for (const namespace of [inside, beside])
    await eventually(
      async () => (await deployments(namespace)).includes('shop-worker'),
      () => `nothing in ${namespace}`,
    );
  expect(await deployments(outside)).toBe('');
  expect(operator.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
});
