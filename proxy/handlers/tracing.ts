// Gives each request its place in a trace: the client's, or one that begins here. What becomes of it is told at its end (proxy-spans.ts).
import type { Exchange } from '../../http/exchange.ts';
import type { RequestTrace, Tracer } from '../../tracing/tracer.ts';
import type { Middleware } from '../pipeline.ts';

const REQUEST_TRACE = Symbol('requestTrace');
interface PlacedExchange extends Exchange {
  [REQUEST_TRACE]?: RequestTrace;
}

export function tracing(tracer: Tracer): Middleware {
  return (next) => (exchange: PlacedExchange) => {
    const trace = tracer.begin(exchange.headers);
    if (trace !== null) exchange[REQUEST_TRACE] = trace;
    next(exchange);
  };
}

/** @returns undefined for one that belongs to no trace */
export function requestTraceOf(exchange: PlacedExchange): RequestTrace | undefined {
  return exchange[REQUEST_TRACE];
}
