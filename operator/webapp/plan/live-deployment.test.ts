import { expect, test } from 'vitest';
import type { KubeObject } from '../../../kube/object.ts';
import { ANNOTATION } from '../names.ts';
import { isLate, isRolledOut, readDeployment, writeMigrated } from './live-deployment.ts';

const deployment = (status: object, generation = 2, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop-worker', generation, annotations },
  spec: { replicas: 3 },
  status,
});
const progressing = (reason: string) => ({ conditions: [{ type: 'Progressing', status: 'True', reason }] });
const WHOLE = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
const DONE = progressing('NewReplicaSetAvailable');

test.each([
  ['whole', { ...WHOLE, ...DONE }, true],
  ['a pod that crashes later', { ...WHOLE, ...DONE, readyReplicas: 2, availableReplicas: 2 }, true],
  ['being scaled up', { ...WHOLE, ...DONE, replicas: 2, updatedReplicas: 2 }, true],
  ['old pods are left', { ...WHOLE, ...DONE, replicas: 4 }, false],
  ['the counts are of an earlier spec', { ...WHOLE, ...DONE, observedGeneration: 1 }, false],
  ['never whole yet', { ...WHOLE, ...progressing('ReplicaSetUpdated') }, false],
  ['nothing told yet', {}, false],
])('rolled out: %s', (_name, status, wanted) => {
  const live = readDeployment(deployment(status));
  expect(live && isRolledOut(live)).toBe(wanted);
});

test('late is told of the present spec only', () => {
  const late = { ...WHOLE, ...progressing('ProgressDeadlineExceeded') };
  const is = (status: object) => {
    const live = readDeployment(deployment(status));
    return live && isLate(live);
  };
  expect([is(late), is({ ...late, observedGeneration: 1 }), is({ ...WHOLE, ...DONE })]).toEqual([true, false, false]);
});

test.each([
  [undefined, 'aa', 'aa'],
  ['aa', 'bb', 'bb,aa'],
  ['bb,aa', 'aa', 'bb,aa'],
  ['bb,aa', undefined, 'bb,aa'],
  [undefined, undefined, undefined],
  ['not hex, at all,', 'aa', 'aa'],
  [
    Array.from({ length: 40 }, (_, index) => `a${index}`).join(','),
    'ff',
    ['ff', ...Array.from({ length: 19 }, (_, index) => `a${index}`)].join(','),
  ],
])('migrations done %s and %s', (annotation, key, wanted) => {
  const annotations = annotation === undefined ? {} : { [ANNOTATION.migrated]: annotation };
  expect(writeMigrated(readDeployment(deployment({}, 1, annotations))?.migrated ?? [], key)).toBe(wanted);
});

test('a Deployment of odd shape is read without a fall', () => {
  const odd = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'x' },
    spec: [],
    status: { conditions: {} },
  };
  expect(readDeployment(odd)).toMatchObject({ desired: 1, revision: '', observed: false, total: 0 });
});
