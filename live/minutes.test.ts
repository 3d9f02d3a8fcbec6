import { describe, expect, test } from 'vitest';
import type { ProxyStatus } from '../core/status/proxy.ts';
import { MINUTES_MS, Minutes, type Sample } from './minutes.ts';
import { AT, durationsOf, makeDocuments, makeProxy, makeWorker } from './testing/documents.ts';

/** A proxy that has counted so much since its start. */
function counted(total: number, errors = 0, more: Partial<ProxyStatus> = {}): ProxyStatus {
  const requests = { ...makeProxy().requests, total, byClass: { '2xx': total - errors, '5xx': errors } };
  return makeProxy({ requests, ...more });
}

const withProxy = (status?: ProxyStatus) => makeDocuments({ proxies: [{ place: 'p', ...(status && { status }) }] });

/** Looks once a second at proxies that have counted these. */
function looked(...proxies: (ProxyStatus | undefined)[]): (Sample | undefined)[] {
  const minutes = new Minutes();
  return proxies.map((proxy, second) => minutes.take(withProxy(proxy), second * 1_000, AT + second * 1_000));
}

describe('a sample', () => {
  test('is what was counted since the one before; what was counted before the first look is nobody’s second', () => {
    const [first, second, third] = looked(counted(1_000, 10), counted(1_020, 12), counted(1_020, 12));
    expect(first).toBeUndefined();
    expect(second).toMatchObject({ number: 1, requests: 20, errors: 2 });
    expect(third).toMatchObject({ number: 2, requests: 0, errors: 0 });
  });

  test('of a program that is started anew begins at its nothing', () => {
    const [, , anew] = looked(counted(1_000), counted(1_010), counted(7, 0, { pid: 9, startedAt: AT + 1_500 }));
    expect(anew).toMatchObject({ requests: 7 });
  });

  test('of a program that was there before and was not seen is not a peak', () => {
    const [, , seen] = looked(undefined, undefined, counted(50_000));
    expect(seen).toMatchObject({ requests: 0 });
  });

  test('after a second without an answer is spread over both', () => {
    const [, , silent, after] = looked(counted(0), counted(10), undefined, counted(30));
    expect(silent).toMatchObject({ requests: 0 });
    expect(after).toMatchObject({ requests: 10 });
  });

  test('tells quantiles of the last five seconds only, and waiting of none as 0', () => {
    const durations = (...request: number[]) => ({
      durations: {
        request: durationsOf(...request),
        queue: durationsOf(...request.map(() => 0)),
        upstream: durationsOf(),
      },
    });
    const before = [5_000, 5_000];
    const after = counted(4, 0, durations(...before, 40, 40));
    const [, slow, ...later] = looked(counted(2, 0, durations(...before)), ...Array.from({ length: 7 }, () => after));
    expect(slow?.p50).toBeGreaterThan(30);
    expect(slow?.p99).toBeLessThanOrEqual(50);
    expect(slow?.proxyWait).toBe(0);
    expect(later.map((sample) => sample?.p50 === null)).toEqual([false, false, false, false, true, true]);
    expect(later.at(-1)).toMatchObject({ requests: 0, p99: null, proxyWait: null });
  });

  test('is taken once a second, however often one looks', () => {
    const minutes = new Minutes();
    const taken = Array.from({ length: 50 }, (_, i) => minutes.take(makeDocuments(), i * 200, AT + i * 200));
    expect(taken.filter(Boolean)).toHaveLength(9);
  });

  test('of programs that tell no durations has its counts', () => {
    const { durations: _, queue: __, ...old } = counted(0);
    const [, sample] = looked(old, { ...old, requests: { ...old.requests, total: 5 } });
    expect(sample).toMatchObject({ requests: 5, p50: null });
  });
});

test('users are counted by the proxy, not a second time by the worker; without a proxy, by the worker', () => {
  const minutes = new Minutes();
  const worker = (total: number) => makeWorker({ requests: { ...makeWorker().requests, total } });
  const take = (total: number, second: number, proxy: boolean) =>
    minutes.take(
      makeDocuments({
        workers: [{ place: 'w', status: worker(total) }],
        proxies: proxy ? [{ place: 'p', status: counted(total) }] : [],
      }),
      second * 1_000,
      AT + second * 1_000,
    );
  take(0, 0, true);
  expect(take(10, 1, true)?.requests).toBe(10);
  expect(take(20, 2, false)?.requests).toBe(10);
});

test('five minutes are kept, and no more', () => {
  const minutes = new Minutes();
  for (let second = 0; second < 1_000; second++) minutes.take(makeDocuments(), second * 1_000, AT + second * 1_000);
  const samples = minutes.samples();
  expect(samples).toHaveLength(MINUTES_MS / 1_000);
  expect(samples.at(-1)?.at).toBe(AT + 999_000);
});

test('what happened while nobody looked belongs to no second', () => {
  const minutes = new Minutes();
  minutes.take(withProxy(counted(0)), 0, AT);
  minutes.take(withProxy(counted(10)), 1_000, AT + 1_000);
  expect(minutes.take(withProxy(counted(90_000)), 61_000, AT + 61_000)).toBeUndefined();
  expect(minutes.take(withProxy(counted(90_003)), 62_000, AT + 62_000)).toMatchObject({ requests: 3 });
});

test('the last seconds are added up', () => {
  const minutes = new Minutes();
  for (let second = 0; second <= 60; second++) {
    const faults = { QUEUE_FULL: second };
    const proxy = counted(second * 10, second);
    const status = { ...proxy, requests: { ...proxy.requests, faults } };
    minutes.take(withProxy(status), second * 1_000, AT + second * 1_000);
  }
  expect(minutes.last(30)).toMatchObject({ seconds: 30, requests: 300, errors: 30, faults: { QUEUE_FULL: 30 } });
  expect(minutes.last(3_600)).toMatchObject({ seconds: 60, requests: 600 });
});
