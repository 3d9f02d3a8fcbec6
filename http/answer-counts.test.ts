import { expect, test } from 'vitest';
import { COUNTED_METHODS } from '../core/metrics.ts';
import { AnswerCounts } from './answer-counts.ts';

function counted(counts: AnswerCounts): string[] {
  return counts
    .requestReadings()
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => `${labels['method']} ${labels['class']} ${value}`);
}

test.each([
  ['GET', 200, 'GET 2xx 1'],
  ['GET', 0, 'GET gone 1'],
  ['HEAD', 101, 'HEAD 1xx 1'],
  ['DELETE', 599, 'DELETE 5xx 1'],
  ['POST', 999, 'POST 5xx 1'],
  ['PROPFIND', 404, 'other 4xx 1'],
  ['get', 200, 'other 2xx 1'],
  ['', 400, 'other 4xx 1'],
])('%s answered %i is counted as %s', (method, status, cell) => {
  const counts = new AnswerCounts();
  counts.answered(method, status);
  expect(counted(counts)).toEqual([cell]);
});

test('every cell is there from the beginning, and each request is in one of them', () => {
  const counts = new AnswerCounts();
  expect(counts.requestReadings()).toHaveLength((COUNTED_METHODS.length + 1) * 6);
  for (const method of [...COUNTED_METHODS, 'LOCK'])
    for (const status of [0, 101, 200, 304, 404, 500]) counts.answered(method, status);
  expect(counts.requestReadings().map(({ value }) => value)).toEqual(Array(counts.ended).fill(1));
  expect(counts.byClass()).toEqual({ '1xx': 8, '2xx': 8, '3xx': 8, '4xx': 8, '5xx': 8 });
});

test('errors are what ended by a fault or by 5xx of the application', () => {
  const counts = new AnswerCounts();
  const request = { requestId: 'r', method: 'GET', target: '/', startedAt: 0, host: '', bytesSent: 0 } as const;
  const peer = { address: '', port: 0, encrypted: false, localAddress: '', localPort: 0 };
  const done = (status: number, fault: 'NO_ENDPOINT' | 'HOST_MISSING' | null): void =>
    counts.done({ ...request, peer, status, fault, state: 'done', header: () => undefined });
  done(200, null);
  done(404, null);
  done(0, null);
  done(400, 'HOST_MISSING');
  done(500, null);
  done(503, 'NO_ENDPOINT');
  expect(counts.errors.list().map(({ status }) => status)).toEqual([503, 500, 400]);
  expect(counts.ended).toBe(6);
});
