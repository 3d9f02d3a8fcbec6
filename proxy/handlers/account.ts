// Counts each request that passes the front door, from here to its end. The end is told by the front door, which knows of all
// ways there: `endOf` is its `onDone`.
import type { Clock } from '../../core/clock.ts';
import type { AccessLog } from '../../http/access-log.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Accounts } from '../accounts.ts';
import type { Middleware } from '../pipeline.ts';
import { makeProxySpans } from '../proxy-spans.ts';
import { traceOf } from '../trace.ts';
import { requestTraceOf } from './tracing.ts';

export function account(accounts: Accounts): Middleware {
  return (next) => (exchange) => {
    accounts.began();
    next(exchange);
  };
}

/** @returns takes each exchange that has ended, those that the front door refused too: they have no request id */
export function endOf(
  accounts: Accounts,
  accessLog: AccessLog,
  clock: Clock,
  tracer: Tracer,
): (exchange: Exchange) => void {
  return (exchange) => {
    const now = clock.now();
    const fared = traceOf(exchange);
    const trace = requestTraceOf(exchange);
    // In exemplars only what somebody has kept: an id that leads nowhere is no help.
    const keptId = trace?.sampled ? trace.traceId : '';
    if (exchange.requestId === '') accounts.answers.done(exchange);
    else accounts.done(exchange, now, keptId);
    if (fared !== undefined) accounts.forwarded(fared, keptId);
    accessLog.write(exchange, now, fared?.address, fared?.upstreamMs, trace?.traceId);
    if (trace === undefined || trace.spanId === '') return;
    for (const span of makeProxySpans(exchange, trace, fared, now, tracer.epochOffset())) tracer.record(span);
  };
}
