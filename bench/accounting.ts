// What it costs a request to be counted: the accounting path of both programs as it is called, against the same loop that counts nothing.

import { makeLog } from '../core/log.ts';
import { openAccessLog } from '../http/access-log.ts';
import type { Exchange } from '../http/exchange.ts';
import { Accounts } from '../proxy/accounts.ts';
import { endOf } from '../proxy/handlers/account.ts';
import { setTrace } from '../proxy/trace.ts';
import { Tracer } from '../tracing/tracer.ts';
import { FrontCounters } from '../worker/front/counters.ts';

export interface AccountingCost {
  readonly proxyNs: number;
  readonly workerNs: number;
}

const ROUNDS = 15;
const REQUESTS = 1_000_000;
/** Different ones, so that no branch is always the same. */
const SAMPLES = 1024;

type Count = (exchange: Exchange, ms: number) => void;

/** Medians of interleaved rounds. */
export function measureAccounting(): AccountingCost {
  const exchanges = Array.from({ length: SAMPLES }, (_, i) => makeExchange(i));
  const counts = { nothing: countNothing(), proxy: countInProxy(), worker: countInWorker() };
  const took: Record<keyof typeof counts, number[]> = { nothing: [], proxy: [], worker: [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const name of ['nothing', 'proxy', 'worker'] as const) took[name].push(nsPerRequest(exchanges, counts[name]));
  const nothing = median(took.nothing);
  return { proxyNs: median(took.proxy) - nothing, workerNs: median(took.worker) - nothing };
}

function nsPerRequest(exchanges: readonly Exchange[], count: Count): number {
  const began = process.hrtime.bigint();
  for (let i = 0; i < REQUESTS; i++) {
    const exchange = exchanges[i % SAMPLES];
    if (exchange !== undefined) count(exchange, i % 300);
  }
  return Number(process.hrtime.bigint() - began) / REQUESTS;
}

/** Makes the call, and keeps the compiler from leaving it out. */
function countNothing(): Count {
  let seen = 0;
  return (exchange, ms) => {
    seen += exchange.status + ms;
    if (seen < 0) throw new Error('never');
  };
}

function countInProxy(): Count {
  const accounts = new Accounts();
  const door = { received: 0, sent: 0 };
  const end = endOf(
    accounts,
    openAccessLog('off', () => {}),
    { now: () => 500, wall: () => 0 },
    new Tracer({
      log: makeLog(
        () => {},
        () => 0,
      ),
      program: 'proxy',
      pid: 0,
    }),
  );
  return (exchange) => {
    accounts.began();
    door.received += 10;
    door.sent += exchange.bytesSent;
    end(exchange);
  };
}

function countInWorker(): Count {
  const counters = new FrontCounters();
  const door = { received: 0, sent: 0 };
  return (exchange, ms) => {
    counters.answers.inFlight++;
    door.received += 10;
    door.sent += exchange.bytesSent;
    counters.queueTime.observe(0);
    counters.appTime.observe(ms);
    counters.answers.inFlight--;
    counters.answers.done(exchange);
  };
}

function makeExchange(i: number): Exchange {
  const method = i % 7 === 0 ? 'POST' : i % 31 === 0 ? 'DELETE' : 'GET';
  const status = i % 11 === 0 ? 404 : i % 13 === 0 ? 302 : 200;
  const fields = {
    method,
    status,
    requestId: 'id',
    startedAt: i % 400,
    bytesSent: 1_000,
    fault: null,
    faultDetail: '',
    state: 'done',
  };
  const exchange = fields as unknown as Exchange;
  setTrace(exchange, { address: '', queuedMs: 0, upstreamMs: i % 300, sentAt: 0, attempts: 1 });
  return exchange;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
