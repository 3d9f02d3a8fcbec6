// WebApps that can never work: each ends in a condition with the mend, is tried again slowly, and harms no other.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { condition, eventually, makeRig, type Rig } from './rig.ts';

const getCluster = useCluster({ kwok: { nodes: 1 } });
let rig: Rig;
let operator: OperatorProcess;

beforeAll(async () => {
  rig = await makeRig(getCluster());
  operator = await startOperator({ kubeconfig: rig.kubeconfig, flags: ['--status-interval', '0s'] });
});
afterAll(() => operator?.stop());

const fine = { image: 'shop:1', app: 'shop:app' };

interface Hopeless {
  readonly spec: object;
  readonly degraded: string;
  readonly problem: Record<string, unknown>;
}

const HOPELESS: Record<string, Hopeless> = {
  'a-container-without-image': {
    spec: { ...fine, podTemplate: { spec: { containers: [{ name: 'sidecar' }] } } },
    degraded: 'Refused',
    problem: { field: 'spec.podTemplate', message: expect.stringContaining('image') },
  },
  'a-port-twice': {
    spec: {
      ...fine,
      podTemplate: { spec: { containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 99999 }] }] } },
    },
    degraded: 'Refused',
    problem: { field: 'spec.podTemplate', message: expect.stringContaining('99999') },
  },
  'too-much-to-hold': {
    spec: { ...fine, podTemplate: { metadata: { annotations: { much: 'x'.repeat(1_000_000) } } } },
    degraded: 'Refused',
    problem: { message: expect.stringMatching(/large|long|must have at most|262144/i) },
  },
  'a-request-above-the-limit': {
    spec: { ...fine, resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
    degraded: 'Refused',
    problem: { field: expect.stringContaining('spec.resources') },
  },
  'no-gateway-api': {
    spec: {
      ...fine,
      proxy: { hosts: ['shop.example.com'], expose: { type: 'HTTPRoute', parentRef: { name: 'public' } } },
    },
    degraded: 'ApiMissing',
    problem: { field: 'spec.proxy.expose', mend: expect.stringContaining('Gateway') },
  },
  'no-room-on-any-node': {
    spec: { ...fine, resources: { requests: { cpu: '4000' } } },
    degraded: 'Unschedulable',
    problem: { field: expect.stringContaining('spec.resources') },
  },
};

test('each ends in a condition with the mend, and a good one beside them serves', async () => {
  for (const [name, { spec }] of Object.entries(HOPELESS)) {
    const manifest = {
      apiVersion: 'webapp-operator.io/v1alpha1',
      kind: 'WebApp',
      metadata: { name, namespace: rig.namespace },
      spec,
    };
    // Server-side: client-side apply keeps a copy in an annotation, which is too small for one of them.
    await rig.cluster.kubectlOk(['apply', '--server-side', '-f', '-'], { input: stringify(manifest) });
  }
  await rig.apply('good', fine);
  for (const [name, { degraded, problem }] of Object.entries(HOPELESS)) {
    const webApp = await rig.settled(name, degraded, (one) => condition(one, 'Degraded') === `True/${degraded}`);
    const told = webApp.status?.problems?.find(({ type }) => type === degraded);
    expect(told, name).toMatchObject(problem);
    expect(told?.mend, name).not.toBe('');
    expect((told?.message ?? '').length, name).toBeLessThanOrEqual(4096);
  }
  await rig.settled('good', 'serving', (one) => condition(one, 'Ready') === 'True/Serving');
});

test('they are tried again slowly', async () => {
  const passes = (): Promise<number> => operator.metric('controller_runtime_reconcile_total');
  const before = await passes();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect((await passes()) - before).toBeLessThanOrEqual(Object.keys(HOPELESS).length);
});

test('a quota that refuses pods is told, and healed when it is raised', async () => {
  const namespace = await rig.cluster.makeNamespace();
  const quota = ['create', 'quota', 'small', '-n', namespace, '--hard=pods=1'];
  await rig.cluster.kubectlOk(quota);
  const manifest = {
    apiVersion: 'webapp-operator.io/v1alpha1',
    kind: 'WebApp',
    metadata: { name: 'cramped', namespace },
    spec: fine,
  };
  await rig.cluster.kubectlOk(['apply', '-f', '-'], { input: stringify(manifest) });
  const status = async (): Promise<string> =>
    rig.cluster.kubectlOk(['get', 'webapp', 'cramped', '-n', namespace, '-o', 'json']);
  await eventually(
    async () => (await status()).includes('"QuotaExceeded"'),
    () => 'the quota is not told',
  );
  await rig.cluster.kubectlOk(['delete', 'quota', 'small', '-n', namespace]);
  await eventually(
    async () => (await status()).includes('"Serving"') && !(await status()).includes('"QuotaExceeded"'),
    () => 'not healed',
  );
});

test.each([
  ['a name of 63 characters', { metadata: { name: 'n'.repeat(63) } }, /50/],
  [
    'a host with a scheme',
    { spec: { ...fine, proxy: { hosts: ['https://shop.example.com'] } } },
    /spec\.proxy\.hosts\[0\].*https:\/\/shop\.example\.com/s,
  ],
  [
    'a megabyte of one variable',
    { spec: { ...fine, env: [{ name: 'MUCH', value: 'x'.repeat(1_000_000) }] } },
    /spec\.env\[0\]\.value/,
  ],
])('%s is refused by kubectl apply', async (_name, parts, words) => {
  const manifest = {
    apiVersion: 'webapp-operator.io/v1alpha1',
    kind: 'WebApp',
    metadata: { name: 'refused' },
    spec: fine,
    ...parts,
  };
  const { code, stderr } = await rig.cluster.kubectl(['apply', '--server-side', '-n', rig.namespace, '-f', '-'], {
    input: stringify(manifest),
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(words);
});
