import { expect, test } from 'vitest';
import { REASONS } from '../../../../core/app/conditions.ts';
import { arrange, DEGRADED_ORDER, degradedReason } from './degraded.ts';

const problem = (type: string, field = 'spec') => ({ type, field, message: 'm', mend: 'n' });

test('every reason of Degraded has its place in the order', () => {
  expect([...DEGRADED_ORDER].sort()).toEqual(
    Object.keys(REASONS.Degraded)
      .filter((reason) => reason !== 'AsExpected')
      .sort(),
  );
});

test('the order: what stops everything, what was done, what a rollout waits for, why pods do not come, what one can serve with', () => {
  expect(DEGRADED_ORDER).toEqual([
    'Invalid',
    'Refused',
    'NameTaken',
    'RolledBack',
    'ReferenceMissing',
    'MigrationFailed',
    'QuotaExceeded',
    'PodsRefused',
    'Unschedulable',
    'ImagePull',
    'Crashing',
    'NotReady',
    'Certificate',
    'ProcessesDie',
    'RequestsWait',
    'ConfigRefused',
    'ApiMissing',
  ]);
});

test.each(DEGRADED_ORDER.slice(0, -1).map((reason, index) => [reason, DEGRADED_ORDER[index + 1] ?? '']))(
  '%s goes before %s',
  (first, second) => {
    const problems = arrange([problem(second), problem(first)]);
    expect(problems.map(({ type }) => type)).toEqual([first, second]);
    expect(degradedReason(problems)).toBe(first);
  },
);

test('no problem is as expected', () => {
  expect(degradedReason([])).toBe('AsExpected');
});

test('each problem once, 32 at most, every text within its bound', () => {
  const many = Array.from({ length: 100 }, (_, index) => problem('Crashing', `spec.env[${index % 50}]`));
  expect(arrange(many)).toHaveLength(32);
  const [long] = arrange([
    { type: 'Refused', field: 'f'.repeat(1e4), message: '🙂'.repeat(1e4), mend: 'n'.repeat(1e4) },
  ]);
  expect([long?.field.length, long?.mend.length]).toEqual([512, 1024]);
  expect(long?.message.length).toBeLessThanOrEqual(4096);
  expect(long?.message.isWellFormed()).toBe(true);
});
