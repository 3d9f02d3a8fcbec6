// The operator by Helm on the real cluster: installed, upgraded, taken away and brought back while applications serve; and by the files of manifests/, too.
// What the chart renders is held in e2e/cluster/chart.test.ts.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { IMAGES } from '../../scripts/images/images.ts';
import type { RealCluster } from '../cluster/real-cluster.ts';
import { failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded } from './both-shops.ts';
import { CHART } from './helm.ts';
import { SHOPS } from './images.ts';
import { ensureOperator, OPERATOR_DEPLOYMENT } from './operator.ts';
import { uidsOf } from './pods.ts';
import { NEW_FIELD, PREVIOUS, PREVIOUS_VERSION, packagePrevious } from './previous.ts';
import { IN_PLACE, RELEASE, upgradeOrInstall, useHelm, WAITING } from './release.ts';
import { eventually, isComplete, type Place, useRig } from './rig.ts';

const MANIFESTS = fileURLToPath(new URL('../../manifests', import.meta.url));
const rig = useRig();
const helm = useHelm(rig);

// What files after this one find is what they would have made.
afterAll(async () => {
  await removeOperator();
  await applyManifests('-f', 'install.yaml');
});

test('helm install: two replicas, one leads, `helm test` passes, and a WebApp is served', async () => {
  const place = await rig().makePlace();
  await removeOperator();
  const [shop] = SHOPS;
  if (!shop) throw new Error('there is no shop');
  const began = performance.now();
  await helm().ok(['install', RELEASE, CHART, ...WAITING]);
  await place.open(shop);
  await place.visit(shop.name, '/');
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  expect(await operatorImages(place.cluster)).toEqual([IMAGES.operator.name, IMAGES.operator.name]);
  await untilOneLeads(place.cluster);
  const said = await helm().ok(['test', RELEASE, '--logs', '--timeout', '2m', ...IN_PLACE]);
  expect(said).toMatch(/GET http:\/\/webapp-operator\.webapp-operator\.svc:9100\/readyz: 200/);
  const promise = 'helm install, then kubectl apply, and the first WebApp is served';
  const load = await place.loadedWhile(
    { promise, app: shop.name },
    async () => `served ${seconds} s after helm install began`,
  );
  expect(load.failures).toEqual({});
});

test('helm test fails while no operator is ready', async () => {
  await upgradeOrInstall(helm(), CHART, { replicas: 0 });
  const { code, stdout } = await helm().run(['test', RELEASE, '--logs', '--timeout', '2m', ...IN_PLACE]);
  // Some networks refuse what is sent to a Service that has nobody behind it, others drop it.
  expect([code, stdout]).toEqual([1, expect.stringMatching(/GET http.*: (Error: connect ECONNREFUSED|TimeoutError)/)]);
});

test('helm upgrade: the definition and the operator are new, the pods of applications the same', async () => {
  const place = await rig().makePlace();
  await upgradeOrInstall(helm(), await packagePrevious(helm()));
  expect(await operatorImages(place.cluster)).toEqual([PREVIOUS[0]?.name, PREVIOUS[0]?.name]);
  expect(await knowsNewField(place.cluster)).toBe(false);
  await openBoth(place);
  const before = await podsOfShops(place);
  const promise = `the operator and its definition are upgraded by Helm from ${PREVIOUS_VERSION}`;
  const loads = await whileBothAreLoaded(place, { promise }, async () => {
    await helm().ok(['upgrade', RELEASE, CHART, ...WAITING]);
    await untilOneLeads(place.cluster);
    await carriesOutAChange(place, 4);
    return undefined;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
  expect(await podsOfShops(place)).toEqual(before);
  expect(await operatorImages(place.cluster)).toEqual([IMAGES.operator.name, IMAGES.operator.name]);
  expect(await knowsNewField(place.cluster)).toBe(true);
});

test('helm uninstall leaves WebApps and what serves them; a later install takes them up', async () => {
  const place = await rig().makePlace();
  await upgradeOrInstall(helm(), CHART);
  await openBoth(place);
  const before = await podsOfShops(place);
  const gone = await whileBothAreLoaded(place, { promise: 'the operator is uninstalled by Helm' }, async () => {
    await helm().ok(['uninstall', RELEASE, ...WAITING]);
    return undefined;
  });
  expect(await objectsOfRelease(place.cluster)).toEqual([
    'customresourcedefinition.apiextensions.k8s.io/webapps.webapp-operator.io',
  ]);
  const back = await whileBothAreLoaded(
    place,
    { promise: 'the operator is installed again, and takes WebApps up' },
    async () => {
      await helm().ok(['install', RELEASE, CHART, ...WAITING]);
      await carriesOutAChange(place, 4);
      return undefined;
    },
  );
  expect(failuresOf([...gone, ...back])).toEqual([...NONE_FAILED, ...NONE_FAILED]);
  expect(await podsOfShops(place)).toEqual(before);
});

test.each([
  ['-f', 'install.yaml'],
  ['-k', ''],
] as const)('kubectl apply %s manifests/%s installs the operator, and takes WebApps up', async (flag, path) => {
  const place = await rig().makePlace();
  await ensureOperator(place.cluster);
  await openBoth(place);
  const before = await podsOfShops(place);
  await helm().ok(['uninstall', RELEASE, ...WAITING, '--ignore-not-found']);
  await deleteManifests('operator.yaml', 'rbac.yaml');
  await applyManifests(flag, path);
  await untilOneLeads(place.cluster);
  await carriesOutAChange(place, 4);
  expect(await podsOfShops(place)).toEqual(before);
});

/** Whichever way it came, with its definition, so also every WebApp; not its namespace. */
async function removeOperator(): Promise<void> {
  await helm().ok(['uninstall', RELEASE, ...WAITING, '--ignore-not-found']);
  await deleteManifests('operator.yaml', 'rbac.yaml', 'crd.yaml');
}

async function deleteManifests(...files: readonly string[]): Promise<void> {
  const paths = files.flatMap((file) => ['-f', join(MANIFESTS, file)]);
  await rig().cluster.kubectlOk(['delete', '--ignore-not-found', '--timeout=50s', ...paths]);
}

async function applyManifests(flag: '-f' | '-k', path: string): Promise<void> {
  const { cluster } = rig();
  await cluster.kubectlOk(['apply', flag, join(MANIFESTS, path)]);
  await cluster.kubectlOk(['rollout', 'status', 'deployment', OPERATOR_DEPLOYMENT, ...IN_PLACE, '--timeout=55s']);
}

const OPERATOR_PODS = ['get', 'pods', ...IN_PLACE, '-l', 'app.kubernetes.io/component=operator'];

/** Of the replicas that stay. */
async function operatorImages({ kubectlOk }: RealCluster): Promise<string[]> {
  const { items } = JSON.parse(await kubectlOk([...OPERATOR_PODS, '-o', 'json'])) as {
    items: { metadata: { deletionTimestamp?: string }; spec: { containers: [{ image: string }] } }[];
  };
  return items.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ spec }) => spec.containers[0].image);
}

/** The Lease names a replica that there is. */
async function untilOneLeads({ kubectlOk, kubectl }: RealCluster): Promise<void> {
  let holder = '';
  await eventually(
    async () => {
      const lease = ['get', 'lease', RELEASE, ...IN_PLACE, '-o', 'jsonpath={.spec.holderIdentity}'];
      holder = (await kubectl(lease)).stdout;
      const pods = (await kubectlOk([...OPERATOR_PODS, '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ');
      return pods.some((pod) => holder.startsWith(`${pod}_`));
    },
    () => `no replica leads: the Lease is held by '${holder}'`,
  );
}

/** By whoever leads now: a change of what runs in place, so that every pod stays. */
async function carriesOutAChange(place: Place, processes: number): Promise<void> {
  const patch = { spec: { workers: { processes } } };
  await Promise.all(SHOPS.map(({ name }) => place.patch('WebApp', name, patch)));
  const isDone: Parameters<Place['settled']>[2] = (webApp) =>
    isComplete(webApp) && webApp.status?.workers?.desired === 2 * processes;
  await Promise.all(SHOPS.map(({ name }) => place.settled(name, `running ${processes} processes a pod`, isDone)));
}

async function podsOfShops(place: Place): Promise<string[]> {
  return (await Promise.all(SHOPS.map(async ({ name }) => uidsOf(await place.pods(name))))).flat();
}

async function knowsNewField({ kubectl }: RealCluster): Promise<boolean> {
  return (await kubectl(['explain', `webapp.spec.${NEW_FIELD}`])).code === 0;
}

/** Of every kind that the chart has, by kind and name. */
async function objectsOfRelease({ kubectlOk }: RealCluster): Promise<string[]> {
  const kinds = 'crd,clusterrole,clusterrolebinding,priorityclass,role,rolebinding,sa,svc,deploy,pdb,netpol,pod';
  const found = await kubectlOk(['get', kinds, '-A', '-l', `app.kubernetes.io/instance=${RELEASE}`, '-o', 'name']);
  return found.trim().split('\n').filter(Boolean);
}
