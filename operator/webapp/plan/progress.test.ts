import { expect, test } from 'vitest';
import { PROGRESS_CHECKS } from './progress.ts';

test('the order: what was asked for, what is not known, what holds, what failed, what goes on', () => {
  expect(PROGRESS_CHECKS.map(({ name }) => name)).toEqual([
    'suspended',
    'unheard',
    'late proxy',
    'held',
    'rolled back',
    'late',
    'rolling out',
    'proxy',
    'scaling',
  ]);
});
