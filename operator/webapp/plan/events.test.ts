import { expect, test } from 'vitest';
import type { Condition, WebAppStatus } from '../../../core/status/webapp.ts';
import type { Change } from '../changes.ts';
import { tellEvents, tellFailures } from './events.ts';

const condition = (
  type: Condition['type'],
  status: Condition['status'],
  reason: string,
  message = reason,
): Condition => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-11-22T12:00:00Z',
});
const status = (...conditions: Condition[]): WebAppStatus => ({ conditions });
const told = (before: WebAppStatus | undefined, after: WebAppStatus, changes: readonly Change[] = []) =>
  tellEvents(before, after, changes).map(({ type, reason }) => `${type} ${reason}`);
const apply: Change = {
  verb: 'apply',
  create: true,
  why: 'it is not there',
  object: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop' } },
};

test.each([
  ['Progressing', 'RollingOut', 'Normal RolloutStarted'],
  ['Progressing', 'Migrating', 'Normal Migrating'],
  ['Progressing', 'PreparingProxy', 'Normal PreparingProxy'],
  ['Progressing', 'Suspended', 'Normal Suspended'],
  ['Progressing', 'DeadlineExceeded', 'Warning DeadlineExceeded'],
  ['Progressing', 'RolledBack', 'Warning RolledBack'],
] as const)('%s becomes %s', (type, reason, wanted) => {
  const before = status(condition(type, 'False', 'Complete'));
  expect(told(before, status(condition(type, 'True', reason)))).toEqual([wanted]);
  expect(told(status(condition(type, 'True', reason)), status(condition(type, 'True', reason)))).toEqual([]);
});

test.each(['ImagePull', 'Crashing', 'MigrationFailed', 'ReferenceMissing', 'QuotaExceeded'])(
  'Degraded by %s',
  (reason) => {
    expect(told(undefined, status(condition('Degraded', 'True', reason)))).toEqual([`Warning ${reason}`]);
  },
);

test('what was refused is not told as over while it is tried again', () => {
  const before = status(condition('Degraded', 'True', 'Refused'));
  const after = status(condition('Degraded', 'False', 'AsExpected'));
  expect(told(before, after, [apply])).toEqual([]);
  expect(told(before, after)).toEqual(['Normal Recovered']);
});

test('what was refused is told once', () => {
  const refused = status(condition('Degraded', 'True', 'Refused'));
  expect(tellFailures(status(condition('Degraded', 'False', 'AsExpected')), refused)).toMatchObject([
    { type: 'Warning', reason: 'Refused' },
  ]);
  expect(tellFailures(refused, refused)).toEqual([]);
  expect(told(refused, status(condition('Degraded', 'True', 'Crashing')), [apply])).toEqual([]);
});

test('another version is another rollout', () => {
  const rolling = (message: string) => status(condition('Progressing', 'True', 'RollingOut', message));
  expect(told(rolling('a'), rolling('b'))).toEqual(['Normal RolloutStarted']);
});

test('a migration that failed was not completed', () => {
  const before = status(condition('Progressing', 'True', 'Migrating'));
  expect(told(before, status(condition('Progressing', 'False', 'MigrationFailed')))).toEqual([]);
  expect(told(before, status(condition('Progressing', 'True', 'RollingOut')))).toEqual([
    'Normal Migrated',
    'Normal RolloutStarted',
  ]);
});

test('losing every worker is told, having none at first is not', () => {
  const none = status(condition('Ready', 'False', 'NoReadyWorker'));
  expect(told(status(condition('Ready', 'True', 'Serving')), none)).toEqual(['Warning NoReadyWorker']);
  expect(told(undefined, none)).toEqual([]);
});

test('many at once are bounded, and so are their notes', () => {
  const before = {
    ...status(
      condition('Ready', 'True', 'Serving'),
      condition('Progressing', 'True', 'Migrating'),
      condition('ConfigApplied', 'False', 'Applying'),
    ),
    pods: { desired: 1, ready: 1, updated: 1, summary: '1/1' },
  };
  const after = {
    ...status(
      condition('Ready', 'False', 'NoReadyWorker'),
      condition('Progressing', 'True', 'RollingOut'),
      condition('Degraded', 'True', 'Crashing', 'x'.repeat(5_000)),
      condition('ConfigApplied', 'True', 'Applied'),
    ),
    revision: 'a',
    pods: { desired: 2, ready: 0, updated: 1, summary: '0/2' },
  };
  const events = tellEvents(
    before,
    after,
    Array.from({ length: 50 }, () => ({ ...apply, why: 'was changed by another: spec' })),
  );
  expect(events.length).toBeLessThanOrEqual(8);
  expect(Math.max(...events.map(({ note }) => note.length))).toBeLessThanOrEqual(1_024);
});
