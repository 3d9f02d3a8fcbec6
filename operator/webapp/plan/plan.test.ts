import { describe, expect, test } from 'vitest';
import { RESTARTED_AT_ANNOTATION } from '../../../core/app/schema.ts';
import type { WebAppStatus } from '../../../core/status/webapp.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Change, Plan } from '../changes.ts';
import { ANNOTATION, LABEL } from '../names.ts';
import { parseRevision, type Revision, revisionData } from '../revision.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

const IMAGE = (tag: string): string => `registry.example.com/shop:${tag}`;
const said = (plans: readonly Plan[]): string[] => plans.flatMap(({ events }) => events.map(({ reason }) => reason));
const list = (changes: readonly Change[]): string[] =>
  changes.map((change) => {
    if (change.verb === 'refresh') return `refresh ${change.pod.name}`;
    if (change.verb === 'delete') return `delete ${change.kind}/${change.seen.name}`;
    const { kind, metadata } = change.object;
    return `${change.verb} ${kind}/${metadata.name}`;
  });
const conditions = (status: WebAppStatus | undefined): Record<string, string> =>
  Object.fromEntries((status?.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is}/${reason}`]));
const steady = (spec: object = {}): FakeCluster => {
  const cluster = new FakeCluster(spec);
  cluster.settle();
  return cluster;
};
const template = (cluster: FakeCluster, name = 'shop-worker'): unknown =>
  (cluster.child('Deployment', name)?.['spec'] as { template: unknown } | undefined)?.template;
const deployed = (cluster: FakeCluster): string | undefined =>
  (template(cluster) as { metadata: { labels: Record<string, string> } } | undefined)?.metadata.labels[LABEL.revision];
const replicas = (cluster: FakeCluster): number =>
  (cluster.child('Deployment', 'shop-worker')?.['spec'] as { replicas: number } | undefined)?.replicas ?? -1;
const progress = (plan: Plan): string | undefined => conditions(plan.status)['Progressing'];

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

describe('a new image', () => {
  test('takes the place of the old; the status names what serves', () => {
    const cluster = steady();
    const first = deployed(cluster);
    cluster.edit({ image: IMAGE('2') });
    const plans = cluster.settle();
    const second = deployed(cluster);
    expect(second).not.toBe(first);
    expect(said(plans)).toEqual(['RolloutStarted', 'RolloutComplete']);
    expect(plans[0]?.status).toMatchObject({
      image: IMAGE('1'),
      revision: first,
      state: 'RollingOut',
      observedGeneration: 2,
    });
    expect(cluster.webApp.status).toMatchObject({ image: IMAGE('2'), revision: second, lastGoodRevision: second });
    expect(plans.every(({ status }) => conditions(status)['Ready'] === 'True/Serving')).toBe(true);
  });

  test('back to the one before is its very version again, the newest from then on', () => {
    const cluster = steady();
    const before = { template: template(cluster), id: deployed(cluster) };
    cluster.edit({ image: IMAGE('2') });
    cluster.settle();
    cluster.edit({ image: IMAGE('1') });
    cluster.settle();
    expect(deployed(cluster)).toBe(before.id);
    expect(template(cluster)).toEqual(before.template);
    expect(cluster.names('ControllerRevision').filter((name) => name.includes('worker'))).toHaveLength(2);
    expect(cluster.child('ControllerRevision', `shop-worker-${before.id}`)?.['revision']).toBe(3);
  });

  test('keeps keepRevisions earlier versions and their files; what is older goes, what runs does not', () => {
    const cluster = steady({ rollout: { keepRevisions: 2 } });
    const ids = [deployed(cluster)];
    for (const tag of ['2', '3', '4', '5']) {
      cluster.edit({ image: IMAGE(tag), rollout: { keepRevisions: 2 } });
      cluster.settle();
      ids.push(deployed(cluster));
    }
    const kept = ids
      .slice(-3)
      .map((id) => `shop-worker-${id}`)
      .sort();
    expect(cluster.names('ControllerRevision').filter((name) => name.startsWith('shop-worker'))).toEqual(kept);
    expect(cluster.names('ConfigMap').filter((name) => name.startsWith('shop-worker'))).toEqual(kept);
  });

  test('of the proxy’s pods is told until they are there, without a word in between', () => {
    const cluster = steady();
    cluster.edit({ proxy: { podTemplate: { metadata: { labels: { a: 'b' } } } } });
    const plans = [cluster.pass(), cluster.pass(), ...cluster.settle()];
    expect(said(plans)).toEqual(['RolloutStarted']);
    const reasons = plans.map(progress);
    expect(reasons.lastIndexOf('True/RollingOut')).toBe(reasons.indexOf('False/Complete') - 1);
  });

  test('taken back halfway is not complete before the other’s pods are gone', () => {
    const cluster = steady();
    cluster.edit({ image: IMAGE('2') });
    cluster.pass();
    cluster.step();
    cluster.edit({});
    cluster.pass();
    expect(progress(cluster.pass())).toBe('True/RollingOut');
    cluster.settle();
    expect(cluster.webApp.status?.state).toBe('Serving');
  });

  test('a restart by annotation is a version of its own', () => {
    const cluster = steady();
    const before = deployed(cluster);
    cluster.edit({}, { [RESTARTED_AT_ANNOTATION]: 'today' });
    cluster.settle();
    expect(deployed(cluster)).not.toBe(before);
    expect(cluster.webApp.status?.state).toBe('Serving');
  });

  test('that does not come up is Degraded with the cause, while the old serves', () => {
    const cluster = steady();
    const first = deployed(cluster);
    cluster.edit({ image: 'registry.example.com/absent:2' });
    const plans = cluster.settle();
    expect(conditions(cluster.webApp.status)).toEqual({
      Ready: 'True/Serving',
      Progressing: 'False/DeadlineExceeded',
      Degraded: 'True/ImagePull',
      ConfigApplied: 'Unknown/Unknown',
    });
    expect(cluster.webApp.status).toMatchObject({
      state: 'ImagePull',
      image: IMAGE('1'),
      revision: first,
      problems: [
        {
          field: 'spec.image',
          message: 'The application: image registry.example.com/absent:2 cannot be pulled: not found',
          mend: expect.stringContaining('push the image'),
        },
      ],
    });
    expect(said(plans)).toEqual(['RolloutStarted', 'ImagePull', 'DeadlineExceeded']);
    cluster.edit({ image: IMAGE('3') });
    expect(said(cluster.settle())).toEqual(['RolloutStarted', 'Recovered', 'RolloutComplete']);
  });
});

describe('automatic rollback', () => {
  const rollout = { autoRollback: true };

  test('puts the last whole version back and keeps saying why', () => {
    const cluster = steady({ rollout });
    const good = deployed(cluster);
    cluster.edit({ image: 'registry.example.com/crash:2', rollout });
    const plans = cluster.settle();
    expect(deployed(cluster)).toBe(good);
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Ready: 'True/Serving',
      Progressing: 'False/RolledBack',
      Degraded: 'True/RolledBack',
    });
    expect(cluster.webApp.status).toMatchObject({
      state: 'RolledBack',
      image: IMAGE('1'),
      lastGoodRevision: good,
      failedRevision: expect.stringMatching(/^[0-9a-f]{10}$/),
      problems: [{ type: 'RolledBack', message: expect.stringContaining('No module named flask'), field: 'spec.app' }],
    });
    expect(said(plans)).toEqual(['RolloutStarted', 'Crashing', 'RolloutStarted', 'RolledBack']);
  });

  test('is over with the next change of the inputs, and not before', () => {
    const cluster = steady({ rollout });
    cluster.edit({ image: 'registry.example.com/crash:2', rollout });
    cluster.settle();
    cluster.edit({ image: 'registry.example.com/crash:2', rollout, replicas: 3 });
    cluster.settle();
    expect(cluster.webApp.status).toMatchObject({ state: 'RolledBack', pods: { summary: '3/3' } });
    cluster.edit({ image: IMAGE('3'), rollout });
    cluster.settle();
    expect(cluster.webApp.status).toMatchObject({ state: 'Serving', image: IMAGE('3') });
    expect(cluster.webApp.status).not.toHaveProperty('failedRevision');
  });

  test('has nothing to go back to on the first rollout', () => {
    const cluster = new FakeCluster({ image: 'registry.example.com/crash:1', rollout });
    cluster.settle();
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Ready: 'False/NoReadyWorker',
      Progressing: 'False/DeadlineExceeded',
      Degraded: 'True/Crashing',
    });
  });
});

describe('references', () => {
  const spec = { envFrom: [{ secretRef: { name: 'keys' } }] };

  test.each([
    ['missing', { state: 'missing' }, 'There is no Secret keys.'],
    ['forbidden', { state: 'forbidden', message: 'no' }, 'The operator may not read Secret keys: no'],
    ['without a key', { state: 'present', hash: '1', missingKeys: ['URL'] }, 'Secret keys has no key URL.'],
  ] as const)('%s: workers are not made, all else is', (_name, state, message) => {
    const cluster = new FakeCluster(spec);
    cluster.references.set('Secret/keys', state);
    cluster.settle();
    expect(cluster.child('Deployment', 'shop-worker')).toBeUndefined();
    expect(cluster.child('Deployment', 'shop-proxy')).toBeDefined();
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Progressing: 'True/WaitingForReference',
      Degraded: 'True/ReferenceMissing',
    });
    expect(cluster.webApp.status?.problems).toMatchObject([{ field: 'spec.envFrom[0].secretRef', message }]);
    cluster.references.delete('Secret/keys');
    cluster.settle();
    expect(cluster.webApp.status?.state).toBe('Serving');
  });

  test('lost later, the version that runs stays and still takes in-place changes and a new number', () => {
    const cluster = steady(spec);
    const before = template(cluster);
    cluster.references.set('Secret/keys', { state: 'missing' });
    cluster.edit({ ...spec, image: IMAGE('2'), replicas: 4, workers: { processes: 7 } });
    cluster.settle();
    expect(template(cluster)).toEqual(before);
    expect(cluster.webApp.status).toMatchObject({
      pods: { summary: '4/4' },
      state: 'ReferenceMissing',
      image: IMAGE('1'),
    });
    expect(JSON.stringify(cluster.child('ConfigMap', `shop-worker-${deployed(cluster)}`))).toContain(
      '\\"processes\\":7',
    );
  });

  test('not heard of yet, after the operator started: nothing is changed, nothing is said', () => {
    const cluster = steady(spec);
    cluster.references.set('Secret/keys', { state: 'unknown' });
    const { changes, status, events } = cluster.plan();
    expect({ changes, status, events }).toEqual({ changes: [], status: cluster.webApp.status, events: [] });
  });

  test('not heard of yet: what was missing before is still said, and a proxy that was being prepared goes on', () => {
    const proxy = { static: [{ path: '/static', from: 'static' }] };
    const cluster = steady({ ...spec, proxy });
    cluster.edit({ ...spec, proxy, image: 'registry.example.com/absent:2' });
    cluster.settle();
    cluster.references.set('Secret/keys', { state: 'unknown' });
    expect(cluster.plan()).toEqual({ changes: [], status: cluster.webApp.status, events: [] });
    cluster.references.set('Secret/keys', { state: 'missing' });
    cluster.settle();
    cluster.references.set('Secret/keys', { state: 'unknown' });
    expect(cluster.plan()).toEqual({ changes: [], status: cluster.webApp.status, events: [] });
  });

  test('not heard of yet, for a new WebApp: it waits and nothing is wrong', () => {
    const cluster = new FakeCluster(spec);
    cluster.references.set('Secret/keys', { state: 'unknown' });
    cluster.settle();
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Progressing: 'True/WaitingForReference',
      Degraded: 'False/AsExpected',
    });
  });

  test('a change of content rolls the pods', () => {
    const cluster = steady(spec);
    const before = deployed(cluster);
    cluster.references.set('Secret/keys', { state: 'present', hash: '2' });
    cluster.settle();
    expect(deployed(cluster)).not.toBe(before);
  });
});

describe('migration', () => {
  const migrate = { command: ['flask', 'db', 'upgrade'] };
  const jobs = (cluster: FakeCluster): string[] => cluster.names('Job');
  const migrated = (cluster: FakeCluster): string | undefined =>
    cluster.child('Deployment', 'shop-worker')?.metadata.annotations?.[ANNOTATION.migrated];

  test('comes before the first pods, and leaves its key at the Deployment', () => {
    const cluster = new FakeCluster({ migrate });
    const plans = cluster.settle();
    expect(progress(plans[0] as Plan)).toBe('True/Migrating');
    expect(list(plans[0]?.changes ?? [])).not.toContain('apply Deployment/shop-worker');
    expect(said(plans)).toEqual(['Migrating', 'Migrated', 'RolloutStarted', 'Serving', 'RolloutComplete']);
    expect(jobs(cluster)).toEqual([`shop-migrate-${migrated(cluster)}`]);
  });

  test('runs once for each image: going back to one that was migrated runs nothing', () => {
    const cluster = steady({ migrate });
    cluster.edit({ migrate, image: IMAGE('2') });
    cluster.settle();
    expect(jobs(cluster)).toHaveLength(1);
    const job = jobs(cluster);
    cluster.edit({ migrate });
    const plans = cluster.settle();
    expect(said(plans)).not.toContain('Migrating');
    expect(plans.flatMap(({ changes }) => list(changes)).filter((one) => one.startsWith('apply Job/'))).toEqual([]);
    expect(jobs(cluster)).toEqual([]);
    expect(
      migrated(cluster)
        ?.split(',')
        .map((key) => `shop-migrate-${key}`),
    ).toContain(job[0]);
  });

  test('that fails leaves the old serving, with the last lines of its pod', () => {
    const cluster = steady({ migrate });
    const first = deployed(cluster);
    cluster.edit({ migrate, image: 'registry.example.com/failing:2' });
    const plans = cluster.settle();
    expect(deployed(cluster)).toBe(first);
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Ready: 'True/Serving',
      Progressing: 'False/MigrationFailed',
      Degraded: 'True/MigrationFailed',
    });
    expect(cluster.webApp.status).toMatchObject({
      image: IMAGE('1'),
      problems: [{ field: 'spec.migrate', message: expect.stringContaining('OperationalError: connection refused') }],
    });
    expect(said(plans)).toEqual(['Migrating', 'MigrationFailed']);
  });

  test('that failed gets another try when its Job would be another, or is deleted', () => {
    const cluster = steady({ migrate });
    const spec = { migrate, image: 'registry.example.com/failing:2' };
    cluster.edit(spec);
    cluster.settle();
    cluster.edit({ ...spec, env: [{ name: 'DATABASE_URL', value: 'postgres://right' }] });
    const [job] = jobs(cluster);
    const plan = cluster.pass();
    expect(list(plan.changes)).toContain(`delete Job/${job}`);
    expect(progress(plan)).toBe('True/Migrating');
    expect(list(cluster.pass().changes)).toContain(`apply Job/${job}`);
    cluster.settle();
    cluster.remove('Job', jobs(cluster)[0] ?? '');
    expect(list(cluster.plan().changes)).toEqual([expect.stringMatching(/^apply Job\//)]);
  });

  test('that runs is not cut short by the next one, which waits; one that never began is', () => {
    const cluster = steady();
    cluster.edit({ migrate, image: 'registry.example.com/slow:2' });
    cluster.settle();
    const [running] = jobs(cluster);
    cluster.edit({ migrate, image: 'registry.example.com/absent:3' });
    cluster.settle();
    expect(jobs(cluster)).toEqual([running]);
    expect(conditions(cluster.webApp.status)['Progressing']).toBe('True/Migrating');
    cluster.pods = cluster.pods.filter(({ component }) => component !== 'migrate');
    cluster.patch('Job', running ?? '', () => ({ status: { conditions: [{ type: 'Complete', status: 'True' }] } }));
    cluster.settle();
    expect(jobs(cluster)).not.toContain(running);
    expect(cluster.webApp.status?.problems).toMatchObject([{ type: 'ImagePull', field: 'spec.image' }]);
    cluster.edit({ migrate, image: IMAGE('4') });
    cluster.settle();
    expect(cluster.webApp.status).toMatchObject({ state: 'Serving', image: IMAGE('4') });
  });
});

describe('static files', () => {
  const proxy = { static: [{ path: '/static', from: 'static' }] };
  const images = (cluster: FakeCluster): string[] =>
    (template(cluster, 'shop-proxy') as { spec: { initContainers?: { image: string }[] } }).spec.initContainers?.map(
      ({ image }) => image,
    ) ?? [];

  test('come to every proxy before the workers that name them; the version before is kept', () => {
    const cluster = steady({ proxy });
    expect(images(cluster)).toEqual([IMAGE('1')]);
    cluster.edit({ proxy, image: IMAGE('2') });
    const plans = cluster.settle();
    expect(said(plans)).toEqual(['PreparingProxy', 'RolloutStarted', 'RolloutComplete']);
    expect(images(cluster)).toEqual([IMAGE('2'), IMAGE('1')]);
    cluster.edit({ proxy, image: IMAGE('3') });
    cluster.settle();
    expect(images(cluster)).toEqual([IMAGE('3'), IMAGE('2')]);
    cluster.edit({ proxy, image: IMAGE('2') });
    cluster.settle();
    cluster.edit({ proxy, image: IMAGE('4') });
    cluster.settle();
    expect(images(cluster)).toEqual([IMAGE('4'), IMAGE('2')]);
  });

  test('of an image that cannot be pulled hold the workers back, and the cause is told', () => {
    const cluster = steady({ proxy });
    cluster.edit({ proxy, image: 'registry.example.com/absent:2' });
    cluster.settle();
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Ready: 'True/Serving',
      Progressing: 'False/DeadlineExceeded',
      Degraded: 'True/ImagePull',
    });
    expect(cluster.webApp.status).toMatchObject({ image: IMAGE('1'), problems: [{ field: 'spec.image' }] });
  });

  test('of a version whose migration fails never reach the proxy', () => {
    const cluster = steady({ proxy });
    cluster.edit({ proxy, image: 'registry.example.com/failing:2', migrate: { command: ['x'] } });
    cluster.settle();
    expect(images(cluster)).toEqual([IMAGE('1')]);
  });

  test('a change beside the image concerns no proxy', () => {
    const cluster = steady({ proxy });
    cluster.edit({ proxy, env: [{ name: 'A', value: 'b' }] });
    expect(said(cluster.settle())).toEqual(['RolloutStarted', 'RolloutComplete']);
  });

  test('the versions that are served from outlive keepRevisions', () => {
    const keep = { proxy: { ...proxy, keepRevisions: 3 }, rollout: { keepRevisions: 1 } };
    const cluster = steady(keep);
    for (const tag of ['2', '3', '4']) {
      cluster.edit({ ...keep, image: IMAGE(tag) });
      cluster.settle();
    }
    expect(images(cluster)).toEqual(['4', '3', '2', '1'].map(IMAGE));
  });
});

describe('in place', () => {
  test('process count and limits change the ConfigMaps and refresh every live pod; no template changes', () => {
    const cluster = steady();
    const before = [template(cluster), template(cluster, 'shop-proxy')];
    cluster.edit({ workers: { processes: 7 }, proxy: { limits: { body: '1Mi' } } });
    const { changes } = cluster.pass();
    expect(list(changes).map((one) => one.replace(/[0-9]+$|[0-9a-f]{10}$/, 'N'))).toEqual([
      'apply ConfigMap/shop-worker-N',
      'apply ConfigMap/shop-proxy',
      ...['proxy', 'proxy', 'worker', 'worker'].map((component) => `refresh shop-${component}-N`),
    ]);
    expect(cluster.settle().flatMap((plan) => plan.changes)).toEqual([]);
    expect([template(cluster), template(cluster, 'shop-proxy')]).toEqual(before);
    expect(cluster.webApp.status?.state).toBe('Serving');
  });

  test('reaches the old pods of a rollout that is stuck, with what belongs to their version', () => {
    const cluster = steady();
    const old = deployed(cluster);
    cluster.edit({ image: 'registry.example.com/absent:2', app: 'other:app' });
    cluster.settle();
    cluster.edit({ image: 'registry.example.com/absent:2', app: 'other:app', workers: { processes: 7 } });
    const { changes } = cluster.pass();
    expect(list(changes)).toContain(`apply ConfigMap/shop-worker-${old}`);
    const document = JSON.stringify(cluster.child('ConfigMap', `shop-worker-${old}`));
    expect(document).toContain('\\"processes\\":7');
    expect(document).toContain('\\"app\\":\\"shop:app\\"');
  });

  test('a pod that is being deleted is not refreshed', () => {
    const cluster = steady();
    cluster.pods = cluster.pods.map((pod) => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: 'now' } }));
    cluster.edit({ workers: { processes: 7 } });
    expect(list(cluster.plan().changes).filter((one) => one.startsWith('refresh'))).toEqual([]);
  });
});

describe('an operator upgrade', () => {
  /** As if the renderers of an older operator had made what is there. */
  const olderOperator = (): FakeCluster => {
    const cluster = steady();
    const name = `shop-worker-${deployed(cluster)}`;
    const made = parseRevision(cluster.child('ControllerRevision', name) as KubeObject) as Revision;
    const { spec } = made.template as { spec: { containers: { env?: object[] }[] } };
    const [app, ...others] = spec.containers;
    const containers = [{ ...app, env: [...(app?.env ?? []), { name: 'OLD_FLAG', value: '1' }] }, ...others];
    const older = { ...made, template: { ...made.template, spec: { ...spec, containers } } };
    cluster.patch('ControllerRevision', name, () => ({ data: revisionData(older) }));
    cluster.patch('Deployment', 'shop-worker', (live) => ({
      spec: { ...(live['spec'] as object), template: older.template },
    }));
    return cluster;
  };

  test('restarts no pod', () => {
    const cluster = olderOperator();
    const before = JSON.stringify(template(cluster));
    expect(before).toContain('OLD_FLAG');
    cluster.settle();
    expect(JSON.stringify(template(cluster))).toBe(before);
    cluster.edit({ image: IMAGE('2') });
    cluster.settle();
    expect(JSON.stringify(template(cluster))).not.toContain('OLD_FLAG');
  });
});

describe('replicas', () => {
  test('a new number scales, and says so', () => {
    const cluster = steady();
    cluster.edit({ replicas: 5 });
    const plans = cluster.settle();
    expect(progress(plans[0] as Plan)).toBe('True/Scaling');
    expect(said(plans)).toEqual(['Scaled']);
    expect(cluster.webApp.status).toMatchObject({ state: 'Serving', replicas: 5, pods: { summary: '5/5' } });
  });

  test('0 is no failure', () => {
    const cluster = steady();
    cluster.edit({ replicas: 0 });
    cluster.settle();
    expect(cluster.webApp.status).toMatchObject({ state: 'ScaledToZero', pods: { summary: '0/0' } });
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Ready: 'False/ScaledToZero',
      Degraded: 'False/AsExpected',
    });
  });

  test('are handed over to an autoscaler before they are left out, and not fought over then', () => {
    const cluster = steady({ replicas: 3 });
    cluster.edit({ autoscaling: { minReplicas: 2, maxReplicas: 8 } });
    const first = list(cluster.pass().changes);
    expect(first.indexOf('handOver Deployment/shop-worker')).toBeLessThan(
      first.indexOf('apply Deployment/shop-worker'),
    );
    expect(replicas(cluster)).toBe(3);
    cluster.settle();
    cluster.patch('Deployment', 'shop-worker', ({ spec }) => ({ spec: { ...(spec as object), replicas: 6 } }));
    const plans = cluster.settle();
    expect(plans.flatMap(({ changes }) => list(changes))).toEqual([]);
    expect(replicas(cluster)).toBe(6);
    expect(said(plans)).toEqual(['Scaled']);
    cluster.edit({ replicas: 4 });
    cluster.settle();
    expect(replicas(cluster)).toBe(4);
  });

  test('with an autoscaler from the start begin at its least number', () => {
    const cluster = steady({ autoscaling: { minReplicas: 3, maxReplicas: 8 } });
    expect(replicas(cluster)).toBe(3);
    expect(cluster.child('Deployment', 'shop-worker')?.metadata.annotations?.[ANNOTATION.replicasBy]).toBe(
      'autoscaler',
    );
  });

  test('suspend takes the workers away and keeps the proxy; resume brings them back', () => {
    const cluster = steady({ autoscaling: { minReplicas: 3, maxReplicas: 8 } });
    cluster.edit({ autoscaling: { minReplicas: 3, maxReplicas: 8 }, suspend: true });
    expect(said(cluster.settle())).toEqual(['Suspended']);
    expect(cluster.webApp.status).toMatchObject({
      state: 'Suspended',
      pods: { summary: '0/0' },
      proxies: { ready: 2 },
    });
    expect(conditions(cluster.webApp.status)).toMatchObject({
      Ready: 'False/Suspended',
      Progressing: 'False/Suspended',
    });
    expect(JSON.stringify(cluster.child('ConfigMap', 'shop-proxy'))).toContain('maintenance');
    cluster.edit({ autoscaling: { minReplicas: 3, maxReplicas: 8 } });
    expect(said(cluster.settle())).toEqual(expect.arrayContaining(['Resumed', 'Serving']));
    expect(replicas(cluster)).toBe(3);
    expect(cluster.webApp.status?.state).toBe('Serving');
  });
});

describe('what the workers tell', () => {
  test('is summed up, and says whether they run by the current configuration', () => {
    const cluster = steady({ replicas: 3 });
    cluster.tells = () => ({
      processes: { desired: 4, ready: 4, busy: 1, starting: 0, draining: 0 },
      queue: { length: 2, max: 500, oldestMs: 1 },
    });
    cluster.settle();
    expect(cluster.webApp.status).toMatchObject({ workers: { desired: 12, ready: 12, summary: '12/12' }, queue: 6 });
    expect(conditions(cluster.webApp.status)['ConfigApplied']).toBe('True/Applied');
    const behind = cluster.configHash(deployed(cluster) ?? '');
    cluster.tells = () => ({ config: { hash: behind, appliedAt: 0 } });
    cluster.edit({ replicas: 3, workers: { processes: 7 } });
    cluster.settle();
    expect(conditions(cluster.webApp.status)['ConfigApplied']).toBe('False/Applying');
    cluster.tells = () => ({});
    expect(said(cluster.settle())).toEqual(['ConfigApplied']);
  });

  test('is kept while an operator that has just started asks anew', () => {
    const cluster = steady();
    cluster.tells = () => ({});
    cluster.settle();
    cluster.tells = undefined;
    const { changes, status, events } = cluster.plan();
    expect({ changes, status, events }).toEqual({ changes: [], status: cluster.webApp.status, events: [] });
  });

  test('a refused document and a process that does not start are problems; one that was got over is none', () => {
    const cluster = steady();
    const death = {
      id: 1,
      pid: 7,
      at: 1,
      cause: 'boot',
      message: 'failed',
      traceback: 'Traceback\nImportError: x',
    } as const;
    cluster.tells = () => ({
      config: { hash: 'old', appliedAt: 0, error: 'threads: too many' },
      processes: { desired: 4, ready: 1, busy: 0, starting: 1, draining: 0 },
      deaths: [death],
    });
    cluster.settle();
    expect(cluster.webApp.status?.problems).toMatchObject([
      { type: 'Crashing', field: 'spec.app', message: expect.stringContaining('ImportError: x') },
      { type: 'ConfigRefused', field: 'spec.workers', message: expect.stringContaining('threads: too many') },
    ]);
    expect(conditions(cluster.webApp.status)).toMatchObject({ Ready: 'True/Serving', ConfigApplied: 'False/Refused' });
    cluster.tells = () => ({ deaths: [death] });
    cluster.settle();
    expect(cluster.webApp.status?.problems).toBeUndefined();
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
