// A release of charts/webapp-operator from install to uninstall, by real Helm on a real control plane, whose pods are Ready without running (kwok): what becomes
// of its objects, of the CustomResourceDefinition and of WebApps. What serves meanwhile is held in e2e/promises/chart.test.ts.

import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NAME, NAMESPACE } from '../../operator/install/place.ts';
import { CHART, type Helm, makeHelm, type Values } from '../promises/helm.ts';
import { NEW_FIELD, packagePrevious } from '../promises/previous.ts';
import { untilEstablished } from './established.ts';
import { useCluster } from './fixture.ts';

const CRD = 'webapps.webapp-operator.io';
const INSTALL_FILE = fileURLToPath(new URL('../../manifests/install.yaml', import.meta.url));
/** The API server takes no more into one object (etcd's bound), and Helm keeps a release in one Secret. */
const SECRET_BYTES = 1_000_000;

const getCluster = useCluster({ kwok: { nodes: 2 } });
let helm: Helm;

const kubectl = (...args: string[]) => getCluster().kubectlOk(args);
const apply = (object: object, ...args: string[]) =>
  getCluster().kubectl(['apply', '--validate=strict', ...args, '-f', '-'], { input: JSON.stringify(object) });

const install = (
  values: Values = {},
  { release = NAME, namespace = NAMESPACE, chart = CHART, flags = ['--wait'] } = {},
) => helm.run(['install', release, chart, '--namespace', namespace, '--timeout', '60s', ...flags], values);
const installOk = async (...args: Parameters<typeof install>): Promise<string> => {
  const { code, stdout, stderr } = await install(...args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};
const uninstall = (release = NAME, namespace = NAMESPACE) =>
  helm.ok(['uninstall', release, '--namespace', namespace, '--wait', '--timeout', '60s', '--ignore-not-found']);

const shop = (namespace: string, spec: object = {}) => ({
  apiVersion: 'webapp-operator.io/v1alpha1',
  kind: 'WebApp',
  metadata: { name: 'shop', namespace },
  spec: { image: 'registry.example.com/shop:1', app: 'shop:app', ...spec },
});

/** Of every kind that the chart can make, by kind and name. */
async function objectsOfReleases(): Promise<string[]> {
  const kinds = 'crd,clusterrole,clusterrolebinding,priorityclass,role,rolebinding,sa,svc,deploy,pdb,netpol';
  const of = 'app.kubernetes.io/managed-by=Helm';
  return (await kubectl('get', kinds, '-A', '-l', of, '-o', 'name', '--ignore-not-found'))
    .trim()
    .split('\n')
    .filter(Boolean);
}

async function makeRestricted(name: string): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

beforeAll(async () => {
  helm = await makeHelm(getCluster().kubeconfig, getCluster().folder);
});

beforeEach(() => makeRestricted(NAMESPACE));

afterEach(async () => {
  for (const line of (await helm.ok(['list', '-A', '--short', '--no-headers'])).split('\n').filter(Boolean))
    expect.soft(line).toBe('');
  await kubectl('delete', 'crd', CRD, '--ignore-not-found');
});

test('two replicas become ready under restricted pod security; the notes say what comes next; the release fits into a Secret', async () => {
  const said = await installOk();
  expect(await kubectl('get', 'deploy', NAME, '-n', NAMESPACE, '-o', 'jsonpath={.status.readyReplicas}')).toBe('2');
  for (const line of [
    'looks after the WebApps of all namespaces',
    `kubectl -n ${NAMESPACE} rollout status deployment ${NAME}`,
    'kubectl get webapps -n default',
    '`helm uninstall` leaves the CustomResourceDefinition and every WebApp',
  ])
    expect(said).toContain(line);
  const secret = await kubectl('get', 'secret', '-n', NAMESPACE, '-l', 'owner=helm', '-o', 'json');
  console.log(`the release's Secret: ${secret.length} bytes`);
  expect(secret.length).toBeLessThan(SECRET_BYTES / 4);
  await uninstall();
});

test('what the notes tell to apply is taken', async () => {
  const said = await installOk();
  const [, manifest = ''] = /<<'EOF'\n([\s\S]*?)\n {3}EOF/.exec(said) ?? [];
  await apply(parse(manifest) as object, '-n', 'default');
  expect(await kubectl('get', 'webapps', '-n', 'default', '-o', 'name')).toContain('webapp.webapp-operator.io/shop');
  await uninstall();
});

test('an upgrade upgrades the CustomResourceDefinition, and changes nothing when nothing is new', async () => {
  const namespace = await getCluster().makeNamespace();
  await installOk({}, { chart: await packagePrevious(helm) });
  expect((await apply(shop(namespace, { [NEW_FIELD]: true }))).stderr).toContain(`unknown field "spec.${NEW_FIELD}"`);
  const upgrade = ['upgrade', NAME, CHART, '--namespace', NAMESPACE, '--wait', '--timeout', '60s'];
  await helm.ok(upgrade);
  expect((await apply(shop(namespace, { [NEW_FIELD]: true }))).stderr).toBe('');
  const versions = () =>
    kubectl(
      'get',
      'deploy,crd,clusterrole,netpol,svc',
      '-A',
      '-l',
      `app.kubernetes.io/instance=${NAME}`,
      '-o',
      'jsonpath={.items[*].metadata.generation}',
    );
  const before = await versions();
  await helm.ok(upgrade);
  expect(await versions()).toBe(before);
  await uninstall();
});

test('uninstall takes all that is the operator’s, and leaves WebApps; a later install takes them up', async () => {
  const namespace = await getCluster().makeNamespace();
  await installOk({ priorityClass: { create: true } });
  expect((await objectsOfReleases()).length).toBeGreaterThan(10);
  await apply(shop(namespace));
  const uid = () => kubectl('get', 'webapp', 'shop', '-n', namespace, '-o', 'jsonpath={.metadata.uid}');
  const before = await uid();
  await uninstall();
  expect(await objectsOfReleases()).toEqual([`customresourcedefinition.apiextensions.k8s.io/${CRD}`]);
  await installOk();
  expect(await uid()).toBe(before);
  await uninstall();
});

test('with crds.keep off, uninstall takes every WebApp too', async () => {
  const namespace = await getCluster().makeNamespace();
  expect(await installOk({ crds: { keep: false } })).toContain('deletes the CustomResourceDefinition');
  await apply(shop(namespace));
  await uninstall();
  expect(await objectsOfReleases()).toEqual([]);
});

test('what install.yaml has made can be taken over', async () => {
  await kubectl('apply', '-f', INSTALL_FILE);
  const namespace = await getCluster().makeNamespace();
  await untilEstablished(getCluster().kubectlOk, `crd/${CRD}`);
  await apply(shop(namespace));
  const refused = await install();
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('invalid ownership metadata')]);
  await installOk({}, { flags: ['--wait', '--take-ownership', '--force-conflicts'] });
  expect(await kubectl('get', 'webapps', '-n', namespace, '-o', 'name')).toContain('shop');
  await uninstall();
  await kubectl('delete', '--ignore-not-found', '-f', INSTALL_FILE);
  await makeRestricted(NAMESPACE);
});

describe('two releases', () => {
  const rest = { crds: { enabled: false }, rbac: { people: false } };
  const can = async (namespace: string, verb: string, resource: string, of: string) =>
    (
      await getCluster().kubectl(['auth', 'can-i', verb, resource, '-n', namespace], {
        as: `system:serviceaccount:${of}:${NAME}`,
      })
    ).stdout.trim();

  test('each for its own namespace, with rights in that alone', async () => {
    const [one, two] = [await getCluster().makeNamespace(), await getCluster().makeNamespace()];
    expect(await installOk({ watchNamespaces: [one] }, { namespace: one })).toContain(`the WebApps of ${one}.`);
    expect(await installOk({ watchNamespaces: [two], ...rest }, { namespace: two })).toContain('crds.enabled is false');
    for (const [namespace, other] of [
      [one, two],
      [two, one],
    ] as const) {
      expect(await can(namespace, 'create', 'deployments.apps', namespace)).toBe('yes');
      expect(await can(other, 'get', 'secrets', namespace)).toBe('no');
      expect(await can(namespace, 'update', `leases.coordination.k8s.io/${NAME}`, namespace)).toBe('yes');
    }
    await uninstall(NAME, two);
    await uninstall(NAME, one);
  });

  test('for the same WebApps, or in the same namespace, the second is refused', async () => {
    const [one, two] = [await getCluster().makeNamespace(), await getCluster().makeNamespace()];
    await installOk({ watchNamespaces: [one] }, { namespace: one });
    const imported = [
      1,
      expect.stringMatching(/Role "webapp-operator(-leader-election)?" in namespace .* exists and cannot be imported/),
    ];
    const same = await install({ watchNamespaces: [one], ...rest }, { namespace: two });
    expect([same.code, same.stderr]).toEqual(imported);
    const beside = await install(
      { watchNamespaces: [two], serviceAccount: { create: false }, ...rest },
      { namespace: one, release: 'other' },
    );
    expect([beside.code, beside.stderr]).toEqual([
      1,
      expect.stringContaining('cannot be imported into the current release'),
    ]);
    await uninstall(NAME, one);
  });
});
