// What the front counts. Plain numbers on the hot path; Prometheus reads them when it asks. Only the two histograms are
// prom-client's own on the path: one observation each for a request, without labels (0.25 µs).
import { Counter, Histogram, type Registry } from 'prom-client';
import { AnswerCounts, DURATION_BUCKETS } from '../../http/answer-counts.ts';
import type { FrontSnapshot } from './front.ts';

export class FrontCounters {
  readonly answers = new AnswerCounts();
  redispatched = 0;
  /** From the last byte of the request's body until a slot is taken, or the wait is given up. */
  readonly queueSeconds: Histogram;
  /** From then until the slot is free again. */
  readonly appSeconds: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.queueSeconds = new Histogram({
      name: 'webapp_worker_queue_seconds',
      help: 'How long requests waited for a free slot, from the last byte of the body; 0 when one was free.',
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.appSeconds = new Histogram({
      name: 'webapp_worker_app_seconds',
      help: 'How long requests held a slot of an application process.',
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.answers.register(registry, 'webapp_worker_');
    registerRedispatched(this, registers);
  }

  snapshot(): FrontSnapshot['requests'] {
    const { answers, redispatched } = this;
    const { ended, inFlight } = answers;
    return { total: ended + inFlight, inFlight, byClass: answers.byClass(), faults: answers.faults(), redispatched };
  }
}

function registerRedispatched(counters: FrontCounters, registers: Registry[]): void {
  new Counter({
    name: 'webapp_worker_redispatched_total',
    help: 'Requests handed to another process because theirs died.',
    registers,
    collect() {
      this.reset();
      this.inc(counters.redispatched);
    },
  });
}
