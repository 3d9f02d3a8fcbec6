// For tests: the front between a scripted pool and recorded exchanges, without sockets.
import { type WorkerConfig, workerConfigSchema } from '../../core/config/worker.ts';
import { makeLog } from '../../core/log.ts';
import { BodyStore } from './body-store.ts';
import { FrontCounters } from './counters.ts';
import { Dispatcher } from './dispatch.ts';
import { Reception } from './reception.ts';
import { RecordedExchange } from './recorded-exchange.ts';
import type { ScriptedPool } from './scripted-pool.ts';

/** What a test may want otherwise. */
export interface Wanted {
  readonly requestMs?: number;
  readonly queueMax?: number;
  readonly queueMs?: number;
  readonly responseBufferBytes?: number;
  readonly bodyBytes?: number;
  readonly bodyMemoryBytes?: number;
  readonly trustForwarded?: boolean;
  readonly runtime?: 'wsgi' | 'node';
}

export function makeConfig(wanted: Wanted = {}): WorkerConfig {
  return workerConfigSchema.parse({
    kind: 'WorkerConfig',
    version: 1,
    name: 'test',
    hash: 'test',
    app: 'app:app',
    runtime: wanted.runtime ?? 'wsgi',
    env: {},
    processes: 1,
    threads: 1,
    preload: false,
    timeouts: { requestMs: wanted.requestMs ?? 30_000, gracefulMs: 30_000, bootMs: 30_000 },
    queue: { max: wanted.queueMax ?? 100, timeoutMs: wanted.queueMs ?? 10_000 },
    limits: {
      bodyBytes: wanted.bodyBytes ?? 10_000_000,
      bodyMemoryBytes: wanted.bodyMemoryBytes ?? 1000,
      headBytes: 65_536,
      responseBufferBytes: wanted.responseBufferBytes ?? 1024,
      connections: 100,
    },
    trustForwarded: wanted.trustForwarded ?? true,
  });
}

const clock = { now: () => performance.now(), wall: () => Date.now() };

export function makeRig(pool: ScriptedPool, wanted: Wanted = {}, directory = '/nonexistent') {
  const lines: string[] = [];
  const log = makeLog((line) => lines.push(line), clock.wall);
  const config = makeConfig(wanted);
  const counters = new FrontCounters();
  const store = new BodyStore(directory, config.limits);
  const dispatcher = new Dispatcher({ config, pool, store, counters, clock, log });
  pool.onFree = () => dispatcher.serve();
  const reception = new Reception(config.trustForwarded, { dispatcher, store, counters, log });
  /** A client asks, without a body. */
  const ask = (method = 'GET'): RecordedExchange => {
    const exchange = new RecordedExchange();
    exchange.method = method;
    reception.receive(exchange);
    return exchange;
  };
  return { ask, counters, dispatcher, lines, reception, store };
}

/** Polls until `condition` holds; fails with `what` when it does not within 10 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
