// Where a request's trace begins in a program of ours, and where its finished spans go. Used by proxy and worker; knows nothing of
// exchanges. Off (no endpoint): a valid context of the client goes on as it is, so that the client's and the application's spans still meet,
// and no trace is begun: an application that traces for itself would take our "not sampled" for an order.
import type { TracingConfig } from '../core/config/tracing.ts';
import type { Log } from '../core/log.ts';
import { Epoch } from './epoch.ts';
import { Outbox, type SpanCounts, type SpanSender } from './outbox.ts';
import type { SpanAttributes, SpanRecord } from './span.ts';
import { formatTraceparent, readTraceContext, SAMPLED, type TraceContext } from './trace-context.ts';
import { isKept, makeSpanId, makeTraceId } from './trace-ids.ts';

/** What one request carries of its trace through one program. */
export interface RequestTrace {
  readonly traceId: string;
  /** Whoever began the trace keeps it. */
  readonly sampled: boolean;
  /** Our own span; '' when we record none for this request. */
  readonly spanId: string;
  /** Of whom our span is the child; '' for the root of a trace. */
  readonly parentId: string;
  /** To be sent on, as they stand. */
  readonly traceparent: string;
  readonly tracestate: string;
}

export interface TracerOptions {
  readonly log: Log;
  /** What this program is called: `proxy` or `worker`, behind the WebApp's name. */
  readonly program: string;
  readonly pid: number;
  /** Opens the way to a collector. Default: OTLP over HTTP, loaded when it is first needed. */
  readonly openSender?: (endpoint: string, resource: SpanAttributes) => Promise<SpanSender>;
}

export class Tracer {
  readonly #options: TracerOptions;
  #endpoint = '';
  #name = '';
  #ratio = 0;
  #outbox: Outbox | null = null;
  /** Of outboxes that are no longer wanted: done when the last of them is closed. */
  #retired: Promise<unknown> = Promise.resolve();
  readonly #epoch = new Epoch();
  readonly counts: Readonly<SpanCounts>;
  readonly #counts: SpanCounts = { sent: 0, dropped: 0 };

  constructor(options: TracerOptions) {
    this.#options = options;
    this.counts = this.#counts;
  }

  /** Takes a configuration in place. What waits for an endpoint that is no longer wanted has a moment to go there. */
  configure(name: string, config: TracingConfig | undefined): void {
    this.#ratio = config?.ratio ?? 0;
    const endpoint = config?.endpoint ?? '';
    if (endpoint === this.#endpoint && name === this.#name) return;
    this.#endpoint = endpoint;
    this.#name = name;
    this.#retire();
    if (endpoint !== '') this.#outbox = this.#openOutbox(endpoint, name);
  }

  /** Whether spans are recorded at all. */
  get on(): boolean {
    return this.#outbox !== null;
  }

  /**
   * @param headers of the request: name, value, name, value, …
   * @returns null when there is no trace: nothing is configured, and none has come
   */
  begin(headers: readonly string[]): RequestTrace | null {
    const given = readTraceContext(headers);
    if (this.#outbox === null) return given === null ? null : passedOn(given);
    if (given === null) return this.#root();
    return (given.flags & SAMPLED) === 0 ? passedOn(given) : child(given);
  }

  /** What is added to `performance.now()` for milliseconds since the epoch. */
  epochOffset(): number {
    return this.#epoch.offset();
  }

  /** Hands a finished span to the exporter. Never waits. */
  record(span: SpanRecord): void {
    this.#outbox?.add(span);
  }

  /** Within a few seconds, whatever the collector does. Twice is safe. */
  async close(): Promise<void> {
    this.#endpoint = '';
    this.#retire();
    await this.#retired;
  }

  #root(): RequestTrace {
    const traceId = makeTraceId();
    const spanId = makeSpanId();
    const sampled = isKept(traceId, this.#ratio);
    return {
      traceId,
      sampled,
      spanId: sampled ? spanId : '',
      parentId: '',
      traceparent: formatTraceparent(traceId, spanId, sampled ? SAMPLED : 0),
      tracestate: '',
    };
  }

  #retire(): void {
    const outbox = this.#outbox;
    if (outbox === null) return;
    this.#outbox = null;
    this.#retired = Promise.all([this.#retired, outbox.close()]);
  }

  #openOutbox(endpoint: string, name: string): Outbox {
    const { log, program, pid, openSender = openOtlp } = this.#options;
    const resource = { 'service.name': `${name}-${program}`, 'service.namespace': name, 'process.pid': pid };
    return new Outbox(() => openSender(endpoint, resource), this.#counts, log);
  }
}

async function openOtlp(endpoint: string, resource: SpanAttributes): Promise<SpanSender> {
  const { openOtlpSender } = await import('./otlp-sender.ts');
  return openOtlpSender(endpoint, resource);
}

/** Nothing is recorded here, so the parent stays who it was (§4.3: what is not changed is forwarded). */
function passedOn({ traceId, parentId, flags, tracestate }: TraceContext): RequestTrace {
  return {
    traceId,
    sampled: (flags & SAMPLED) !== 0,
    spanId: '',
    parentId,
    traceparent: formatTraceparent(traceId, parentId, flags),
    tracestate,
  };
}

function child({ traceId, parentId, flags, tracestate }: TraceContext): RequestTrace {
  const spanId = makeSpanId();
  return {
    traceId,
    sampled: true,
    spanId,
    parentId,
    traceparent: formatTraceparent(traceId, spanId, flags),
    tracestate,
  };
}
