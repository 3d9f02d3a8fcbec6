// What becomes of a WebApp from its first pass, and what others do to it.
import { describe, expect, test } from 'vitest';
import { FakeCluster } from './testing/fake-cluster.ts';
import { conditions, deployed, IMAGE, list, said, steady, template } from './testing/scenario.ts';

describe('from nothing', () => {
  test('all children are made in one pass, what pods use before the pods', () => {
    const cluster = new FakeCluster();
    const { changes, status, events } = cluster.pass();
    const names = list(changes).map((one) => one.replace(/[0-9a-f]{10}$/, 'R'));
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        'apply ControllerRevision/shop-worker-R',
        'apply ControllerRevision/shop-proxy-R',
        'apply ConfigMap/shop-worker-R',
        'apply ConfigMap/shop-proxy',
        'apply Deployment/shop-proxy',
        'apply Service/shop',
      ]),
    );
    expect(names.at(-1)).toBe('apply Deployment/shop-worker');
    expect(conditions(status)).toEqual({
      Ready: 'False/NoReadyWorker',
      Progressing: 'True/RollingOut',
      Degraded: 'False/AsExpected',
      ConfigApplied: 'Unknown/Unknown',
    });
    expect(status).toMatchObject({ observedGeneration: 1, state: 'RollingOut', replicas: 0 });
    expect(events.map(({ reason }) => reason)).toEqual(['RolloutStarted']);
  });

  test('it comes to rest serving', () => {
    const cluster = new FakeCluster();
    const plans = cluster.settle();
    expect(cluster.webApp.status).toMatchObject({
      state: 'Serving',
      url: 'http://shop.web.svc.cluster.local',
      image: IMAGE('1'),
      revision: deployed(cluster),
      lastGoodRevision: deployed(cluster),
      replicas: 2,
      selector: expect.stringContaining('app.kubernetes.io/component=worker'),
      pods: { desired: 2, ready: 2, updated: 2, summary: '2/2' },
      proxies: { desired: 2, ready: 2, summary: '2/2' },
    });
    expect(conditions(cluster.webApp.status)).toMatchObject({ Ready: 'True/Serving', Progressing: 'False/Complete' });
    expect(cluster.webApp.status).not.toHaveProperty('problems');
    expect(said(plans)).toEqual(['RolloutStarted', 'Serving', 'RolloutComplete']);
  });

  test('at rest nothing is changed, told or said, at any later time', () => {
    const cluster = steady();
    cluster.wall += 86_400_000;
    const { changes, events, status, requeueAfterMs } = cluster.plan();
    expect(changes).toEqual([]);
    expect(events).toEqual([]);
    expect(status).toEqual(cluster.webApp.status);
    expect(requeueAfterMs).toBeUndefined();
  });

  test('the same input gives the same plan', () => {
    const cluster = new FakeCluster({ replicas: 3 });
    expect(cluster.plan()).toEqual(cluster.plan());
  });
});

describe('others', () => {
  test.each([
    ['Service', 'shop'],
    ['ConfigMap', 'shop-proxy'],
    ['Deployment', 'shop-proxy'],
    ['Deployment', 'shop-worker'],
    ['PodDisruptionBudget', 'shop-worker'],
  ] as const)('%s %s that was deleted is made again, and nothing else is touched', (kind, name) => {
    const cluster = steady();
    cluster.remove(kind, name);
    expect(list(cluster.plan().changes)).toEqual([`apply ${kind}/${name}`]);
  });

  test('a version that was deleted is the same once more: no pod restarts', () => {
    const cluster = steady();
    const before = template(cluster);
    for (const name of cluster.names('ControllerRevision')) cluster.remove('ControllerRevision', name);
    expect(list(cluster.pass().changes).every((one) => one.startsWith('apply ControllerRevision/'))).toBe(true);
    expect(template(cluster)).toEqual(before);
  });

  test('a version that was tampered with goes, and is made anew before it is used', () => {
    const cluster = steady();
    const name = `shop-worker-${deployed(cluster)}`;
    cluster.patch('ControllerRevision', name, ({ data }) => ({ data: { ...(data as object), image: 'evil:1' } }));
    expect(list(cluster.pass().changes)).toEqual([`delete ControllerRevision/${name}`]);
    expect(list(cluster.pass().changes)).toEqual([`apply ControllerRevision/${name}`]);
    cluster.settle();
    expect(cluster.webApp.status?.state).toBe('Serving');
  });

  test('what one changed by hand is put back and said', () => {
    const cluster = steady();
    cluster.patch('Service', 'shop', ({ spec }) => ({ spec: { ...(spec as object), ports: [] } }));
    const { changes, events } = cluster.plan();
    expect(changes).toMatchObject([
      { verb: 'apply', create: false, why: 'was changed by another: spec.ports[80/TCP]' },
    ]);
    expect(events).toMatchObject([
      { type: 'Normal', reason: 'Corrected', note: expect.stringContaining('Service/shop') },
    ]);
  });

  test('what another holds beside ours is left', () => {
    const cluster = steady();
    cluster.patch('Deployment', 'shop-worker', ({ metadata, spec }) => ({
      metadata: { ...metadata, annotations: { ...metadata.annotations, 'example.com/team': 'blue' } },
      spec: { ...(spec as object), minReadySeconds: 3 },
    }));
    cluster.step();
    expect(cluster.plan().changes).toEqual([]);
  });

  test('a child that is being deleted is left alone until it is gone', () => {
    const cluster = steady();
    const going = ({ metadata }: { metadata: object }) => ({
      metadata: { ...metadata, deletionTimestamp: 'now' },
      spec: {},
    });
    cluster.patch('Service', 'shop', going);
    cluster.patch('ConfigMap', 'shop-proxy', going);
    expect(cluster.plan().changes).toEqual([]);
  });

  test('a child that is no longer wanted is deleted as it was seen', () => {
    const cluster = steady({ autoscaling: { maxReplicas: 4 } });
    cluster.edit({});
    const seen = cluster.child('HorizontalPodAutoscaler', 'shop-worker')?.metadata;
    expect(cluster.plan().changes).toContainEqual({
      verb: 'delete',
      kind: 'HorizontalPodAutoscaler',
      seen: { name: 'shop-worker', namespace: 'web', uid: seen?.uid, resourceVersion: seen?.resourceVersion },
      why: 'it is no longer wanted',
    });
  });

  test('a WebApp that is being deleted is not touched', () => {
    const cluster = steady();
    cluster.children.clear();
    cluster.webApp = { ...cluster.webApp, metadata: { ...cluster.webApp.metadata, deletionTimestamp: 'now' } };
    expect(cluster.plan()).toEqual({ changes: [], status: cluster.webApp.status, events: [] });
  });
});

describe('an invalid spec', () => {
  const problem = { field: 'spec.runtime', value: '"asgi"', message: 'must be auto', mend: 'write auto, wsgi or node' };

  test('changes nothing and says every problem; the rest of the status stays', () => {
    const cluster = steady();
    cluster.invalid = [problem];
    const { changes, status, events } = cluster.plan();
    expect(changes).toEqual([]);
    expect(conditions(status)).toMatchObject({
      Ready: 'False/Invalid',
      Degraded: 'True/Invalid',
      Progressing: 'False/Invalid',
    });
    expect(status).toMatchObject({
      state: 'Invalid',
      image: IMAGE('1'),
      pods: { summary: '2/2' },
      problems: [{ field: 'spec.runtime', type: 'Invalid', message: '"asgi": must be auto', mend: problem.mend }],
    });
    expect(events).toMatchObject([{ type: 'Warning', reason: 'Invalid' }]);
    cluster.report(status);
    cluster.wall += 1_000;
    expect(cluster.plan()).toEqual({ changes: [], status, events: [] });
  });
});

describe('optional APIs', () => {
  test('that are asked for and absent are problems, and nothing else changes', () => {
    const cluster = steady();
    cluster.apis = new Set();
    const spec = {
      proxy: {
        hosts: ['shop.example.com'],
        expose: { type: 'HTTPRoute', parentRef: { name: 'public' } },
        tls: { issuerRef: { name: 'ca' } },
      },
      monitoring: { serviceMonitor: true, podMonitor: true },
    };
    cluster.edit(spec);
    cluster.settle();
    expect(cluster.webApp.status?.problems?.map(({ type, field }) => `${type} ${field}`)).toEqual([
      'ApiMissing spec.proxy.expose',
      'ApiMissing spec.proxy.tls.issuerRef',
      'ApiMissing spec.monitoring.serviceMonitor',
      'ApiMissing spec.monitoring.podMonitor',
    ]);
    expect(conditions(cluster.webApp.status)).toMatchObject({ Ready: 'True/Serving', Degraded: 'True/ApiMissing' });
  });

  test('that vanish for a moment cost no object', () => {
    const cluster = steady({ monitoring: { serviceMonitor: true } });
    expect(cluster.names('ServiceMonitor')).toHaveLength(1);
    cluster.apis = new Set();
    expect(cluster.plan().changes).toEqual([]);
  });
});
