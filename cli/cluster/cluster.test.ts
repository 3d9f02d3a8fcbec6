import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import type { PodPort, PodReader } from '../../kube/access/pod-reader.ts';
import { KubeError } from '../../kube/errors.ts';
import { type FakeApiServer, startFakeApiServer } from '../../kube/testing/fake-api-server.ts';
import { makeTransport, type Transport } from '../../kube/transport.ts';
import { makeWorker } from '../../live/testing/documents.ts';
import * as operatorKinds from '../../operator/webapp/kinds.ts';
import * as operatorNames from '../../operator/webapp/names.ts';
import { Failure } from '../failure.ts';
import type { LogLine } from '../show/place.ts';
import { statusLines } from '../show/status-text.ts';
import { makePaint } from '../terminal/paint.ts';
import { clusterFailure } from './cluster-failure.ts';
import { askable, ClusterPlace } from './cluster-place.ts';
import { ADMIN_PORT, EVENT, LABEL, POD, WEBAPP } from './kinds.ts';
import { timedLines } from './pod-logs.ts';
import { readEvents, readPod } from './pods.ts';
import { fareOf, readResource, UNSEEN } from './resource.ts';

const AT = Date.parse('2026-11-23T04:00:00Z');
const room = { width: Number.POSITIVE_INFINITY, paint: makePaint(false) };

test('kinds, labels and ports are the operator’s', () => {
  expect(WEBAPP).toEqual(operatorKinds.WEBAPP);
  expect(POD).toEqual(operatorKinds.POD);
  expect(operatorNames.LABEL).toMatchObject(LABEL);
  expect(ADMIN_PORT).toEqual({ worker: operatorNames.PORT.workerAdmin, proxy: operatorNames.PORT.proxyAdmin });
});

const pod = (name: string, component: string, more: object = {}, status: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'prod',
    creationTimestamp: '2026-11-23T03:59:00Z',
    labels: { [LABEL.webApp]: 'shop', [LABEL.component]: component, [LABEL.revision]: 'abc' },
    ...more,
  },
  spec: { nodeName: 'node-0' },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], ...status },
});

describe('a pod', () => {
  test.each<[string, object, string, boolean]>([
    ['that serves', pod('a', 'worker'), 'ready', true],
    ['that leaves', pod('a', 'worker', { deletionTimestamp: '2026-11-23T04:00:00Z' }), 'leaving', false],
    ['that is not ready', pod('a', 'worker', {}, { conditions: [] }), 'not ready', false],
    ['that no node has', pod('a', 'worker', {}, { phase: 'Pending', conditions: [] }), 'Pending', false],
    [
      'whose container waits',
      pod(
        'a',
        'worker',
        {},
        {
          conditions: [],
          containerStatuses: [{ restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
        },
      ),
      'CrashLoopBackOff',
      false,
    ],
  ])('%s', (_, raw, state, isReady) => {
    expect(readPod(raw, AT)).toMatchObject({ state, isReady, webApp: 'shop', ageMs: 60_000, node: 'node-0' });
  });

  test.each([[null], ['x'], [{}], [{ metadata: { name: 1 } }], [{ metadata: { name: 'a', labels: { x: 1 } } }]])(
    '%j is none of a WebApp',
    (raw) => expect(readPod(raw, AT)).toBeUndefined(),
  );

  test('with nonsense in what is not needed is shown all the same', () => {
    const raw = pod('a', 'worker', { creationTimestamp: 5 }, { phase: 7, conditions: 'x', containerStatuses: [1, {}] });
    expect(readPod({ ...raw, spec: null }, AT)).toMatchObject({
      name: 'a',
      state: 'Unknown',
      restarts: 0,
      ageMs: 0,
      node: '',
    });
  });
});

test('events: the latest first, by whichever time they have', () => {
  const events = readEvents(
    [
      { reason: 'Old', lastTimestamp: '2026-11-23T03:00:00Z', count: 3 },
      { reason: 'New', eventTime: '2026-11-23T03:59:59.5Z', lastTimestamp: null },
      {
        reason: 'Series',
        series: { count: 7, lastObservedTime: '2026-11-23T03:59:00Z' },
        eventTime: '2026-11-23T01:00:00Z',
      },
      'nonsense',
      null,
    ],
    AT,
  );
  expect(events.map(({ reason, agoMs, times }) => [reason, agoMs, times])).toEqual([
    ['New', 500, 1],
    ['Series', 60_000, 7],
    ['Old', 3_600_000, 3],
  ]);
});

describe('a resource', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'Serving', message: 'It serves.', lastTransitionTime: 'x' };
  const problem = { field: 'spec.image', type: 'ImagePull', message: 'no such image', mend: 'mend it' };

  test('of another version is read as far as it is understood', () => {
    const raw = {
      metadata: { name: 'shop', namespace: 'prod' },
      spec: { image: 5, workers: { processes: {} } },
      status: { url: 7, queue: 2, conditions: [ready, { type: 'Strange' }], problems: [problem, 'x'], more: {} },
    };
    expect(readResource(raw)).toMatchObject({
      spec: { image: '', workers: { processes: 'auto' } },
      status: { queue: 2, conditions: [ready], problems: [problem] },
    });
    expect(readResource(raw)?.status.url).toBeUndefined();
    expect(readResource({ metadata: {} })).toBeUndefined();
    expect(readResource({ metadata: { name: 'a' }, spec: null, status: 'x' })).toMatchObject({
      wholeSpec: {},
      status: {},
    });
  });

  test.each([
    ['not looked at', {}, 'unknown', UNSEEN],
    ['that serves', { conditions: [ready] }, 'good', 'It serves.'],
    ['that serves with a problem', { conditions: [ready], problems: [problem] }, 'warning', 'no such image'],
    ['that does not', { conditions: [{ ...ready, status: 'False' }], problems: [problem] }, 'bad', 'no such image'],
    [
      'that is to be off',
      { conditions: [{ ...ready, status: 'False', reason: 'Suspended' }] },
      'unknown',
      'It serves.',
    ],
  ])('%s fares as the operator tells', (_, status, tone, text) => {
    const { status: read = {} } = readResource({ metadata: { name: 'shop' }, spec: {}, status }) ?? {};
    expect(fareOf(read)).toMatchObject({ tone, text });
  });
});

test.each([
  [[], 0],
  [[1, 2, 3], 3],
  [[40, 8, 1], 2],
  [[500, 1], 1],
])('of WebApps with %j pods the first %d are asked', (pods, wanted) => {
  expect(askable(pods.map((length) => Array.from({ length })))).toBe(wanted);
});

test.each([
  [
    new KubeError('NETWORK', 'connect ECONNREFUSED'),
    /^the API server at https:\/\/x cannot be reached: connect/,
    /cluster-info/,
  ],
  [new KubeError('CREDENTIALS', 'kubeconfig x has no context y'), /^kubeconfig x has no context y$/, /--context/],
  [new KubeError('API', 'no', { status: 401 }), /does not accept who you are/, /log in/],
  [new KubeError('API', 'no \u001b[2J', { status: 403 }), /^you may not do this: no \\u001b\[2J$/, /right/],
])('%s is one sentence with its mend', (error, message, mend) => {
  const failure = clusterFailure(error, 'https://x');
  expect(failure).toMatchObject({
    code: 'CLUSTER',
    message: expect.stringMatching(message),
    mend: expect.stringMatching(mend),
  });
  const own = new Error('ours');
  expect(clusterFailure(own, '')).toBe(own);
});

test('lines of a log by their time; one without goes with the one before', () => {
  const text = '2026-11-23T03:00:00.1Z one\nrest\n2026-11-23T03:00:00.2Z\n';
  expect(
    timedLines(text, { name: 'p', component: 'proxy' }).map(({ time, line }) => [time, line.text, line.from]),
  ).toEqual([
    ['2026-11-23T03:00:00.1Z', 'one', 'proxy'],
    ['2026-11-23T03:00:00.1Z', 'rest', 'proxy'],
    ['2026-11-23T03:00:00.2Z', '', 'proxy'],
  ]);
});

describe('a cluster', () => {
  let server: FakeApiServer;
  let transport: Transport;
  let podReader: PodReader;
  let now: number;
  const clock: Clock = { now: () => now, wall: () => AT };
  const namespaced = (namespace: string | undefined) =>
    new ClusterPlace({ transport, podReader, namespace, server: 'https://x', clock });
  const webApp = (name: string, spec: object = {}, status: object = {}) => ({
    apiVersion: 'webapp-operator.io/v1alpha1',
    kind: 'WebApp',
    metadata: { name, namespace: 'prod' },
    spec: { image: 'shop:1', app: 'a:a', workers: { processes: 2, threads: 3 }, replicas: 2, ...spec },
    status,
  });
  const logPath = (name: string): string => `/api/v1/namespaces/prod/pods/${name}/log`;

  beforeEach(async () => {
    now = 0;
    server = await startFakeApiServer({ resources: [WEBAPP, POD, EVENT] });
    const log = makeLog(
      () => {},
      () => AT,
      'error',
    );
    transport = makeTransport({
      access: server.access(),
      log,
      clock: { now: () => performance.now(), wall: Date.now },
      userAgent: 'test',
    });
    podReader = {
      get: async () => {
        throw new KubeError('API', 'the fake forwards no port', { status: 404 });
      },
      close: () => {},
    };
    server.put(WEBAPP, webApp('shop'));
    // The fake knows no selector of their fields.
    const events = [{ reason: 'Strange', message: '\u001b[1A', lastTimestamp: '2026-11-23T03:59:00Z' }];
    server.serveText('/api/v1/namespaces/prod/events', JSON.stringify({ items: events }));
  });
  afterEach(async () => {
    transport.close();
    await server.close();
  });

  test('what pods and their programs tell is shown, hostile or not, and steers nothing', async () => {
    const evil = '/\u001b]0;pwned\u0007\u009b2J\u202e';
    const document = makeWorker({
      errors: [{ at: AT, id: 'id\u001b[31m', method: 'GET', path: evil, status: 500, ms: 3 }],
      deaths: [{ id: 1, pid: 9, at: AT, cause: 'exit', message: `died ${evil}`, traceback: `Traceback\n${evil}` }],
    });
    server.put(POD, pod('shop-1', 'worker'));
    server.serveText('/api/v1/namespaces/prod/pods/shop-1:9000/proxy/status', JSON.stringify(document));
    const sight = await namespaced('prod').sight('shop');
    const text = statusLines(sight, room).join('\n');
    expect(text).toContain('shop-1  worker  ready');
    expect(text).toContain('GET /\\u001b]0;pwned\\u0007\\u009b2J\\u202e');
    expect(text).toContain('Traceback');
    expect(text).toMatch(/Strange +\\u001b\[1A/);
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  test('programs are asked by port-forward; only where none can be opened by the pod proxy of the API server', async () => {
    const asked: unknown[] = [];
    const get = async (from: PodPort, path: string): Promise<unknown> => {
      asked.push({ ...from, path });
      return makeWorker();
    };
    podReader = { ...podReader, get };
    server.put(POD, pod('shop-1', 'worker'));
    const { picture } = await namespaced('prod').sight('shop');
    expect(asked[0]).toEqual({ namespace: 'prod', pod: 'shop-1', port: ADMIN_PORT.worker, path: '/status' });
    expect(picture.workers.map(({ state }) => state)).not.toContain('silent');
    expect(server.requests.filter(({ path }) => path.includes('/proxy/'))).toEqual([]);
  });

  test.each([
    ['one may not', new KubeError('API', 'forbidden', { status: 403 }), 'you may not get pods/portforward'],
    ['the pod refuses', new KubeError('NETWORK', 'connection refused'), 'connection refused'],
    ['there is no answer', new KubeError('TIMEOUT', 'no answer within 5000 ms'), 'no answer within'],
  ])('where %s, and the pod proxy does not answer either, the first reason is told', async (_, error, why) => {
    podReader = { ...podReader, get: () => Promise.reject(error) };
    server.put(POD, pod('shop-1', 'worker'));
    const { notes } = await namespaced('prod').list();
    expect(notes).toEqual([expect.stringContaining(why)]);
    const others = server.requests.filter(({ path }) => path.includes('/proxy/'));
    expect(others).toHaveLength(error.code === 'TIMEOUT' ? 0 : 1);
  });

  test('programs that answer nonsense are told of, and what the operator says is shown', async () => {
    server.put(WEBAPP, webApp('shop', {}, { workers: { desired: 4, ready: 3, summary: '3/4' } }));
    server.put(POD, pod('shop-1', 'worker'));
    server.serveText('/api/v1/namespaces/prod/pods/shop-1:9000/proxy/status', '{"kind":"Else"}');
    const { sights, notes } = await namespaced('prod').list();
    expect(notes).toEqual([expect.stringContaining('it answers with another document')]);
    expect(sights[0]?.picture.verdict.text).toBe(UNSEEN);
    expect(statusLines(sights[0] ?? expect.fail(), room).join('\n')).toContain(
      'The operator tells of 3/4 processes ready.',
    );
  });

  test('resize patches what is named and nothing else', async () => {
    const place = namespaced('prod');
    expect(await place.resize('shop', { processes: 8, replicas: undefined })).toMatch(
      /^shop: workers\.processes 2 → 8\. /,
    );
    expect(await place.resize('shop', { processes: undefined, replicas: 5 })).toMatch(/^shop: replicas 2 → 5\. /);
    expect(server.writes.map(({ contentType, body, query }) => [contentType, body, query['fieldManager']])).toEqual([
      ['application/merge-patch+json', { spec: { workers: { processes: 8 } } }, 'webapp'],
      ['application/merge-patch+json', { spec: { replicas: 5 } }, 'webapp'],
    ]);
    expect(server.get(WEBAPP, { namespace: 'prod', name: 'shop' })?.['spec']).toMatchObject({
      workers: { processes: 8, threads: 3 },
      replicas: 5,
    });
  });

  test('pods that an autoscaler sets are not set', async () => {
    server.put(WEBAPP, webApp('shop', { autoscaling: { maxReplicas: 9 } }));
    await expect(namespaced('prod').resize('shop', { processes: 3, replicas: 5 })).rejects.toMatchObject({
      code: 'REFUSED',
    });
    expect(server.writes).toEqual([]);
  });

  test('restart is an annotation with the time', async () => {
    await namespaced('prod').restart('shop');
    expect(server.writes.map(({ body }) => body)).toEqual([
      { metadata: { annotations: { 'webapp-operator.io/restartedAt': '2026-11-23T04:00:00.000Z' } } },
    ]);
  });

  test('logs of all pods in the order of their time, or of one kind', async () => {
    server.put(POD, pod('shop-1', 'worker'));
    server.put(POD, pod('shop-2', 'worker'));
    server.put(POD, pod('shop-p', 'proxy'));
    server.serveText(logPath('shop-1'), '2026-11-23T03:00:01Z one\n2026-11-23T03:00:04Z four\n');
    server.serveText(logPath('shop-2'), '2026-11-23T03:00:02Z two\n');
    server.serveText(logPath('shop-p'), '2026-11-23T03:00:03Z three\n');
    const read = async (from?: 'app' | 'proxy'): Promise<string[]> => {
      const lines: LogLine[] = [];
      const wanted = { tail: 7, sinceMs: 1_500, from, follow: false };
      await namespaced('prod').logs('shop', wanted, (line) => lines.push(line), new AbortController().signal);
      return lines.map(({ place, text }) => `${place} ${text}`);
    };
    expect(await read()).toEqual(['shop-1 one', 'shop-2 two', 'shop-p three', 'shop-1 four']);
    expect(await read('proxy')).toEqual(['shop-p three']);
    const asked = server.requests.find(({ path }) => path === logPath('shop-p'));
    expect(asked?.query).toMatchObject({ container: 'proxy', tailLines: '7', sinceSeconds: '2', timestamps: 'true' });
  });

  test('a name that is not there is answered with those that are; a cluster without the operator is told so', async () => {
    const unknown = namespaced('prod').sight('shopp');
    await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_NAME', mend: 'there are: shop' });
    server.unserve(WEBAPP);
    const failure = await namespaced(undefined)
      .list()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: 'CLUSTER', message: expect.stringContaining('is not installed') });
  });
});
