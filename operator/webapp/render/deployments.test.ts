import { expect, it } from 'vitest';
import { renderProxyDeployment, renderWorkerDeployment } from './deployments.ts';
import { makeProxyRevision, makeWorkerRevision } from './revisions.ts';
import { EVERY_FIELD, inputOf, liveWebApp } from './testing/samples.ts';

const webApp = liveWebApp(EVERY_FIELD);
const made = { inputs: 'i', number: 1, configHash: 'c' };
const worker = makeWorkerRevision(inputOf(webApp), made);
const proxy = makeProxyRevision(inputOf(webApp), [], made);

it('the worker’s', () => {
  const deployment = renderWorkerDeployment(webApp, worker, { replicas: 3, migrated: 'key' });
  expect(deployment.metadata).toMatchObject({
    name: 'shop-worker',
    annotations: { 'webapp-operator.io/replicas-by': 'operator', 'webapp-operator.io/migrated': 'key' },
  });
  expect(deployment['spec']).toEqual({
    replicas: 3,
    selector: {
      matchLabels: {
        'app.kubernetes.io/name': 'shop',
        'app.kubernetes.io/component': 'worker',
        'app.kubernetes.io/managed-by': 'webapp-operator',
      },
    },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } },
    progressDeadlineSeconds: 300,
    revisionHistoryLimit: 5,
    template: worker.template,
  });
});

it('replicas of none are none, those of an autoscaler are not said', () => {
  const none = renderWorkerDeployment(webApp, worker, { replicas: 0, migrated: undefined });
  expect(none['spec']).toMatchObject({ replicas: 0 });
  expect(none.metadata.annotations).toEqual({ 'webapp-operator.io/replicas-by': 'operator' });
  const scaled = renderWorkerDeployment(webApp, worker, { replicas: undefined, migrated: undefined });
  expect(scaled['spec']).not.toHaveProperty('replicas');
  expect(scaled.metadata.annotations).toEqual({ 'webapp-operator.io/replicas-by': 'autoscaler' });
});

it('the proxy’s, also while suspended: somebody must say so', () => {
  const suspended = liveWebApp({ ...EVERY_FIELD, suspend: true });
  expect(renderProxyDeployment(suspended, proxy)).toMatchObject({
    metadata: { name: 'shop-proxy' },
    spec: { replicas: 3, template: proxy.template },
  });
});

it('a deadline below a second is one', () => {
  const hurried = liveWebApp({ rollout: { progressDeadline: '500ms' } });
  const { spec } = renderWorkerDeployment(hurried, worker, { replicas: 1, migrated: undefined });
  expect(spec).toMatchObject({ progressDeadlineSeconds: 1 });
});
