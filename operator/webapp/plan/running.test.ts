// What changes while a version stays: files in place, numbers, and what the workers tell.
import { describe, expect, test } from 'vitest';
import type { Plan } from '../changes.ts';
import { ANNOTATION } from '../names.ts';
import { conditions, deployed, list, progress, replicas, said, steady, template } from './testing/scenario.ts';

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

describe('replicas', () => {
  test('a new number scales, and says so', () => {
    const cluster = steady();
    cluster.edit({ replicas: 5 });
    const plans = cluster.settle();
    expect(progress(plans[0] as Plan)).toBe('True/Scaling');
    expect(said(plans)).toEqual(['Scaled']);
    expect(cluster.webApp.status).toMatchObject({ state: 'Serving', replicas: 5, pods: { summary: '5/5' } });
  });

  test('pods that are all there when they are first looked at do not become more: nothing would tell of it again', () => {
    const cluster = steady();
    cluster.edit({ replicas: 5 });
    cluster.pass();
    while (cluster.step());
    const plan = cluster.pass();
    expect(progress(plan)).toBe('False/Complete');
    expect(said([plan])).toEqual(['Scaled']);
    expect(cluster.webApp.status).toMatchObject({ state: 'Serving', pods: { summary: '5/5' } });
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

  test('counts for proxies too: one that refuses its document is a problem', () => {
    const cluster = steady();
    cluster.tells = () => ({});
    cluster.proxiesTell = () => ({});
    cluster.settle();
    expect(conditions(cluster.webApp.status)['ConfigApplied']).toBe('True/Applied');
    cluster.proxiesTell = () => ({ hash: 'old' });
    cluster.settle();
    expect(conditions(cluster.webApp.status)['ConfigApplied']).toBe('False/Applying');
    cluster.proxiesTell = () => ({ hash: 'old', error: 'limits.body: too large' });
    cluster.settle();
    expect(conditions(cluster.webApp.status)['ConfigApplied']).toBe('False/Refused');
    expect(cluster.webApp.status?.problems).toMatchObject([
      {
        type: 'ConfigRefused',
        field: 'spec.proxy',
        message: expect.stringContaining('It is a proxy: limits.body: too large'),
      },
    ]);
  });

  test('is waited for: a pod that does not follow is told again when it is time', () => {
    const cluster = steady();
    cluster.tells = () => ({});
    cluster.settle();
    const behind = cluster.configHash(deployed(cluster) ?? '');
    cluster.tells = () => ({ config: { hash: behind, appliedAt: 0 } });
    cluster.edit({ workers: { processes: 7 } });
    const { requeueAfterMs } = cluster.pass();
    expect(requeueAfterMs).toBe(5_000);
    cluster.settle();
    cluster.wall += 5_000;
    expect(list(cluster.plan().changes)).toEqual([
      expect.stringContaining('refresh shop-worker-'),
      expect.stringContaining('refresh shop-worker-'),
    ]);
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
    cluster.tells = undefined;
    const { changes, status, events } = cluster.plan();
    expect({ changes, status, events }).toEqual({ changes: [], status: cluster.webApp.status, events: [] });
    cluster.tells = () => ({ deaths: [death] });
    cluster.settle();
    expect(cluster.webApp.status?.problems).toBeUndefined();
  });
});
