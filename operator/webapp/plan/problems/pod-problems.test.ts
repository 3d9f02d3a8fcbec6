import { expect, test } from 'vitest';
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import type { Component } from '../../names.ts';
import type { ContainerState, Pod } from '../../observed.ts';
import { podProblems } from './pod-problems.ts';

const IMAGE = 'registry.example.com/shop:2';
const container = (state: Partial<ContainerState>): ContainerState => ({
  name: 'app',
  init: false,
  ready: false,
  restarts: 0,
  ...state,
});
const pod = (of: Partial<Pod>, component: Component = 'worker', name = 'shop-worker-1'): Pod => ({
  metadata: { name, namespace: 'web', uid: name },
  webApp: 'shop',
  component,
  revision: 'r',
  phase: 'Pending',
  ready: false,
  containers: [],
  ...of,
});
const waiting = (reason: string, message?: string): Partial<ContainerState> => ({
  waiting: { reason, ...(message !== undefined && { message }) },
});
const find = (pods: readonly Pod[], before: readonly StatusProblem[] = []) => podProblems(pods, before, () => IMAGE);
const ended = (exitCode: number, message = '', reason = 'Error'): Partial<ContainerState> => ({
  terminated: { reason, exitCode, message },
});
const BACK_OFF = waiting('CrashLoopBackOff', 'back-off 40s restarting failed container');

test.each<[string, Component, Partial<Pod> | Partial<ContainerState>, object]>([
  [
    'an image that is not there',
    'worker',
    waiting('ImagePullBackOff', `Back-off pulling image "${IMAGE}": ErrImagePull: manifest unknown`),
    {
      type: 'ImagePull',
      field: 'spec.image',
      message: `The application: image ${IMAGE} cannot be pulled: manifest unknown`,
      mend: 'push the image, or correct its name and tag',
    },
  ],
  [
    'an image that asks for a password',
    'worker',
    waiting('ImagePullBackOff', `Back-off pulling image "${IMAGE}": ErrImagePull: 401 Unauthorized`),
    { type: 'ImagePull', mend: expect.stringContaining('spec.imagePullSecrets') },
  ],
  [
    'a name that is none',
    'worker',
    waiting('InvalidImageName', "couldn't parse image name"),
    { type: 'ImagePull', field: 'spec.image', mend: expect.stringContaining('write an image such as') },
  ],
  ['an image that may not be pulled', 'worker', waiting('ErrImageNeverPull', 'x'), { type: 'ImagePull' }],
  [
    'the proxy’s own image',
    'proxy',
    { name: 'proxy', ...waiting('ImagePullBackOff', 'Back-off pulling image "proxy:9"') },
    { type: 'ImagePull', mend: expect.stringContaining('--proxy-image') },
  ],
  [
    'static files of an image that is gone',
    'proxy',
    {
      name: 'static-0123456789',
      init: true,
      ...waiting('ImagePullBackOff', 'Back-off pulling image "shop:1": not found'),
    },
    {
      type: 'ImagePull',
      field: 'spec.image',
      message: expect.stringContaining('shop:1'),
      mend: expect.stringContaining('keepRevisions: 0'),
    },
  ],
  [
    'a folder of static files that is not in the image',
    'proxy',
    { name: 'static-0123456789', init: true, restarts: 3, ...BACK_OFF, ...ended(1, 'no such folder: static') },
    { type: 'Crashing', field: 'spec.proxy.static', message: expect.stringContaining('no such folder: static') },
  ],
  [
    'a container of the person’s own',
    'worker',
    { name: 'cache', ...waiting('ImagePullBackOff', 'Back-off pulling image "redis:0": not found') },
    { type: 'ImagePull', field: 'spec.podTemplate', message: expect.stringContaining('redis:0') },
  ],
  [
    'a boot error, in the words of our log',
    'worker',
    {
      ...BACK_OFF,
      restarts: 4,
      ...ended(
        3,
        `x\n${JSON.stringify({ level: 'error', msg: 'm', code: 'BOOT_FAILED', reason: 'no module', mend: 'install it', traceback: 'Traceback\n  ImportError: flask' })}`,
      ),
    },
    {
      type: 'Crashing',
      field: 'spec.app',
      message: 'The application ends with exit code 3:\nno module\nTraceback\n  ImportError: flask',
      mend: 'install it',
    },
  ],
  [
    'a crash between two of its ends, while it runs',
    'worker',
    { restarts: 5, ...ended(139) },
    { type: 'Crashing', message: expect.stringContaining('signal 11') },
  ],
  [
    'memory',
    'worker',
    { ...BACK_OFF, restarts: 2, ...ended(137, '', 'OOMKilled') },
    {
      type: 'Crashing',
      field: 'spec.resources.limits.memory',
      message: 'The application was killed because it used more memory than its limit.',
      mend: 'raise it, or lower spec.workers.processes',
    },
  ],
  [
    'a command that is not in the image',
    'worker',
    {
      ...BACK_OFF,
      restarts: 3,
      ...ended(128, 'exec: "webapp-worker": executable file not found in $PATH', 'StartError'),
    },
    { type: 'Crashing', message: expect.stringContaining('cannot be started:\nexec: "webapp-worker"') },
  ],
  [
    'a key that is not in its Secret',
    'worker',
    waiting('CreateContainerConfigError', "couldn't find key URL in Secret web/keys"),
    { type: 'ReferenceMissing', field: 'spec.env', mend: 'add the key URL to Secret keys' },
  ],
  [
    'an image that runs as root',
    'worker',
    waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'),
    { type: 'PodsRefused', field: 'spec.image', mend: expect.stringContaining('USER') },
  ],
  [
    'no room on any node',
    'worker',
    { unschedulable: '0/3 nodes are available: 3 Insufficient cpu.' },
    { type: 'Unschedulable', field: 'spec.resources', mend: 'add nodes, or ask for less in resources.requests' },
  ],
  [
    'no node that fits',
    'proxy',
    { unschedulable: "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector." },
    { type: 'Unschedulable', field: 'spec.proxy.podTemplate' },
  ],
  [
    'a claim that is not bound',
    'worker',
    { unschedulable: '0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.' },
    { type: 'Unschedulable', field: 'spec.volumes' },
  ],
])('%s is told with field and mend', (_name, component, state, wanted) => {
  const one = 'unschedulable' in state ? pod(state, component) : pod({ containers: [container(state)] }, component);
  expect(find([one])).toEqual([expect.objectContaining(wanted)]);
});

test.each<[string, Partial<ContainerState>]>([
  ['a container that is being made', waiting('ContainerCreating')],
  ['a first try to pull', waiting('ErrImagePull', 'not found')],
  ['one end', ended(1)],
  ['one restart', { restarts: 1, ...ended(1) }],
  ['one that came back and is ready', { ready: true, restarts: 9, ...ended(1) }],
  ['an init container that is done', { init: true, ready: true, ...ended(0, '', 'Completed') }],
])('%s is none', (_name, state) => {
  expect(find([pod({ containers: [container(state)] })])).toEqual([]);
});

test('a further try to pull does not take the problem back, nor change its words', () => {
  const told = (reason: string, message: string) =>
    find(
      [pod({ containers: [container(waiting(reason, message))] })],
      [{ type: 'ImagePull', field: 'spec.image', message: '', mend: '' }],
    );
  expect(told('ErrImagePull', 'not found')).toEqual(
    told('ImagePullBackOff', `Back-off pulling image "${IMAGE}": ErrImagePull: not found`),
  );
});

test('of pods with the same problem the first speaks; another component is another problem', () => {
  const broken = { containers: [container(waiting('ImagePullBackOff', 'not found'))] };
  const pods = ['a', 'b', 'c'].map((name) => pod(broken, 'worker', name));
  expect(find([...pods, pod(broken, 'migrate', 'd')])).toHaveLength(2);
});
