import { expect, test } from 'vitest';
import { apiError, readRetryAfter } from './api-status.ts';

const status = (more: object) => JSON.stringify({ kind: 'Status', message: 'no', reason: 'Invalid', ...more });

test.each([
  ['a Status', status({}), 'no', 'Invalid'],
  ['a page', '<html>', 'GET /x was answered 422', ''],
  ['nothing', '', 'GET /x was answered 422', ''],
  ['null', 'null', 'GET /x was answered 422', ''],
  ['another kind', '{"kind":"Pod","message":"m","reason":"r"}', 'GET /x was answered 422', ''],
  ['hostile types', status({ message: 7, reason: {} }), 'GET /x was answered 422', ''],
])('%s', (_, body, message, reason) => {
  expect(apiError('GET /x', 422, {}, body, 0)).toMatchObject({ code: 'API', status: 422, message, reason });
});

test('a message without end is cut; a time in the body stands in for the header', () => {
  const error = apiError(
    'GET /x',
    429,
    {},
    status({ message: 'x'.repeat(99_999), details: { retryAfterSeconds: 3 } }),
    0,
  );
  expect(error.message).toHaveLength(4_096);
  expect(error.retryAfterMs).toBe(3_000);
});

test.each([
  [[{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }], ['NamespaceTerminating']],
  [[null, 7, 'x', {}, { reason: 7 }, { reason: 'FieldValueInvalid' }], ['FieldValueInvalid']],
  ['x', []],
  [undefined, []],
])('of the causes %j the reasons are kept', (causes, expected) => {
  expect(apiError('GET /x', 403, {}, status({ details: { causes } }), 0).causes).toEqual(expected);
});

test.each([
  ['5', 5_000],
  ['0', 0],
  ['Thu, 01 Jan 1970 00:00:30 GMT', 20_000],
  ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
  ['999999999', 600_000],
  ['-1', undefined],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After: %s is %s ms', (value, wanted) => {
  expect(readRetryAfter(value, 10_000)).toBe(wanted);
});
