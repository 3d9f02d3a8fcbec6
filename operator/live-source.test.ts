import { expect, test } from 'vitest';
import type { KubeObject } from '../kube/object.ts';
import { makeLiveSource } from './live-source.ts';
import type { Pod } from './webapp/observed.ts';

const shop: KubeObject = {
  apiVersion: 'webapp-operator.io/v1alpha1',
  kind: 'WebApp',
  metadata: { namespace: 'web', name: 'shop' },
  spec: { image: 'shop:1', app: 'shop:app', env: [{ name: 'KEY', value: 'secret' }] },
};

function pod(name: string, more: Partial<Pod> = {}): Pod {
  return {
    metadata: { namespace: 'web', name, uid: name },
    webApp: 'shop',
    component: name.startsWith('p') ? 'proxy' : 'worker',
    revision: 'r1',
    phase: 'Running',
    ip: '10.0.0.1',
    ready: true,
    containers: [],
    ...more,
  };
}

function rig(pods: readonly Pod[], object: KubeObject = shop) {
  const asked: string[] = [];
  let now = 0;
  let most = 0;
  const ask = async ({ ip, port }: { ip: string; port: number }): Promise<never> => {
    asked.push(`${ip}:${port}`);
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    throw new Error('no answer within 2000 ms');
  };
  const caches = {
    *webAppKeys() {
      yield 'web/shop';
    },
    webApp: (key: string) => (key === 'web/shop' ? object : undefined),
    pods: () => [...pods],
  };
  const source = makeLiveSource({ caches, askWorker: ask, askProxy: ask });
  const read = (name = 'shop') => source.read({ namespace: 'web', name }, new AbortController().signal);
  return { source, read, asked, most: () => most };
}

test('nobody is asked for the list', () => {
  const { source, asked } = rig([pod('w1'), pod('p1')]);
  expect(source.list()).toEqual([
    { namespace: 'web', name: 'shop', tone: 'unknown', text: 'The operator has not looked at it yet.' },
  ]);
  expect(asked).toEqual([]);
});

test.each([
  [[], 'True', 'Serving', 'good', '2/2 processes ready.'],
  [[], 'False', 'NoReadyWorker', 'bad', 'as Ready says'],
  [[], 'False', 'Suspended', 'unknown', 'as Ready says'],
  [['the image cannot be pulled'], 'True', 'Serving', 'warning', 'the image cannot be pulled'],
  [['the image cannot be pulled'], 'False', 'NoReadyWorker', 'bad', 'the image cannot be pulled'],
] as const)('problems %j and Ready=%s (%s) are %s: %s', (problems, status, reason, tone, text) => {
  const { source } = rig([], {
    ...shop,
    status: {
      workers: { desired: 2, ready: 2, summary: '2/2' },
      conditions: [{ type: 'Ready', status, reason, message: 'as Ready says', lastTransitionTime: '' }],
      problems: problems.map((message) => ({ field: 'spec.image', type: 'ImagePull', message, mend: '' })),
    },
  });
  expect(source.list()).toMatchObject([{ tone, text }]);
});

test('each living pod is asked at its admin port; what does not answer is told with why', async () => {
  const { read, asked } = rig([
    pod('w1'),
    pod('p1', { ip: '10.0.0.2' }),
    { ...pod('w2', { phase: 'Pending' }), ip: undefined } as unknown as Pod,
    pod('w3', { phase: 'Failed' }),
    pod('job', { component: 'migrate' }),
  ]);
  expect(await read()).toMatchObject({
    workers: [
      { place: 'w1', why: 'no answer within 2000 ms' },
      { place: 'w2', why: 'the pod is Pending' },
    ],
    proxies: [{ place: 'p1' }],
    notAsked: 0,
  });
  expect(asked.toSorted()).toEqual(['10.0.0.1:9000', '10.0.0.2:9090']);
});

test('of a thousand pods some are asked, few at a time, and the others are counted', async () => {
  const { read, asked, most } = rig(Array.from({ length: 1_000 }, (_, i) => pod(`w${i}`)));
  expect((await read())?.notAsked).toBe(968);
  expect(asked).toHaveLength(32);
  expect(most()).toBe(16);
});

test('there is no WebApp of another name, and no value of its environment is shown', async () => {
  const { read } = rig([]);
  expect(await read('other')).toBeUndefined();
  const configuration = (await read())?.configuration;
  expect(configuration).toContain('KEY');
  expect(configuration).toContain('timeout: 30s');
  expect(configuration).not.toContain('secret');
});
