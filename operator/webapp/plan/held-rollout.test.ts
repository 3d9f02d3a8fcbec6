// What a new version waits for.
import { describe, expect, test } from 'vitest';
import type { Plan } from '../changes.ts';
import { ANNOTATION } from '../names.ts';
import { FakeCluster } from './testing/fake-cluster.ts';
import { conditions, deployed, IMAGE, list, progress, said, steady, template } from './testing/scenario.ts';

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
    const cluster = new FakeCluster({ proxy });
    expect(said(cluster.settle())).toEqual(['RolloutStarted', 'Serving', 'RolloutComplete']);
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

  test('wait for proxies without them to be gone, and not for one whose time to leave is over', () => {
    const cluster = steady({ proxy });
    const [old] = cluster.pods.filter(({ component }) => component === 'proxy');
    if (old === undefined) throw new Error('no proxy');
    const deletionTimestamp = new Date(cluster.wall + 65_000).toISOString();
    cluster.evicted = [{ ...old, metadata: { ...old.metadata, name: 'leaving', uid: 'leaving', deletionTimestamp } }];
    cluster.edit({ proxy, image: IMAGE('2') });
    const plans = cluster.settle();
    expect(said(plans)).toEqual(['PreparingProxy']);
    expect(cluster.webApp.status).toMatchObject({ image: IMAGE('1') });
    expect(plans.at(-1)?.requeueAfterMs).toBeGreaterThan(0);
    cluster.wall += 65_000;
    expect(said(cluster.settle())).toEqual(['RolloutStarted', 'RolloutComplete']);
    expect(cluster.webApp.status).toMatchObject({ image: IMAGE('2') });
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

  test('of the version that runs already hold nothing back: a rollout of the proxy alone is its own', () => {
    const cluster = steady({ proxy });
    cluster.edit({ proxy: { ...proxy, podTemplate: { metadata: { labels: { a: 'b' } } } }, replicas: 3 });
    const plans = cluster.settle();
    expect(said(plans)).not.toContain('PreparingProxy');
    expect(list(plans[0]?.changes ?? [])).toContain('apply Deployment/shop-worker');
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
