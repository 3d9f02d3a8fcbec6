import { expect, test } from 'vitest';
import type { Revision } from '../revision.ts';
import type { LiveDeployment } from './live-deployment.ts';
import { pickTarget } from './target.ts';
import type { Versions } from './versions.ts';

const version = (id: string): Revision => ({ id, component: 'worker' }) as Revision;
const versions: Versions = ['new', 'good', 'old'].map((id) => ({ revision: version(id), object: {} as never }));
const live = (revision: string, progressing: string, observed = true) =>
  ({ revision, progressing, observed }) as LiveDeployment;
const LATE = 'ProgressDeadlineExceeded';
const good = { lastGoodRevision: 'good' };

test.each([
  ['a rollout that goes on', live('new', 'ReplicaSetUpdated'), good, true, 'new', undefined],
  ['one that is late', live('new', LATE), good, true, 'good', 'new'],
  ['one that is late, as told of an earlier spec', live('new', LATE, false), good, true, 'new', undefined],
  ['one that is late, without autoRollback', live('new', LATE), good, false, 'new', undefined],
  ['one that is late, and nothing was ever whole', live('new', LATE), {}, true, 'new', undefined],
  [
    'one that is late, and the whole one is gone',
    live('new', LATE),
    { lastGoodRevision: 'gone' },
    true,
    'new',
    undefined,
  ],
  ['one that was whole once', live('new', LATE), { lastGoodRevision: 'new' }, true, 'new', undefined],
  ['after going back', live('good', 'NewReplicaSetAvailable'), { ...good, failedRevision: 'new' }, true, 'good', 'new'],
  ['the way back is late too', live('good', LATE), { ...good, failedRevision: 'new' }, true, 'good', 'new'],
  ['another version failed before', live('good', 'x'), { ...good, failedRevision: 'old' }, true, 'new', undefined],
  ['autoRollback was taken back', live('good', 'x'), { ...good, failedRevision: 'new' }, false, 'new', undefined],
] as const)('%s', (_name, deployment, before, autoRollback, target, failed) => {
  const picked = pickTarget(version('new'), deployment, versions, before, autoRollback);
  expect([picked.target?.id, picked.failed]).toEqual([target, failed]);
});

test('while it is not known what the spec asks for, what runs stays, and what failed is not forgotten', () => {
  const picked = pickTarget(undefined, live('good', 'x'), versions, { ...good, failedRevision: 'new' }, true);
  expect([picked.target?.id, picked.failed]).toEqual(['good', 'new']);
});
