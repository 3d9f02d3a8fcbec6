// The spans of one request that has ended, as the proxy saw it: itself, and its wait for a worker that can take it. Pure.
import type { Exchange } from '../http/exchange.ts';
import { httpAttributes, isFailure, spanName } from '../tracing/http-attributes.ts';
import type { SpanRecord } from '../tracing/span.ts';
import { makeSpanId } from '../tracing/trace-ids.ts';
import type { RequestTrace } from '../tracing/tracer.ts';
import type { Trace } from './trace.ts';

type EndedExchange = Pick<
  Exchange,
  'method' | 'target' | 'host' | 'version' | 'status' | 'fault' | 'requestId' | 'peer' | 'startedAt'
>;

/**
 * @param fared undefined when it was not for a worker
 * @param now `performance.now()` at its end
 * @param offset what is added to `performance.now()` for milliseconds since the epoch
 */
export function makeProxySpans(
  exchange: EndedExchange,
  trace: RequestTrace,
  fared: Trace | undefined,
  now: number,
  offset: number,
): SpanRecord[] {
  const { traceId, spanId, tracestate } = trace;
  const startMs = exchange.startedAt + offset;
  const endMs = now + offset;
  const spans: SpanRecord[] = [proxySpan(exchange, trace, fared, startMs, endMs)];
  if (fared === undefined || fared.queuedMs <= 0) return spans;
  const queueEnd = Math.min(endMs, fared.sentAt + fared.queuedMs + offset);
  spans.push({
    name: 'proxy queue',
    kind: 'internal',
    traceId,
    spanId: makeSpanId(),
    parentId: spanId,
    tracestate,
    startMs: Math.max(startMs, queueEnd - fared.queuedMs),
    endMs: queueEnd,
    attributes: {},
    failed: exchange.fault === 'NO_ENDPOINT',
  });
  return spans;
}

function proxySpan(
  exchange: EndedExchange,
  { traceId, spanId, parentId, tracestate }: RequestTrace,
  fared: Trace | undefined,
  startMs: number,
  endMs: number,
): SpanRecord {
  const { method, target, host, version, status, requestId, peer } = exchange;
  const scheme = peer.encrypted ? 'https' : 'http';
  const request = { method, target, host, version, status, requestId, scheme, fault: exchange.fault ?? '' } as const;
  return {
    name: spanName(method),
    kind: 'server',
    traceId,
    spanId,
    parentId,
    tracestate,
    startMs,
    endMs,
    attributes: {
      ...httpAttributes(request),
      ...(peer.address !== '' && { 'client.address': peer.address }),
      ...(fared !== undefined && {
        'webapp.upstream': fared.address,
        ...(fared.attempts > 1 && { 'http.request.resend_count': fared.attempts - 1 }),
      }),
    },
    failed: isFailure(status, request.fault),
  };
}
