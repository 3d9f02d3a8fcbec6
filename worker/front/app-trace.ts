// One traced request in the worker: when it waited and when it was in the application, told as spans once the slot is back and the
// exchange closed, whichever comes last (a whole response frees its slot before it is sent).
import type { RawHeaders } from '../../http/exchange.ts';
import { httpAttributes, isFailure, spanName } from '../../tracing/http-attributes.ts';
import type { SpanRecord } from '../../tracing/span.ts';
import { isTraceField } from '../../tracing/trace-context.ts';
import { makeSpanId } from '../../tracing/trace-ids.ts';
import type { RequestTrace, Tracer } from '../../tracing/tracer.ts';
import type { AppProcess } from '../slot.ts';
import type { Passage } from './passage.ts';

/** @returns `headers` with our context in the place of what came: the application's spans become children of our own */
export function withTraceContext(headers: RawHeaders, { traceparent, tracestate }: RequestTrace): RawHeaders {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!isTraceField(name)) kept.push(name, headers[i + 1] ?? '');
  }
  kept.push('traceparent', traceparent);
  if (tracestate !== '') kept.push('tracestate', tracestate);
  return kept;
}

/** All times `performance.now()`. */
export class AppTrace {
  private readonly trace: RequestTrace;
  private readonly tracer: Tracer;
  private leftAt = -1;
  private sentAt = -1;
  private servedAt = -1;
  private pid = 0;
  private place = 0;
  /** The slot and the exchange. */
  private open = 2;

  constructor(trace: RequestTrace, tracer: Tracer) {
    this.trace = trace;
    this.tracer = tracer;
  }

  get traceId(): string {
    return this.trace.traceId;
  }

  /** It waits no more: it has a slot, or is given up. */
  left(at: number): void {
    this.leftAt = at;
  }

  /** A process has given its slot back. When that died the next one counts: the span tells of the last. */
  served(process: AppProcess, sentAt: number, at: number): void {
    this.sentAt = sentAt;
    this.servedAt = at;
    this.pid = process.pid;
    this.place = process.place ?? 0;
  }

  /** Called twice: nothing is held any more, and the exchange is closed. */
  finished(passage: Passage): void {
    this.open--;
    if (this.open !== 0) return;
    const offset = this.tracer.epochOffset();
    if (this.leftAt > passage.queuedAt) this.tracer.record(this.queueSpan(passage, offset));
    if (this.sentAt >= 0) this.tracer.record(this.appSpan(passage, offset));
  }

  private queueSpan({ queuedAt }: Passage, offset: number): SpanRecord {
    const { traceId, spanId, parentId, tracestate } = this.trace;
    return {
      name: 'worker queue',
      kind: 'internal',
      traceId,
      spanId: makeSpanId(),
      parentId: parentId || spanId,
      tracestate,
      startMs: queuedAt + offset,
      endMs: this.leftAt + offset,
      attributes: {},
      // It never reached a process.
      failed: this.sentAt < 0,
    };
  }

  private appSpan({ exchange, request, handovers }: Passage, offset: number): SpanRecord {
    const { traceId, spanId, parentId, tracestate } = this.trace;
    const { method, target, version, host, status, fault, requestId } = exchange;
    const { scheme } = request;
    return {
      name: spanName(method),
      kind: 'server',
      traceId,
      spanId,
      parentId,
      tracestate,
      startMs: this.sentAt + offset,
      endMs: this.servedAt + offset,
      attributes: {
        ...httpAttributes({ method, target, version, host, status, requestId, scheme, fault: fault ?? '' }),
        'process.pid': this.pid,
        'webapp.process.place': this.place,
        'webapp.handovers': handovers,
      },
      failed: isFailure(status, fault ?? ''),
    };
  }
}
