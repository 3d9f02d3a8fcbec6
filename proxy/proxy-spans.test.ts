import { expect, test } from 'vitest';
import { makeProxySpans } from './proxy-spans.ts';

const TRACE = {
  ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', parentId: '', tracestate: 'a=1' },
  ...{ sampled: true, traceparent: '' },
};
const TRACE_IDS = { traceId: TRACE.traceId, spanId: TRACE.spanId, parentId: '', tracestate: 'a=1' };
const EXCHANGE: Parameters<typeof makeProxySpans>[0] = {
  ...{ method: 'GET', target: '/', host: 'a', version: '1.1', status: 200, fault: null, requestId: 'id' },
  ...{ peer: { address: '10.0.0.7', port: 1, localAddress: '', localPort: 2, encrypted: false }, startedAt: 100 },
};
const FARED = { address: '10.0.0.2:8001', queuedMs: 0, upstreamMs: 30, sentAt: 110, attempts: 1 };
/** `now` is 200 by our clock, 1,200 since the epoch. */
const spansOf = (exchange: Partial<Parameters<typeof makeProxySpans>[0]>, fared?: typeof FARED) =>
  makeProxySpans({ ...EXCHANGE, ...exchange }, TRACE, fared, 200, 1_000);

test('one span when nothing waited, the root of its trace', () => {
  expect(spansOf({}, FARED)).toEqual([
    expect.objectContaining({ ...TRACE_IDS, name: 'GET', kind: 'server', startMs: 1_100, endMs: 1_200, failed: false }),
  ]);
});

test('a wait is its child, inside it', () => {
  const [request, wait] = spansOf({}, { ...FARED, queuedMs: 40 });
  expect(wait).toMatchObject({ name: 'proxy queue', kind: 'internal', parentId: request?.spanId, failed: false });
  expect([wait?.startMs, wait?.endMs]).toEqual([1_110, 1_150]);
});

test('a wait in vain has failed, as the request has, and does not outlast it', () => {
  const spans = spansOf({ status: 503, fault: 'NO_ENDPOINT' }, { ...FARED, queuedMs: 95, attempts: 0 });
  expect(spans.map(({ failed, endMs }) => [failed, endMs])).toEqual([
    [true, 1_200],
    [true, 1_200],
  ]);
});

test('how often it was sent again, and to whom; nothing of it when it was for no worker', () => {
  expect(spansOf({}, { ...FARED, attempts: 3 })[0]?.attributes).toMatchObject({
    ...{ 'http.request.resend_count': 2, 'webapp.upstream': '10.0.0.2:8001', 'client.address': '10.0.0.7' },
  });
  expect(spansOf({}, FARED)[0]?.attributes).not.toHaveProperty('http.request.resend_count');
  expect(spansOf({})[0]?.attributes).not.toHaveProperty('webapp.upstream');
});
