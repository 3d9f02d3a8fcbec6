// What the front counts. Plain numbers on the hot path; Prometheus reads them when it asks. Only the two histograms are
// prom-client's own on the path: one observation each for a request, without labels (0.25 µs).
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { FaultCode } from '../../core/errors.ts';
import type { FrontSnapshot } from './front.ts';

/** Seconds, 1 ms to 60 s. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export class FrontCounters {
  inFlight = 0;
  private answered = 0;
  redispatched = 0;
  /** As CLASSES. */
  private readonly classes = [0, 0, 0, 0, 0];
  private readonly faults = new Map<FaultCode, number>();
  /** From the last byte of the request's body until a slot is taken, or the wait is given up. */
  readonly queueSeconds: Histogram;
  /** From then until the slot is free again. */
  readonly appSeconds: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.queueSeconds = new Histogram({
      name: 'webapp_worker_queue_seconds',
      help: 'How long requests waited for a free slot, from the last byte of the body; 0 when one was free.',
      buckets: BUCKETS,
      registers,
    });
    this.appSeconds = new Histogram({
      name: 'webapp_worker_app_seconds',
      help: 'How long requests held a slot of an application process.',
      buckets: BUCKETS,
      registers,
    });
    registerTotals(this, registers);
  }

  /** @param status as sent; 0 when the client left before, which is in no class */
  done(status: number): void {
    this.answered++;
    const index = Math.floor(status / 100) - 1;
    const count = this.classes[index];
    if (count !== undefined) this.classes[index] = count + 1;
  }

  fault(code: FaultCode): void {
    this.faults.set(code, (this.faults.get(code) ?? 0) + 1);
  }

  snapshot(): FrontSnapshot['requests'] {
    const { answered, inFlight, redispatched } = this;
    const total = answered + inFlight;
    const byClass = Object.fromEntries(CLASSES.map((name, i) => [name, this.classes[i] ?? 0]));
    return { total, inFlight, byClass, faults: Object.fromEntries(this.faults), redispatched };
  }
}

function registerTotals(counters: FrontCounters, registers: Registry[]): void {
  new Counter({
    name: 'webapp_worker_requests_total',
    help: 'Requests answered, by first digit of the status.',
    labelNames: ['class'],
    registers,
    collect() {
      this.reset();
      for (const [name, count] of Object.entries(counters.snapshot().byClass)) this.inc({ class: name }, count);
    },
  });
  new Counter({
    name: 'webapp_worker_faults_total',
    help: 'Requests that the worker refused or failed, by the code of the fault.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of Object.entries(counters.snapshot().faults)) this.inc({ code }, count);
    },
  });
  new Counter({
    name: 'webapp_worker_redispatched_total',
    help: 'Requests handed to another process because theirs died.',
    registers,
    collect() {
      this.reset();
      this.inc(counters.redispatched);
    },
  });
  new Gauge({
    name: 'webapp_worker_requests_in_flight',
    help: 'Requests that have come and are not answered in full.',
    registers,
    collect() {
      this.set(counters.inFlight);
    },
  });
}
