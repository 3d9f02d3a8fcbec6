// One WebApp on a real API server with real controllers, pods by kwok: what is made of it, what kubectl shows of it, and that nothing is left of it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useCluster } from '../cluster/fixture.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { condition, eventually, isComplete, makeRig, type Rig } from './rig.ts';

const getCluster = useCluster({ kwok: { nodes: 3 } });
let rig: Rig;
let operator: OperatorProcess;

beforeAll(async () => {
  rig = await makeRig(getCluster());
  operator = await startOperator({ kubeconfig: rig.kubeconfig, flags: ['--status-interval', '0s'] });
});
afterAll(() => operator?.stop());

const serving = (name: string) => rig.settled(name, 'serving with all its pods', isComplete);

describe('three fields', () => {
  test('make a working stack', async () => {
    await rig.apply('shop', { image: 'shop:1', app: 'shop:app' });
    const webApp = await serving('shop');
    expect(webApp.status).toMatchObject({
      state: 'Serving',
      image: 'shop:1',
      replicas: 2,
      pods: { desired: 2, ready: 2, updated: 2, summary: '2/2' },
      proxies: { desired: 2, ready: 2, summary: '2/2' },
      url: `http://shop.${rig.namespace}.svc.cluster.local`,
    });
    expect(webApp.status?.problems).toBeUndefined();
    expect(condition(webApp, 'Progressing')).toBe('False/Complete');
    expect(condition(webApp, 'Degraded')).toBe('False/AsExpected');
    const kinds = (await rig.children('shop')).map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
    const revision = webApp.status?.revision ?? '';
    expect(
      kinds.map((kind) => kind.replace(/shop-proxy-[0-9a-f]{10}$/, 'shop-proxy-R').replace(revision, 'R')),
    ).toEqual([
      'ConfigMap/shop-proxy',
      'ConfigMap/shop-worker-R',
      'ControllerRevision/shop-proxy-R',
      'ControllerRevision/shop-worker-R',
      'Deployment/shop-proxy',
      'Deployment/shop-worker',
      'NetworkPolicy/shop-proxy',
      'NetworkPolicy/shop-worker',
      'PodDisruptionBudget/shop-proxy',
      'PodDisruptionBudget/shop-worker',
      'Role/shop-proxy',
      'RoleBinding/shop-proxy',
      'Service/shop',
      'Service/shop-workers',
      'ServiceAccount/shop-proxy',
      'ServiceAccount/shop-worker',
    ]);
  });

  test('show in kubectl', async () => {
    const lines = (await rig.cluster.kubectlOk(['get', 'wa', 'shop', '-n', rig.namespace, '-o', 'wide']))
      .trim()
      .split('\n');
    expect(lines[0]?.split(/\s{2,}/)).toEqual([
      'NAME',
      'READY',
      'STATUS',
      'PODS',
      'WORKERS',
      'IMAGE',
      'URL',
      'AGE',
      'REVISION',
      'QUEUE',
    ]);
    expect(lines[1]).toMatch(/^shop +True +Serving +2\/2 +.*shop:1 +http:\/\/shop\./);
  });

  test('tell what happened as events', async () => {
    const events = await rig.cluster.kubectlOk([
      'get',
      'events',
      '-n',
      rig.namespace,
      '--field-selector',
      'involvedObject.kind=WebApp',
    ]);
    expect(events).toContain('RolloutComplete');
  });

  test('go wholly when the WebApp is deleted', async () => {
    await rig.cluster.kubectlOk(['delete', 'webapp', 'shop', '-n', rig.namespace, '--wait=true']);
    await eventually(
      async () => (await rig.children('shop')).length === 0,
      () => 'children are left',
    );
    const pods = ['get', 'pods', '-n', rig.namespace, '-l', 'webapp-operator.io/webapp=shop', '-o', 'name'];
    await eventually(
      async () => (await rig.cluster.kubectlOk(pods)) === '',
      () => 'pods are left',
    );
  });
});

describe('replicas', () => {
  test('follow kubectl scale', async () => {
    await rig.apply('scaled', { image: 'shop:1', app: 'shop:app' });
    await serving('scaled');
    await rig.cluster.kubectlOk(['scale', 'webapp/scaled', '--replicas=5', '-n', rig.namespace]);
    const webApp = await rig.settled('scaled', 'scaled to 5', ({ status }) => status?.pods?.summary === '5/5');
    expect(webApp.status?.selector).toContain('app.kubernetes.io/component=worker');
    const scale = await rig.cluster.kubectlOk([
      'get',
      '--raw',
      `/apis/webapp-operator.io/v1alpha1/namespaces/${rig.namespace}/webapps/scaled/scale`,
    ]);
    expect(JSON.parse(scale)).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 5 } });
  });

  test('follow an autoscaler made by hand for the WebApp, and are not fought over', async () => {
    await rig.apply('byhand', { image: 'shop:1', app: 'shop:app' });
    await serving('byhand');
    const scaleTargetRef = { apiVersion: 'webapp-operator.io/v1alpha1', kind: 'WebApp', name: 'byhand' };
    const hpa = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'by-hand', namespace: rig.namespace },
      spec: { scaleTargetRef, minReplicas: 4, maxReplicas: 6 },
    };
    await rig.cluster.kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(hpa) });
    await rig.settled('byhand', 'at 4', ({ status }) => status?.pods?.summary === '4/4');
    // Somebody applies the manifest again, which says nothing of replicas.
    await rig.apply('byhand', { image: 'shop:1', app: 'shop:app', workers: { threads: 2 } });
    await rig.settled('byhand', 'still at 4', ({ status }) => status?.pods?.summary === '4/4');
    expect((await rig.webApp('byhand')).spec['replicas']).toBe(4);
  });

  test('belong to the autoscaler while one is asked for, and none is lost on the way', async () => {
    const spec = { image: 'shop:1', app: 'shop:app', replicas: 4 };
    await rig.apply('auto', spec);
    await rig.settled('auto', 'at 4', ({ status }) => status?.pods?.summary === '4/4');
    const seen: number[] = [];
    let watching = true;
    const watch = (async () => {
      while (watching) {
        const deployment = await rig.child('Deployment', 'auto-worker');
        seen.push(Number(deployment?.spec?.['replicas']));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    await rig.apply('auto', { ...spec, autoscaling: { minReplicas: 2, maxReplicas: 9 } });
    await eventually(
      async () => (await rig.child('HorizontalPodAutoscaler', 'auto-worker')) !== undefined,
      () => 'no HPA',
    );
    // What an HPA does: it writes /scale of the Deployment.
    await rig.cluster.kubectlOk(['scale', 'deployment/auto-worker', '--replicas=7', '-n', rig.namespace]);
    await rig.settled('auto', 'at 7', ({ status }) => status?.pods?.summary === '7/7');
    await rig.apply('auto', { ...spec, autoscaling: { minReplicas: 2, maxReplicas: 8 } });
    await eventually(
      async () => (await rig.child('HorizontalPodAutoscaler', 'auto-worker'))?.spec?.['maxReplicas'] === 8,
      () => 'the HPA does not follow',
    );
    watching = false;
    await watch;
    expect(seen.filter((replicas) => replicas < 4)).toEqual([]);
    expect((await rig.child('Deployment', 'auto-worker'))?.spec?.['replicas']).toBe(7);
    await rig.apply('auto', spec);
    await rig.settled('auto', 'back at 4', ({ status }) => status?.pods?.summary === '4/4');
    expect(await rig.child('HorizontalPodAutoscaler', 'auto-worker')).toBeUndefined();
  });
});
