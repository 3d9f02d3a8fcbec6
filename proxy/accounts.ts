// What the proxy counts of requests. Outlives configurations.
import type { ProxyStatus } from '../core/status/proxy.ts';
import { AnswerCounts } from '../http/answer-counts.ts';
import type { Exchange } from '../http/exchange.ts';
import { TracedDurations } from '../http/traced-durations.ts';
import type { Trace } from './trace.ts';

export class Accounts {
  readonly answers = new AnswerCounts();
  /** From the arrival of a head until the response was handed over in full. */
  readonly requestTime = new TracedDurations();
  /** Waiting for a worker that can take it. */
  readonly queueTime = new TracedDurations();
  /** From sending a request to a worker until the head of its response. */
  readonly upstreamTime = new TracedDurations();
  /** Answered from a static folder. */
  static = 0;

  /** A request has passed the front door. */
  began(): void {
    this.answers.inFlight++;
  }

  /**
   * One that had passed the front door is answered, or its client has left.
   * @param traceId when its trace is kept, else ''
   */
  done(exchange: Exchange, now: number, traceId: string): void {
    this.answers.inFlight--;
    this.answers.done(exchange);
    this.requestTime.observe(now - exchange.startedAt, traceId);
  }

  /** It was for a worker. */
  forwarded({ queuedMs, upstreamMs }: Trace, traceId: string): void {
    this.queueTime.observe(queuedMs, traceId);
    if (upstreamMs >= 0) this.upstreamTime.observe(upstreamMs, traceId);
  }

  /** All but what the upstream client counts. */
  requests(): Omit<ProxyStatus['requests'], 'retried'> {
    const { answers } = this;
    return {
      total: answers.ended,
      inFlight: answers.inFlight,
      byClass: answers.byClass(),
      faults: answers.faults(),
      static: this.static,
    };
  }

  durations(): NonNullable<ProxyStatus['durations']> {
    return {
      request: this.requestTime.told(),
      queue: this.queueTime.told(),
      upstream: this.upstreamTime.told(),
    };
  }
}
