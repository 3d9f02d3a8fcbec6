// How a request fared behind the proxy, kept with its exchange until it is logged.
import type { Exchange } from '../http/exchange.ts';

export interface Trace {
  /** The worker that had the request last, '' when none did. */
  readonly address: string;
  /** How long it waited for a worker that can take it; 0 when it did not. Ms. */
  readonly queuedMs: number;
  /** From sending the request until the head of the response; below 0 when there was none. Ms. */
  readonly upstreamMs: number;
  /** `Clock.now()` when it was handed to the upstream client, where it may wait. */
  readonly sentAt: number;
  /** Connections tried. */
  readonly attempts: number;
}

const TRACE = Symbol('trace');
interface TracedExchange extends Exchange {
  [TRACE]?: Trace;
}

export function setTrace(exchange: TracedExchange, trace: Trace): void {
  exchange[TRACE] = trace;
}

/** @returns undefined for what was not forwarded */
export function traceOf(exchange: TracedExchange): Trace | undefined {
  return exchange[TRACE];
}
