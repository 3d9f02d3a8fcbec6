// Connections that leave HTTP (WebSocket), for runtimes that carry them. They hold no slot: an open WebSocket is no request that
// runs. Their number is bounded by the front door's cap on connections. What one of them does is tunnel.ts.

import type { Clock } from '../../core/clock.ts';
import type { WorkerConfig } from '../../core/config/worker.ts';
import type { UpgradeExchange } from '../../http/exchange.ts';
import type { AppProcess, ProcessPool } from '../slot.ts';
import type { FrontCounters } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import { Tunnel } from './tunnel.ts';

export interface UpgradesOptions {
  readonly config: WorkerConfig;
  readonly pool: ProcessPool;
  readonly counters: FrontCounters;
  readonly clock: Clock;
  readonly makeId: () => string;
}

export class Upgrades {
  private readonly options: UpgradesOptions;
  /** Those for which no process is there, in their order. */
  private readonly waiting = new Set<Tunnel>();
  /** Until a process is there. */
  private waits: Deadlines<Tunnel>;
  /** Until the application has answered. */
  private answers: Deadlines<Tunnel>;

  constructor(options: UpgradesOptions) {
    const { queue, timeouts } = options.config;
    this.options = options;
    this.waits = this.makeDeadlines(queue.timeoutMs);
    this.answers = this.makeDeadlines(timeouts.requestMs);
  }

  configure({ queue, timeouts }: WorkerConfig): void {
    if (queue.timeoutMs !== this.waits.ms) this.waits = this.makeDeadlines(queue.timeoutMs);
    if (timeouts.requestMs !== this.answers.ms) this.answers = this.makeDeadlines(timeouts.requestMs);
  }

  receive(exchange: UpgradeExchange): void {
    const { counters, makeId } = this.options;
    exchange.requestId = makeId();
    const { host, method, peer, requestId, target } = exchange;
    const asked = { host, method, peer, requestId, target, startedAt: performance.now(), bytesSent: 0 };
    const tunnel = new Tunnel(exchange, {
      onLost: (process) => this.connect(tunnel, process),
      onAnswered: (status, fault) => {
        tunnel.timedBy?.disarm(tunnel);
        counters.answers.done({ ...asked, status, fault, state: 'done', header: () => undefined });
      },
      onOver: () => this.forget(tunnel),
    });
    this.connect(tunnel);
  }

  /** A process may have become ready. */
  serve(): void {
    if (this.waiting.size === 0) return;
    for (const tunnel of [...this.waiting]) this.connect(tunnel);
  }

  /** @param except could not be reached just now; its death is not known to the pool yet */
  private connect(tunnel: Tunnel, except?: AppProcess): void {
    const process = pickForUpgrade(this.options.pool.takers, except);
    const deadlines = process === undefined ? this.waits : this.answers;
    if (process === undefined && this.waiting.has(tunnel)) return;
    deadlines.arm(tunnel, this.options.clock.now());
    if (process === undefined) this.waiting.add(tunnel);
    else {
      this.waiting.delete(tunnel);
      tunnel.connect(process);
    }
  }

  private forget(tunnel: Tunnel): void {
    this.waiting.delete(tunnel);
    tunnel.timedBy?.disarm(tunnel);
  }

  private makeDeadlines(ms: number): Deadlines<Tunnel> {
    return new Deadlines<Tunnel>(ms, this.options.clock, (tunnel) => {
      tunnel.fail(this.waiting.delete(tunnel) ? 'QUEUE_TIMEOUT' : 'REQUEST_TIMEOUT');
    });
  }
}

/** The one with the fewest open ones: they last long, so they are spread, where short requests go to the warmest process. */
function pickForUpgrade(takers: readonly AppProcess[], except?: AppProcess): AppProcess | undefined {
  let best: AppProcess | undefined;
  for (const process of takers) {
    if (process.connect === undefined || process === except) continue;
    if (best === undefined || process.upgraded < best.upgraded) best = process;
  }
  return best;
}
