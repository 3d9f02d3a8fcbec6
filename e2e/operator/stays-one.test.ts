// What others do to the children, and what becomes of it: deleted ones come back, edited ones are corrected, what others own is left, and where
// nothing is to be done nothing is written.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChildKind } from '../../operator/webapp/kinds.ts';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { condition, eventually, isComplete, makeRig, type Rig, untilQuiet } from './rig.ts';

const getCluster = useCluster({ kwok: { nodes: 2 } });
let rig: Rig;
let operator: OperatorProcess;

beforeAll(async () => {
  rig = await makeRig(getCluster());
  operator = await start();
  await rig.apply('shop', {
    image: 'shop:1',
    app: 'shop:app',
    autoscaling: { maxReplicas: 4 },
    proxy: { expose: { type: 'Ingress' }, hosts: ['shop.example.com'] },
  });
  await rig.settled('shop', 'serving', isComplete);
});
afterAll(() => operator?.stop());

const start = (): Promise<OperatorProcess> =>
  startOperator({ kubeconfig: rig.kubeconfig, flags: ['--status-interval', '0s', '--resync-interval', '2s'] });

test('any child that is deleted comes back', async () => {
  const before = await rig.children('shop');
  expect(before.length).toBeGreaterThan(16);
  for (const { kind, metadata } of before) await rig.remove(kind as ChildKind, metadata.name);
  await eventually(
    async () => {
      const after = await rig.children('shop');
      return before.every((child) =>
        after.some(
          ({ kind, metadata }) =>
            kind === child.kind &&
            metadata.name === child.metadata.name &&
            metadata.uid !== child.metadata.uid &&
            metadata.deletionTimestamp === undefined,
        ),
      );
    },
    () => 'not all are back',
  );
  await rig.settled('shop', 'serving again', isComplete);
});

test.each<[ChildKind, string, object, string]>([
  [
    'Deployment',
    'shop-worker',
    { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } } },
    'spec.template.spec.terminationGracePeriodSeconds',
  ],
  [
    'Service',
    'shop',
    { spec: { ports: [{ name: 'http', port: 81, targetPort: 'http', protocol: 'TCP' }] } },
    'spec.ports',
  ],
  ['ConfigMap', 'shop-proxy', { data: { 'proxy.json': '{}' } }, 'data'],
  ['Role', 'shop-proxy', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }, 'rules'],
  ['NetworkPolicy', 'shop-worker', { spec: { ingress: [{}] } }, 'spec.ingress'],
  ['PodDisruptionBudget', 'shop-worker', { spec: { maxUnavailable: 3 } }, 'spec.maxUnavailable'],
  ['Ingress', 'shop', { spec: { rules: [{ host: 'evil.example.com' }] } }, 'spec.rules'],
  [
    'Deployment',
    'shop-proxy',
    { metadata: { labels: { 'app.kubernetes.io/managed-by': 'somebody' } } },
    'metadata.labels',
  ],
])('%s %s edited by hand is corrected', async (kind, name, patch, path) => {
  const read = async (): Promise<string> => {
    let value: unknown = await rig.child(kind, name);
    for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
    return JSON.stringify(value);
  };
  const before = await read();
  await rig.patch(kind, name, patch);
  await eventually(
    async () => (await read()) === before,
    () => `${kind} ${name} is not as before`,
  );
});

test('what was put whole is not owned twice: a later intent can still remove a field', async () => {
  const text = await rig.cluster.kubectlOk([
    'get',
    'service',
    'shop',
    '-n',
    rig.namespace,
    '-o',
    'json',
    '--show-managed-fields',
  ]);
  const { metadata } = JSON.parse(text) as { metadata: { managedFields: { manager: string; operation: string }[] } };
  const ours = metadata.managedFields.filter(({ manager }) => manager === 'webapp-operator');
  expect(ours.map(({ operation }) => operation)).toEqual(['Apply']);
});

test('what others own is left: another manager’s annotations and labels, and a field nobody asked for', async () => {
  await rig.patch('Deployment', 'shop-worker', {
    metadata: { annotations: { 'example.com/team': 'blue' }, labels: { tier: 'web' } },
    spec: { minReadySeconds: 3, template: { spec: { priorityClassName: 'system-cluster-critical' } } },
  });
  await rig.patch('WebApp', 'shop', { spec: { workers: { threads: 3 } } });
  await eventually(
    async () =>
      (await rig.children('shop')).some(
        ({ kind, data }) => kind === 'ConfigMap' && JSON.stringify(data).includes('\\"threads\\":3'),
      ),
    () => 'the edit is not there',
  );
  await untilQuiet(() => operator.metric('webapp_operator_api_writes_total'));
  const deployment = await rig.child('Deployment', 'shop-worker');
  expect(deployment?.metadata).toMatchObject({ annotations: { 'example.com/team': 'blue' }, labels: { tier: 'web' } });
  expect(deployment?.spec).toMatchObject({
    minReadySeconds: 3,
    template: { spec: { priorityClassName: 'system-cluster-critical' } },
  });
});

test('an object of the same name that belongs to another is not touched, and said', async () => {
  await rig.cluster.kubectlOk(['create', 'configmap', 'taken-proxy', '-n', rig.namespace, '--from-literal=mine=yes']);
  await rig.apply('taken', { image: 'shop:1', app: 'shop:app' });
  const webApp = await rig.settled('taken', 'degraded', (one) => condition(one, 'Degraded') === 'True/NameTaken');
  expect(webApp.status?.problems?.[0]).toMatchObject({
    type: 'NameTaken',
    message: expect.stringContaining('taken-proxy'),
  });
  const foreign = await rig.child('ConfigMap', 'taken-proxy');
  expect(foreign).toMatchObject({ data: { mine: 'yes' } });
  expect(foreign?.metadata.ownerReferences).toBeUndefined();
  await rig.cluster.kubectlOk(['delete', 'webapp', 'taken', '-n', rig.namespace]);
});

test('at rest nothing is written, across resyncs and a restart of the operator', async () => {
  const writes = async (): Promise<number> => {
    // Not DELETE: the garbage collector still follows the test before. The operator's own deletes are in its metric below.
    const verbs = ['POST', 'PUT', 'PATCH', 'APPLY'];
    const count = (resource: string, group: string): Promise<number> =>
      rig.cluster.requestCount({ verbs, resource, group });
    const counts = await Promise.all([
      count('webapps', 'webapp-operator.io'),
      count('deployments', 'apps'),
      count('configmaps', ''),
      count('services', ''),
      count('roles', 'rbac.authorization.k8s.io'),
      count('controllerrevisions', 'apps'),
      count('networkpolicies', 'networking.k8s.io'),
      count('poddisruptionbudgets', 'policy'),
    ]);
    return counts.reduce((sum, one) => sum + one, 0);
  };
  await untilQuiet(writes, 15);
  const before = await writes();
  const passes = await operator.metric('controller_runtime_reconcile_total');
  await eventually(
    async () => (await operator.metric('controller_runtime_reconcile_total')) >= passes + 2,
    () => 'no resync',
  );
  await operator.stop();
  operator = await start();
  await eventually(
    async () => (await operator.metric('controller_runtime_reconcile_total')) >= 3,
    () => 'no passes after the restart',
  );
  expect((await writes()) - before).toBe(0);
  expect(await operator.metric('webapp_operator_api_writes_total')).toBe(0);
});
