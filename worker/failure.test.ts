import { expect, test } from 'vitest';
import { ProblemsError } from '../core/errors.ts';
import { parseAddress } from '../http/address.ts';
import { describeFailure } from './failure.ts';
import { UsageError } from './usage-error.ts';

test('flags: 2, with reason and mend', () => {
  expect(describeFailure(new UsageError('No.', 'Yes.'))).toEqual({
    exitCode: 2,
    code: 'USAGE',
    reason: 'No.',
    mend: 'Yes.',
  });
});

test('an address: 1', () => {
  let caught: unknown;
  try {
    parseAddress('nowhere');
  } catch (error) {
    caught = error;
  }
  expect(describeFailure(caught)).toMatchObject({ exitCode: 1, code: 'ADDRESS_INVALID', mend: expect.any(String) });
});

test('a document: 2, with one problem or all', () => {
  const one = { field: 'threads', value: '0', message: 'too small', mend: 'write 1' };
  expect(describeFailure(new ProblemsError('w.json', [one]))).toMatchObject({
    exitCode: 2,
    code: 'CONFIG_INVALID',
    reason: expect.stringContaining('threads is 0: too small'),
    mend: 'write 1',
    problems: [one],
  });
  const two = { field: 'app', message: 'is required', mend: 'add app' };
  expect(describeFailure(new ProblemsError('w.json', [one, two]))).toMatchObject({
    reason: expect.stringMatching(/threads[\s\S]*app/),
    problems: [one, two],
  });
});

test('anything else: 70', () => {
  expect(describeFailure(new Error('odd'))).toMatchObject({ exitCode: 70, code: 'INTERNAL', reason: 'odd' });
});
