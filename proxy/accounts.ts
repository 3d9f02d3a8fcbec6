// What the proxy counts of requests. Outlives configurations.
import { Histogram, type Registry } from 'prom-client';
import type { ProxyStatus } from '../core/status/proxy.ts';
import { AnswerCounts, DURATION_BUCKETS } from '../http/answer-counts.ts';
import type { Exchange } from '../http/exchange.ts';

export class Accounts {
  readonly answers = new AnswerCounts();
  #static = 0;
  readonly #requestSeconds: Histogram;
  readonly #upstreamSeconds: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.answers.register(registry, 'webapp_proxy_');
    this.#requestSeconds = new Histogram({
      name: 'webapp_proxy_request_seconds',
      help: 'From the arrival of a request head until its response was handed over in full.',
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#upstreamSeconds = new Histogram({
      name: 'webapp_proxy_upstream_seconds',
      help: 'From sending a request to a worker until the head of its response.',
      buckets: DURATION_BUCKETS,
      registers,
    });
  }

  /** A request has passed the front door. */
  began(): void {
    this.answers.inFlight++;
  }

  /** Answered, or the client left. */
  done(exchange: Exchange, now: number): void {
    this.answers.inFlight--;
    this.#requestSeconds.observe((now - exchange.startedAt) / 1000);
    this.answers.answered(exchange.status);
  }

  servedStatic(): void {
    this.#static++;
  }

  upstreamAnswered(ms: number): void {
    this.#upstreamSeconds.observe(ms / 1000);
  }

  /** All but what the upstream client counts. */
  snapshot(): Omit<ProxyStatus['requests'], 'retried'> {
    const { answers } = this;
    return {
      total: answers.ended,
      inFlight: answers.inFlight,
      byClass: answers.byClass(),
      faults: answers.faults(),
      static: this.#static,
    };
  }
}
