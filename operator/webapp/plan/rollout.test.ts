// New versions: taken up, kept, given up, gone back to.
import { describe, expect, test } from 'vitest';
import { RESTARTED_AT_ANNOTATION } from '../../../core/app/schema.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Pod } from '../observed.ts';
import { parseRevision, type Revision, revisionData } from '../revision.ts';
import { FakeCluster } from './testing/fake-cluster.ts';
import { pulling } from './testing/played-pods.ts';
import { conditions, deployed, IMAGE, progress, said, steady, template } from './testing/scenario.ts';

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

  test('that nobody has seen ready is not the last good one', () => {
    const cluster = steady();
    const good = deployed(cluster);
    cluster.edit({ image: IMAGE('2'), suspend: true });
    cluster.settle();
    expect(cluster.webApp.status).toMatchObject({ revision: deployed(cluster), lastGoodRevision: good });
  });

  test('an evicted pod, which stays for people to look at, is no problem, holds no version and is told nothing', () => {
    const rollout = { keepRevisions: 1 };
    const cluster = steady({ rollout });
    const old = deployed(cluster) ?? '';
    const [pod] = cluster.pods.filter(({ component }) => component === 'worker');
    const evicted = {
      ...pod,
      metadata: { name: 'evicted', namespace: 'web', uid: 'evicted' },
      phase: 'Failed',
      ready: false,
    };
    cluster.edit({ rollout, workers: { processes: 9 } });
    cluster.settle();
    cluster.evicted = [{ ...evicted, containers: [pulling('app')] } as Pod];
    expect(cluster.plan()).toEqual({ changes: [], status: cluster.webApp.status, events: [] });
    for (const tag of ['2', '3']) {
      cluster.edit({ rollout, image: IMAGE(tag) });
      cluster.settle();
    }
    expect(cluster.names('ConfigMap')).not.toContain(`shop-worker-${old}`);
  });

  test('a restart by annotation is a version of its own', () => {
    const cluster = steady();
    const before = deployed(cluster);
    cluster.edit({}, { [RESTARTED_AT_ANNOTATION]: 'today' });
    cluster.settle();
    expect(deployed(cluster)).not.toBe(before);
    expect(cluster.webApp.status?.state).toBe('Serving');
  });

  test('a restart is done once: the annotation taken away replaces no pod, and another one does', () => {
    const cluster = steady();
    cluster.edit({}, { [RESTARTED_AT_ANNOTATION]: 'today' });
    cluster.settle();
    const [restarted, pods] = [deployed(cluster), cluster.pods];
    for (const annotations of [{}, { [RESTARTED_AT_ANNOTATION]: '' }]) {
      cluster.edit({}, annotations);
      expect(cluster.settle().flatMap(({ changes }) => changes)).toEqual([]);
    }
    expect(cluster.pods).toEqual(pods);
    cluster.edit({}, { [RESTARTED_AT_ANNOTATION]: 'tomorrow' });
    cluster.settle();
    expect(deployed(cluster)).not.toBe(restarted);
    expect(cluster.pods.filter(({ metadata }) => pods.some((old) => old.metadata.uid === metadata.uid))).toEqual([]);
  });

  test('a restart may be asked for with anything: what is told on is short', () => {
    const cluster = steady();
    cluster.edit({}, { [RESTARTED_AT_ANNOTATION]: '😀'.repeat(100_000) });
    cluster.settle();
    expect(template(cluster)).toMatchObject({
      metadata: { annotations: { [RESTARTED_AT_ANNOTATION]: '😀'.repeat(64) } },
    });
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
