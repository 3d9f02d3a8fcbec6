// One finished piece of a trace, as proxy and worker tell it to the exporter.

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanRecord {
  readonly name: string;
  /** server: takes a request from somebody else; internal: a part of what this program does. */
  readonly kind: 'server' | 'internal';
  readonly traceId: string;
  readonly spanId: string;
  /** '' for the root of a trace. */
  readonly parentId: string;
  readonly tracestate: string;
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** Whether it failed by our fault (OpenTelemetry: a status of 5xx, no answer at all). */
  readonly failed: boolean;
}

const MAX_VALUE = 1024;

/** What a client sent is cut: a span stays small. */
export function cutValue(text: string): string {
  return text.length > MAX_VALUE ? text.slice(0, MAX_VALUE) : text;
}
