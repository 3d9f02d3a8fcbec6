// The one place that knows OpenTelemetry's packages: spans as OTLP over HTTP (JSON). Imported dynamically, by the tracer, when spans are to
// be exported; a program that exports none loads nothing of this. Only the serializer and the transport are theirs: their tracer, its
// context and its batches cost a request what a record does not, and do not count what they drop.
import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SpanSender } from './outbox.ts';
import type { SpanAttributes, SpanRecord } from './span.ts';

/** Ms; its retries are inside. Shorter than what the outbox waits. */
const TIMEOUT_MS = 10_000;
const SCOPE = { name: 'webapp-operator' };
const SUCCESS = 0;

/**
 * @param endpoint base address of a collector, as OTEL_EXPORTER_OTLP_ENDPOINT has it: `/v1/traces` is added, unless it is there
 * @param resource attributes of the program that speaks
 */
export function openOtlpSender(endpoint: string, resource: SpanAttributes): SpanSender {
  const exporter = new OTLPTraceExporter({
    url: tracesUrl(endpoint),
    concurrencyLimit: 1,
    timeoutMillis: TIMEOUT_MS,
  });
  const source = resourceFromAttributes(resource);
  return {
    send: (spans) =>
      new Promise((resolve, reject) => {
        exporter.export(
          spans.map((span) => readable(span, source)),
          ({ code, error }) => (code === SUCCESS ? resolve() : reject(error ?? new Error('the export failed'))),
        );
      }),
    close: () => exporter.shutdown(),
  };
}

export function tracesUrl(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, '');
  return base.endsWith('/v1/traces') ? base : `${base}/v1/traces`;
}

function readable(span: SpanRecord, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentId, startMs, endMs } = span;
  const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  return {
    name: span.name,
    kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.INTERNAL,
    spanContext: () => context,
    ...(parentId !== '' && { parentSpanContext: { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED } }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(endMs - startMs),
    status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const whole = Math.floor(ms);
  const seconds = Math.floor(whole / 1000);
  return [seconds, (whole - seconds * 1000) * 1_000_000 + Math.floor((ms - whole) * 1_000_000)];
}
