// What the proxy counts of requests: plain numbers on the hot path, read when the status or the metrics are asked for.
// Outlives configurations.
import type { Registry } from 'prom-client';
import { Histogram } from 'prom-client';
import type { FaultCode } from '../core/errors.ts';
import type { ProxyStatus } from '../core/status/proxy.ts';
import type { Exchange } from '../http/exchange.ts';

/** Seconds, 1 ms to 60 s. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export class Accounts {
  #total = 0;
  #inFlight = 0;
  /** Left before anything was answered: in no class. */
  #left = 0;
  #static = 0;
  readonly #classes = [0, 0, 0, 0, 0];
  readonly #faults = new Map<FaultCode, number>();
  readonly #requestSeconds: Histogram;
  readonly #upstreamSeconds: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requestSeconds = new Histogram({
      name: 'webapp_proxy_request_seconds',
      help: 'From the arrival of a request head until its response was handed over in full.',
      buckets: BUCKETS,
      registers,
    });
    this.#upstreamSeconds = new Histogram({
      name: 'webapp_proxy_upstream_seconds',
      help: 'From sending a request to a worker until the head of its response.',
      buckets: BUCKETS,
      registers,
    });
  }

  /** A request has passed the front door. */
  began(): void {
    this.#inFlight++;
  }

  /** Answered, or the client left. */
  done(exchange: Exchange, now: number): void {
    this.#inFlight--;
    this.#requestSeconds.observe((now - exchange.startedAt) / 1000);
    this.answered(exchange.status);
  }

  /** One more answer: refused at the front door, an upgrade, or any other. @param status 0: the client left before it */
  answered(status: number): void {
    this.#total++;
    const index = Math.floor(status / 100) - 1;
    const count = this.#classes[index];
    if (count === undefined) this.#left++;
    else this.#classes[index] = count + 1;
  }

  fault(code: FaultCode): void {
    this.#faults.set(code, (this.#faults.get(code) ?? 0) + 1);
  }

  servedStatic(): void {
    this.#static++;
  }

  upstreamAnswered(ms: number): void {
    this.#upstreamSeconds.observe(ms / 1000);
  }

  get left(): number {
    return this.#left;
  }

  /** All but what the upstream client counts. */
  snapshot(): Omit<ProxyStatus['requests'], 'retried'> {
    return {
      total: this.#total,
      inFlight: this.#inFlight,
      byClass: Object.fromEntries(CLASSES.map((name, i) => [name, this.#classes[i] ?? 0])),
      faults: Object.fromEntries(this.#faults),
      static: this.#static,
    };
  }
}
