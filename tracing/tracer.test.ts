import { expect, test } from 'vitest';
import { makeLog } from '../core/log.ts';
import type { SpanSender } from './outbox.ts';
import type { SpanRecord } from './span.ts';
import { parseTraceparent } from './trace-context.ts';
import { isKept, makeSpanId, makeTraceId } from './trace-ids.ts';
import { Tracer } from './tracer.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const ENDPOINT = 'http://127.0.0.1:4318';
const silent = makeLog(
  () => {},
  () => 0,
);

function makeTracer(ratio?: number, taken: SpanRecord[] = []): Tracer {
  const sender: SpanSender = { send: async (spans) => void taken.push(...spans), close: async () => {} };
  const tracer = new Tracer({ log: silent, program: 'proxy', pid: 1, openSender: async () => sender });
  tracer.configure('shop', ratio === undefined ? undefined : { endpoint: ENDPOINT, ratio });
  return tracer;
}

const given = (flags: string): string[] => ['traceparent', `00-${TRACE}-${PARENT}-${flags}`, 'tracestate', 'a=1 , b=2'];

test('off: a valid context goes on as it is, and none is begun', () => {
  const tracer = makeTracer();
  expect(tracer.begin(given('01'))).toMatchObject({
    traceparent: `00-${TRACE}-${PARENT}-01`,
    tracestate: 'a=1,b=2',
    sampled: true,
    spanId: '',
  });
  expect(tracer.begin(['host', 'a'])).toBeNull();
  expect(tracer.begin(['traceparent', 'nonsense'])).toBeNull();
});

test('on: a sampled parent is followed, though the ratio is 0, by a span of our own', () => {
  const trace = makeTracer(0).begin(given('01'));
  expect(trace).toMatchObject({ traceId: TRACE, parentId: PARENT, sampled: true, tracestate: 'a=1,b=2' });
  expect(trace?.traceparent).toBe(`00-${TRACE}-${trace?.spanId}-01`);
});

test('on: a parent that is not sampled is followed, though the ratio is 1', () => {
  expect(makeTracer(1).begin(given('00'))).toMatchObject({
    sampled: false,
    spanId: '',
    traceparent: `00-${TRACE}-${PARENT}-00`,
  });
});

test.each([
  ['0', 0, false, 0],
  ['1', 1, true, 1],
])('on, ratio %s: what is no context begins a trace', (_, ratio, sampled, flags) => {
  const trace = makeTracer(ratio).begin(['traceparent', 'nonsense', 'tracestate', 'a=1']);
  expect(trace).toMatchObject({ sampled, parentId: '', tracestate: '' });
  expect(parseTraceparent(trace?.traceparent ?? '')).toMatchObject({ traceId: trace?.traceId, flags });
});

test('a share of the traces is kept', () => {
  const kept = Array.from({ length: 20_000 }, makeTraceId).filter((id) => isKept(id, 0.1)).length;
  expect(kept).toBeGreaterThan(1_700);
  expect(kept).toBeLessThan(2_300);
});

test('ids are of their length, and none comes twice', () => {
  const ids = Array.from({ length: 5_000 }, () => [makeTraceId(), makeSpanId()]);
  expect(ids.every(([trace = '', span = '']) => /^[0-9a-f]{32}$/.test(trace) && /^[0-9a-f]{16}$/.test(span))).toBe(
    true,
  );
  expect(new Set(ids.flat()).size).toBe(10_000);
});

test('a configuration is taken in place; what waits when it is taken away is still sent', async () => {
  const taken: SpanRecord[] = [];
  const tracer = makeTracer(1, taken);
  expect(tracer.on).toBe(true);
  tracer.record(span());
  tracer.configure('shop', undefined);
  expect(tracer.on).toBe(false);
  tracer.record(span());
  await expect.poll(() => taken.length).toBe(1);
  await tracer.close();
  expect(tracer.counts).toEqual({ sent: 1, dropped: 0 });
});

function span(): SpanRecord {
  return {
    name: 'GET',
    kind: 'server',
    traceId: TRACE,
    spanId: PARENT,
    parentId: '',
    tracestate: '',
    startMs: 0,
    endMs: 1,
    attributes: {},
    failed: false,
  };
}
