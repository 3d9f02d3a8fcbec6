import { describe, expect, test } from 'vitest';
import { keepPod, writeTold } from './pod.ts';

const raw = (status: object = {}, metadata: object = {}): unknown => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'shop-worker-1',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '7',
    labels: {
      'app.kubernetes.io/component': 'proxy',
      'webapp-operator.io/webapp': 'shop',
      'webapp-operator.io/revision': 'abc',
    },
    annotations: { 'webapp-operator.io/config': 'h', big: 'x'.repeat(10_000) },
    ...metadata,
  },
  spec: { containers: [{ name: 'app', env: [{ name: 'SECRET', value: 'x'.repeat(10_000) }] }] },
  status,
});

test('a ready pod is a few hundred bytes', () => {
  const pod = keepPod(
    raw({
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'app', ready: true, restartCount: 2, state: { running: {} } }],
    }),
  );
  expect(pod).toEqual({
    metadata: { name: 'shop-worker-1', namespace: 'shop', uid: 'u', resourceVersion: '7' },
    webApp: 'shop',
    component: 'proxy',
    revision: 'abc',
    told: { hash: 'h', times: 0, at: 0 },
    phase: 'Running',
    ip: '10.0.0.1',
    ready: true,
    containers: [{ name: 'app', init: false, ready: true, restarts: 2 }],
  });
  expect(JSON.stringify(pod).length).toBeLessThan(400);
});

test.each([
  ['3@2026-11-22T12:00:05.000Z', { times: 3, at: Date.parse('2026-11-22T12:00:05Z') }],
  ['', { times: 0, at: 0 }],
  ['0@2026-11-22T12:00:05.000Z', { times: 0, at: 0 }],
  ['1e9@2026-11-22T12:00:05.000Z', { times: 0, at: 0 }],
  ['3@yesterday, or so, at noon', { times: 0, at: 0 }],
])('what its kubelet was told is read from %j, and what is not so written is not believed', (when, expected) => {
  const annotations = { 'webapp-operator.io/config': 'h', 'webapp-operator.io/config-told': when };
  const { told } = keepPod(raw({}, { annotations }));
  expect(told).toEqual({ hash: 'h', ...expected });
  if (told && told.times > 0) expect(writeTold(told)).toBe(when);
});

describe('what is wrong is kept', () => {
  test('a container that waits, with how its predecessor ended', () => {
    const { containers } = keepPod(
      raw({
        initContainerStatuses: [
          { name: 'static', state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } },
        ],
        containerStatuses: [
          {
            name: 'app',
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { reason: 'Error', exitCode: 3, message: 'boom' } },
          },
        ],
      }),
    );
    expect(containers).toEqual([
      {
        name: 'static',
        init: true,
        ready: false,
        restarts: 0,
        waiting: { reason: 'ImagePullBackOff', message: 'not found' },
      },
      {
        name: 'app',
        init: false,
        ready: false,
        restarts: 0,
        waiting: { reason: 'CrashLoopBackOff' },
        terminated: { reason: 'Error', exitCode: 3, message: 'boom' },
      },
    ]);
  });

  test('no node for it', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }];
    expect(keepPod(raw({ conditions })).unschedulable).toBe('0/3 nodes');
  });

  test('the end of a long last message, not its beginning', () => {
    const terminated = { reason: 'Error', exitCode: 1, message: `${'x'.repeat(5_000)}the end` };
    const message = keepPod(raw({ containerStatuses: [{ name: 'app', state: { terminated } }] })).containers[0]
      ?.terminated?.message;
    expect(message).toMatch(/^…x+the end$/);
    expect(message?.length).toBe(2_049);
  });
});

test('a pod with nothing in it is not ready and harms nobody', () => {
  const { metadata, ...pod } = keepPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', deletionTimestamp: 't' },
  });
  expect(metadata).toEqual({ name: 'p', namespace: '', uid: '', deletionTimestamp: 't' });
  expect(pod).toEqual({
    webApp: '',
    component: 'worker',
    revision: '',
    phase: 'Unknown',
    ready: false,
    containers: [],
  });
});
