import { expect, test } from 'vitest';
import { MAX_RECENT_ERRORS, recentErrorsSchema } from '../core/status/traffic.ts';
import { RecentErrors } from './recent-errors.ts';

type Failed = Parameters<RecentErrors['note']>[0];

const failed = (change: Partial<Failed> = {}): Failed => ({
  requestId: 'r1',
  method: 'GET',
  target: '/cart?token=secret',
  status: 502,
  startedAt: 1_000,
  fault: 'PROCESS_DIED',
  faultDetail: 'killed',
  ...change,
});

test('what a person needs to look a request up, without its query', () => {
  const errors = new RecentErrors();
  errors.note(failed(), 1_250, 1_700_000_000_000);
  errors.note(failed({ requestId: 'r2', status: 500, fault: null, faultDetail: '' }), 1_001, 1_700_000_000_001);
  expect(recentErrorsSchema.parse(errors.list())).toEqual([
    { at: 1_700_000_000_001, id: 'r2', method: 'GET', path: '/cart', status: 500, ms: 1 },
    {
      ...{ at: 1_700_000_000_000, id: 'r1', method: 'GET', path: '/cart', status: 502, ms: 250 },
      ...{ fault: 'PROCESS_DIED', detail: 'killed' },
    },
  ]);
});

test('the latest 20, each bounded', () => {
  const errors = new RecentErrors();
  const long = 'x'.repeat(10_000);
  for (let i = 0; i < 100; i++) {
    const requestId = i === 99 ? long : String(i);
    errors.note(failed({ requestId, method: long, target: `/${long}`, faultDetail: long }), 0, i);
  }
  const list = errors.list();
  expect(list.map(({ at }) => at)).toEqual(Array.from({ length: MAX_RECENT_ERRORS }, (_, i) => 99 - i));
  expect(JSON.stringify(list[0]).length).toBeLessThan(1_000);
});

test('a flood of bad requests leaves half to what went wrong here, and the other way round', () => {
  const kinds = (statuses: readonly number[]): [number, number] => {
    const errors = new RecentErrors();
    for (const status of statuses) errors.note(failed({ status }), 0, 0);
    const clients = errors.list().filter(({ status }) => status < 500).length;
    return [clients, errors.list().length - clients];
  };
  const many = (status: number): number[] => Array<number>(50).fill(status);
  expect(kinds([...many(502), ...many(400)])).toEqual([10, 10]);
  expect(kinds([...many(400), ...many(502)])).toEqual([10, 10]);
  expect(kinds(many(400))).toEqual([20, 0]);
  expect(kinds(many(504))).toEqual([0, 20]);
});
