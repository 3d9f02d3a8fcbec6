// Counts each request that passes the front door, from here to its end. The end is told by the front door, which knows of all
// ways there: `endOf` is its `onDone`.
import type { Clock } from '../../core/clock.ts';
import type { AccessLog } from '../../http/access-log.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Accounts } from '../accounts.ts';
import type { Middleware } from '../pipeline.ts';
import { traceOf } from '../trace.ts';

export function account(accounts: Accounts): Middleware {
  return (next) => (exchange) => {
    accounts.began();
    next(exchange);
  };
}

/** @returns takes each exchange that has ended, those that the front door refused too: they have no request id */
export function endOf(accounts: Accounts, accessLog: AccessLog, clock: Clock): (exchange: Exchange) => void {
  return (exchange) => {
    const now = clock.now();
    if (exchange.requestId === '') accounts.answers.done(exchange);
    else accounts.done(exchange, now);
    const trace = traceOf(exchange);
    if (trace === undefined) {
      accessLog.write(exchange, now);
      return;
    }
    accounts.forwarded(trace);
    accessLog.write(exchange, now, trace.address, trace.upstreamMs);
  };
}
