// New versions on a real API server with real controllers, pods played by kwok: what may change pods and what may not, what holds a rollout,
// what is said of one that fails, and how one comes back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { MIGRATION_WORDS, POD_STAGES } from './pod-stages.ts';
import { condition, eventually, isComplete, makeRig, type Rig, untilQuiet, type WebAppObject } from './rig.ts';

const getCluster = useCluster({ kwok: { nodes: 3, podStages: POD_STAGES } });
let rig: Rig;
let operator: OperatorProcess;

beforeAll(async () => {
  rig = await makeRig(getCluster());
  operator = await startOperator({ kubeconfig: rig.kubeconfig, flags: ['--status-interval', '0s'] });
});
afterAll(() => operator?.stop());

const app = 'shop:app';
const serves = (name: string, image: string): Promise<WebAppObject> =>
  rig.settled(name, `serving ${image}`, (webApp) => isComplete(webApp) && webApp.status?.image === image);

async function workerPods(name: string): Promise<{ uid: string; image: string }[]> {
  const selector = `webapp-operator.io/webapp=${name},app.kubernetes.io/component=worker`;
  const text = await rig.cluster.kubectlOk(['get', 'pods', '-n', rig.namespace, '-l', selector, '-o', 'json']);
  const { items } = JSON.parse(text) as {
    items: { metadata: { uid: string; deletionTimestamp?: string }; spec: { containers: { image: string }[] } }[];
  };
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec }) => ({ uid: metadata.uid, image: spec.containers[0]?.image ?? '' }))
    .sort((a, b) => a.uid.localeCompare(b.uid));
}

describe('in place', () => {
  test('process count, timeouts and limits change the ConfigMaps and refresh the pods, and no pod goes', async () => {
    await rig.apply('inplace', { image: 'shop:1', app });
    await serves('inplace', 'shop:1');
    const before = await workerPods('inplace');
    const change = { workers: { processes: 7, timeout: '40s' }, proxy: { limits: { body: '1Mi' } } };
    await rig.apply('inplace', { image: 'shop:1', app, ...change });
    const configMaps = async (): Promise<string> =>
      JSON.stringify(
        (await rig.children('inplace')).filter(({ kind }) => kind === 'ConfigMap').map(({ data }) => data),
      );
    await eventually(
      async () =>
        (await configMaps()).includes('\\"processes\\":7') && (await configMaps()).includes('\\"bodyBytes\\":1048576'),
      () => 'the ConfigMaps do not follow',
    );
    const annotations = async (): Promise<string[]> => {
      const jsonpath = '{.items[*].metadata.annotations.webapp-operator\\.io/config}';
      const out = await rig.cluster.kubectlOk([
        'get',
        'pods',
        '-n',
        rig.namespace,
        '-l',
        'webapp-operator.io/webapp=inplace',
        '-o',
        `jsonpath=${jsonpath}`,
      ]);
      return out.split(' ').filter((hash) => hash !== '');
    };
    await eventually(
      async () => (await annotations()).length === 4,
      () => 'not every pod was told',
    );
    expect(await workerPods('inplace')).toEqual(before);
  });
});

describe('a new image', () => {
  test('takes the place of the old, and going back finds the old version again', async () => {
    await rig.apply('roll', { image: 'shop:1', app });
    const first = await serves('roll', 'shop:1');
    await rig.apply('roll', { image: 'shop:2', app });
    const second = await serves('roll', 'shop:2');
    expect(second.status?.revision).not.toBe(first.status?.revision);
    await rig.apply('roll', { image: 'shop:1', app });
    const third = await serves('roll', 'shop:1');
    expect(third.status?.revision).toBe(first.status?.revision);
    const revisions = (await rig.children('roll')).filter(({ kind }) => kind === 'ControllerRevision');
    expect(revisions).toHaveLength(3); // two of the worker, one of the proxy
  });

  test('that cannot be pulled leaves the old serving and says so', async () => {
    await rig.apply('absent', { image: 'shop:1', app });
    await serves('absent', 'shop:1');
    await rig.apply('absent', { image: 'absent:2', app });
    const webApp = await rig.settled('absent', 'degraded', (one) => condition(one, 'Degraded') === 'True/ImagePull');
    expect(condition(webApp, 'Ready')).toBe('True/Serving');
    expect(webApp.status).toMatchObject({ image: 'shop:1', pods: { ready: 2 } });
    expect(webApp.status?.problems?.[0]).toMatchObject({
      field: 'spec.image',
      type: 'ImagePull',
      message: expect.stringContaining('absent:2'),
    });
    await rig.apply('absent', { image: 'shop:3', app });
    const mended = await serves('absent', 'shop:3');
    expect(mended.status?.problems).toBeUndefined();
    expect(condition(mended, 'Degraded')).toBe('False/AsExpected');
  });

  test('that crashes is put back when that was asked for, and its last words are told', async () => {
    const rollout = { autoRollback: true, progressDeadline: '5s' };
    await rig.apply('crash', { image: 'shop:1', app, rollout });
    await serves('crash', 'shop:1');
    await rig.apply('crash', { image: 'crash:2', app, rollout });
    const crashing = await rig.settled('crash', 'crashing', (one) => condition(one, 'Degraded') === 'True/Crashing');
    expect(crashing.status?.problems?.[0]?.message).toContain("No module named 'flask'");
    const back = await rig.settled(
      'crash',
      'rolled back',
      (one) => condition(one, 'Progressing') === 'False/RolledBack',
    );
    expect(back.status).toMatchObject({ image: 'shop:1' });
    await eventually(
      async () => (await workerPods('crash')).every(({ image }) => image === 'shop:1'),
      () => 'pods of the failed version are left',
    );
    await rig.apply('crash', { image: 'shop:2', app, rollout });
    await serves('crash', 'shop:2');
  });
});

describe('a migration', () => {
  test('comes first, once for each image, and lets nothing through while it runs', async () => {
    const migrate = { command: ['flask', 'db', 'upgrade'] };
    await rig.apply('migrated', { image: 'shop:1', app, migrate });
    await serves('migrated', 'shop:1');
    const jobs = async (): Promise<string[]> =>
      (await rig.children('migrated')).filter(({ kind }) => kind === 'Job').map(({ metadata }) => metadata.name);
    expect(await jobs()).toHaveLength(1);
    await rig.apply('migrated', { image: 'slow:2', app, migrate });
    await rig.settled('migrated', 'migrating', (one) => condition(one, 'Progressing') === 'True/Migrating');
    expect((await workerPods('migrated')).map(({ image }) => image)).toEqual(['shop:1', 'shop:1']);
  });

  test('that fails leaves the old serving and tells its last lines', async () => {
    await rig.apply('failed', { image: 'shop:1', app });
    await serves('failed', 'shop:1');
    await rig.apply('failed', { image: 'failing:2', app, migrate: { command: ['flask', 'db', 'upgrade'] } });
    const webApp = await rig.settled('failed', 'held', (one) => condition(one, 'Degraded') === 'True/MigrationFailed');
    expect(condition(webApp, 'Ready')).toBe('True/Serving');
    expect(webApp.status).toMatchObject({ image: 'shop:1' });
    expect(webApp.status?.problems?.[0]).toMatchObject({
      field: 'spec.migrate',
      message: expect.stringContaining(MIGRATION_WORDS),
    });
  });
});

describe('what is referred to', () => {
  test('is waited for, and a change of its content replaces the pods', async () => {
    await rig.apply('refers', { image: 'shop:1', app, envFrom: [{ secretRef: { name: 'keys' } }] });
    const waiting = await rig.settled(
      'refers',
      'waiting',
      (one) => condition(one, 'Degraded') === 'True/ReferenceMissing',
    );
    expect(waiting.status?.problems?.[0]).toMatchObject({
      field: expect.stringContaining('spec.envFrom[0]'),
      message: expect.stringContaining('keys'),
    });
    expect(await rig.child('Deployment', 'refers-worker')).toBeUndefined();
    const secret = ['create', 'secret', 'generic', 'keys', '-n', rig.namespace, '--from-literal=TOKEN=one'];
    await rig.cluster.kubectlOk(secret);
    await serves('refers', 'shop:1');
    const before = await workerPods('refers');
    const patch = ['patch', 'secret', 'keys', '-n', rig.namespace, '-p', '{"stringData":{"TOKEN":"two"}}'];
    await rig.cluster.kubectlOk(patch);
    await eventually(
      async () => {
        const now = await workerPods('refers');
        return now.length === 2 && now.every(({ uid }) => !before.some((old) => old.uid === uid));
      },
      () => 'the pods were not replaced',
    );
  });
});

describe('restart and suspend', () => {
  test('a new value of the restart annotation replaces every pod, and taking it away none', async () => {
    await rig.apply('again', { image: 'shop:1', app });
    await serves('again', 'shop:1');
    const before = await workerPods('again');
    await rig.cluster.kubectlOk([
      'annotate',
      'webapp',
      'again',
      '-n',
      rig.namespace,
      'webapp-operator.io/restartedAt=now',
    ]);
    await eventually(
      async () => {
        const now = await workerPods('again');
        return now.length === 2 && now.every(({ uid }) => !before.some((old) => old.uid === uid));
      },
      () => 'the pods were not replaced',
    );
    await serves('again', 'shop:1');
    const restarted = await workerPods('again');
    const restart = 'webapp-operator.io/restartedAt';
    await rig.cluster.kubectlOk(['annotate', 'webapp', 'again', '-n', rig.namespace, `${restart}-`]);
    expect(await untilQuiet(() => workerPods('again'), 20)).toEqual(restarted);
  });

  test('suspend takes the workers away and keeps the proxy, which is told to answer for them', async () => {
    await rig.apply('asleep', { image: 'shop:1', app });
    await serves('asleep', 'shop:1');
    await rig.apply('asleep', { image: 'shop:1', app, suspend: true });
    const webApp = await rig.settled(
      'asleep',
      'suspended',
      (one) => condition(one, 'Ready') === 'False/Suspended' && one.status?.pods?.summary === '0/0',
    );
    expect(webApp.status).toMatchObject({ state: 'Suspended', proxies: { ready: 2 } });
    expect(JSON.stringify(await rig.child('ConfigMap', 'asleep-proxy'))).toContain('maintenance');
    await rig.apply('asleep', { image: 'shop:1', app });
    await serves('asleep', 'shop:1');
  });
});

describe('static files', () => {
  test('come to the proxy before the workers that name them, and the version before is kept', async () => {
    const proxy = { static: [{ path: '/static', from: 'static' }] };
    await rig.apply('static', { image: 'shop:1', app, proxy });
    await serves('static', 'shop:1');
    await rig.apply('static', { image: 'shop:2', app, proxy });
    await serves('static', 'shop:2');
    const deployment = await rig.child('Deployment', 'static-proxy');
    const images = JSON.stringify(deployment?.spec).match(/"image":"shop:[0-9]"/g);
    expect(images).toEqual(['"image":"shop:2"', '"image":"shop:1"']);
    const document = (await rig.child('ConfigMap', 'static-proxy'))?.['data'] as Record<string, string>;
    const { static: folders } = JSON.parse(document['proxy.json'] ?? '') as { static: { directories: string[] }[] };
    expect(folders[0]?.directories).toHaveLength(2);
  });

  test('of an image that cannot be pulled hold the workers back', async () => {
    const proxy = { static: [{ path: '/static', from: 'static' }] };
    await rig.apply('held', { image: 'shop:1', app, proxy });
    await serves('held', 'shop:1');
    await rig.apply('held', { image: 'absent:2', app, proxy });
    await rig.settled(
      'held',
      'held',
      (one) =>
        one.status?.image === 'shop:1' &&
        one.status.conditions?.some(({ reason }) => ['PreparingProxy', 'RollingOut'].includes(reason)) === true,
    );
  });
});
