import { expect, it } from 'vitest';
import { renderProxyConfigMap, renderWorkerConfigMap } from './config-maps.ts';
import { proxyConfigOf } from './proxy-config.ts';
import { makeWorkerRevision } from './revisions.ts';
import { inputOf, liveWebApp } from './testing/samples.ts';
import { workerConfigOf } from './worker-config.ts';

it('ConfigMaps carry the documents as they are', () => {
  const webApp = liveWebApp();
  const workerConfig = workerConfigOf(inputOf(webApp));
  const revision = makeWorkerRevision(inputOf(webApp), { inputs: 'i', number: 1, configHash: 'c' });
  const map = renderWorkerConfigMap(webApp, revision, workerConfig);
  expect(map.metadata).toMatchObject({
    name: `shop-worker-${revision.id}`,
    labels: { 'webapp-operator.io/revision': revision.id, 'app.kubernetes.io/component': 'worker' },
  });
  expect(map['data']).toEqual({ 'worker.json': JSON.stringify(workerConfig) });
  const config = proxyConfigOf(inputOf(webApp), []);
  expect(renderProxyConfigMap(webApp, config)).toMatchObject({
    metadata: { name: 'shop-proxy' },
    data: { 'proxy.json': JSON.stringify(config) },
  });
});
