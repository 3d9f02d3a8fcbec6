import { describe, expect, it } from 'vitest';
import {
  proxyConfigOf,
  renderProxyConfigMap,
  renderWorkerConfigMap,
  workerConfigFor,
  workerConfigOf,
} from './configs.ts';
import { makeWorkerRevision } from './revisions.ts';
import { staticVersionOf } from './statics.ts';
import { inputOf, liveWebApp } from './testing/samples.ts';

const MI = 2 ** 20;
const worker = (spec: object = {}) => workerConfigOf(inputOf(liveWebApp(spec)));
const memory = (limit: string) => ({ resources: { limits: { memory: limit } } });
const NODE = { app: 'server.js' };

describe('processes: auto', () => {
  it.each([
    [{}, 2],
    [{ limits: { cpu: 4 } }, 4],
    [{ limits: { cpu: '2500m' } }, 3],
    [{ limits: { cpu: '100m' } }, 2],
    [{ requests: { cpu: 3 } }, 3],
    [{ requests: { cpu: 1 }, limits: { cpu: 8 } }, 8],
    [{ limits: { cpu: 100_000 } }, 256],
  ])('%j: %i', (resources, processes) => {
    expect(worker({ resources }).processes).toBe(processes);
  });

  it('a number stays', () => {
    expect(worker({ workers: { processes: 1 }, resources: { limits: { cpu: 4 } } }).processes).toBe(1);
  });
});

describe('memory', () => {
  it.each([
    ['no limit, no bound', {}, undefined],
    ['an equal share of the limit', memory('512Mi'), 224 * MI],
    ['more processes, less each', { ...memory('512Mi'), workers: { processes: 4 } }, 112 * MI],
    ['the person’s word', { ...memory('512Mi'), workers: { maxMemory: '1Gi' } }, 1024 * MI],
    ['too little to share', memory('128Mi'), undefined],
    ['shared pages are not reckoned twice', { ...memory('512Mi'), workers: { preload: true } }, undefined],
  ])('%s', (_, spec, bytes) => {
    expect(worker(spec).maxMemoryBytes).toBe(bytes);
  });
});

describe('NODE_OPTIONS', () => {
  const own = (value: string) => ({ env: [{ name: 'NODE_OPTIONS', value }] });
  const hidden = { env: [{ name: 'NODE_OPTIONS', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }] };
  it.each([
    [
      'a heap of three quarters of the share',
      { ...NODE, ...memory('512Mi') },
      { NODE_OPTIONS: '--max-old-space-size=168' },
    ],
    [
      'follows the processes',
      { ...NODE, ...memory('512Mi'), workers: { processes: 4 } },
      { NODE_OPTIONS: '--max-old-space-size=84' },
    ],
    ['without a limit: Node’s own', NODE, {}],
    ['Python has none', memory('512Mi'), {}],
    [
      'the person’s are kept',
      { ...NODE, ...memory('512Mi'), ...own('--import tracer') },
      { NODE_OPTIONS: '--import tracer --max-old-space-size=168' },
    ],
    ['the person’s heap stands', { ...NODE, ...memory('512Mi'), ...own('--max-old-space-size=50') }, {}],
    ['what we cannot see stands', { ...NODE, ...memory('512Mi'), ...hidden }, {}],
    ['what may be in a Secret stands', { ...NODE, ...memory('512Mi'), envFrom: [{ secretRef: { name: 'a' } }] }, {}],
  ])('%s', (_, spec, env) => {
    expect(worker(spec).env).toEqual(env);
  });

  it('other variables are the pod’s: they do not change in place', () => {
    expect(worker({ env: [{ name: 'A', value: '1' }] }).env).toEqual({});
  });
});

describe('what belongs to a version', () => {
  const made = { inputs: 'i', number: 1, configHash: 'c' };
  const old = makeWorkerRevision(inputOf(liveWebApp()), made);

  it('changes nothing in the document of its own spec', () => {
    expect(workerConfigFor(worker(), old)).toEqual(worker());
  });

  it('app and runtime are the version’s, the rest is the spec’s', () => {
    const now = worker({ app: 'other:app', workers: { timeout: '5s' } });
    expect(workerConfigFor(now, old)).toEqual({ ...now, app: 'shop:app', hash: expect.not.stringMatching(now.hash) });
  });

  it('threads that nobody chose are those of its runtime', () => {
    expect(workerConfigFor(worker(NODE), old)).toMatchObject({ runtime: 'wsgi', threads: 1 });
    expect(workerConfigFor(worker({ ...NODE, workers: { threads: 7 } }), old)).toMatchObject({ threads: 7 });
  });

  it('hostile data of a revision is not believed', () => {
    const hostile = { ...old, config: { app: 5, runtime: 'ruby', queue: 'x' } };
    expect(workerConfigFor(worker(), hostile)).toEqual(worker());
  });
});

describe('proxy.json', () => {
  const spec = { proxy: { static: [{ path: '/s', from: 'static' }] } };

  it('finds the workers by their EndpointSlices', () => {
    expect(proxyConfigOf(inputOf(liveWebApp()), []).groups).toEqual([
      {
        name: 'current',
        weight: 100,
        endpoints: [],
        discover: { namespace: 'web', service: 'shop-workers', port: 'http' },
      },
    ]);
  });

  it('serves the versions in the order given, or that of the image', () => {
    const input = inputOf(liveWebApp(spec));
    const folder = (image: string) => `/srv/static/${staticVersionOf(image).key}/static`;
    const foldersFor = (images: string[]) => proxyConfigOf(input, images.map(staticVersionOf)).static[0]?.directories;
    expect(foldersFor(['b', 'a'])).toEqual([folder('b'), folder('a')]);
    expect(foldersFor([])).toEqual([folder('registry.example.com/shop:1')]);
  });

  it('is a maintenance page while suspended', () => {
    expect(proxyConfigOf(inputOf(liveWebApp({ suspend: true })), []).maintenance).toBeDefined();
    expect(proxyConfigOf(inputOf(liveWebApp()), []).maintenance).toBeUndefined();
  });
});

it('ConfigMaps carry the documents as they are', () => {
  const webApp = liveWebApp();
  const revision = makeWorkerRevision(inputOf(webApp), { inputs: 'i', number: 1, configHash: 'c' });
  const map = renderWorkerConfigMap(webApp, revision, worker());
  expect(map.metadata).toMatchObject({
    name: `shop-worker-${revision.id}`,
    labels: { 'webapp-operator.io/revision': revision.id, 'app.kubernetes.io/component': 'worker' },
  });
  expect(map['data']).toEqual({ 'worker.json': JSON.stringify(worker()) });
  const config = proxyConfigOf(inputOf(webApp), []);
  expect(renderProxyConfigMap(webApp, config)).toMatchObject({
    metadata: { name: 'shop-proxy' },
    data: { 'proxy.json': JSON.stringify(config) },
  });
});
