// Which request gets which slot, and when: at once when one is free, else in the order of the queue. Keeps the deadlines of
// what runs, and tells the pool what it learns of its processes. The only place that takes slots and gives them back.
//
// The deadline (`timeouts.requestMs`) runs while we wait for the application: from the hand-over to the head, then from one piece
// of the response to the next, as nginx's proxy_read_timeout. It does not run while the client lags: gunicorn's, which counts
// a slow download too, kills workers for the sake of bad networks. Nor for server-sent events, whose silence is normal.
import type { Clock } from '../../core/clock.ts';
import type { WorkerConfig } from '../../core/config/worker.ts';
import type { Log } from '../../core/log.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { AppProcess, ProcessPool, Slot } from '../slot.ts';
import type { BodyStore } from './body-store.ts';
import type { FrontCounters } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import type { Passage } from './passage.ts';
import { pickProcess } from './pick.ts';
import { Queue } from './queue.ts';

/** A process that does not give a slot back so long after it was told that its client is gone hangs. */
const GRACE_MS = 2_000;

export interface DispatcherOptions {
  readonly config: WorkerConfig;
  readonly pool: ProcessPool;
  readonly store: BodyStore;
  readonly counters: FrontCounters;
  readonly clock: Clock;
  readonly log: Log;
  /** Answers for an application that cannot start and returns true; false: the request shall wait. */
  readonly standIn?: (exchange: Exchange) => boolean;
}

export class Dispatcher {
  readonly queue: Queue<Passage>;
  /** A response may run ahead of its client by so many bytes. */
  responseBufferBytes: number;
  private readonly pool: ProcessPool;
  private readonly store: BodyStore;
  private readonly counters: FrontCounters;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly standIn: (exchange: Exchange) => boolean;
  private deadlines: Deadlines<Passage>;
  private readonly graces: Deadlines<Passage>;
  private serving = false;
  private servingSoon = false;

  constructor(options: DispatcherOptions) {
    const { clock, config, pool } = options;
    this.pool = pool;
    this.store = options.store;
    this.counters = options.counters;
    this.clock = clock;
    this.log = options.log;
    this.standIn = options.standIn ?? (() => false);
    this.responseBufferBytes = config.limits.responseBufferBytes;
    this.queue = new Queue<Passage>(config.queue, clock, (passage) => this.waitedTooLong(passage));
    this.deadlines = this.makeDeadlines(config.timeouts.requestMs);
    this.graces = this.makeDeadlines(GRACE_MS);
  }

  configure(config: WorkerConfig): void {
    this.responseBufferBytes = config.limits.responseBufferBytes;
    this.queue.configure(config.queue);
    const { requestMs } = config.timeouts;
    if (requestMs !== this.deadlines.ms) this.deadlines = this.makeDeadlines(requestMs);
  }

  /** Takes a request whose body is whole. */
  submit(passage: Passage): void {
    const now = this.clock.now();
    passage.queuedAt = now;
    // Never past those that wait. That they wait while a slot is free happens only when the pool has grown without a word.
    if (this.queue.length > 0) this.serve();
    if (this.queue.length === 0 && this.findSlot(passage)) this.handOver(passage, now);
    else if (this.standIn(passage.exchange)) passage.leave();
    else if (!this.queue.push(passage, now)) passage.refuse('QUEUE_FULL');
  }

  /** The application has turned out not to start: those that wait are told so now. */
  standInForWaiting(): void {
    for (let next = this.queue.head; next !== null && this.standIn(next.exchange); next = this.queue.head) {
      this.withdraw(next);
      next.leave();
    }
  }

  /** Serves the queue as far as slots are free. Called by the pool whenever one may have become so. */
  serve(): void {
    // A slot that is freed within `send` calls again; the loop that runs already goes on with it.
    if (this.serving) return;
    this.serving = true;
    // Nothing in the loop throws, so the flag cannot stay.
    for (let next = this.queue.head; next !== null && this.findSlot(next); next = this.queue.head) {
      this.queue.remove(next);
      this.handOver(next, this.clock.now());
    }
    this.serving = false;
  }

  private handOver(passage: Passage, now: number): void {
    this.observeQueueTime(passage, now);
    this.deadlines.arm(passage, now);
    if (passage.slot !== null) passage.send(passage.slot, now);
  }

  /** @returns whether `passage` has a process and a slot now */
  private findSlot(passage: Passage): boolean {
    const best = pickProcess(this.pool.takers);
    if (best === undefined) return false;
    if (take(passage, best)) return true;
    // The least busy has none: full, or of fewer slots than others while the thread count changes.
    for (const process of this.pool.takers) if (process !== best && take(passage, process)) return true;
    return false;
  }

  /** Its process died; it is its turn before those that wait. */
  again(passage: Passage): void {
    this.counters.redispatched++;
    this.queue.unshift(passage, this.clock.now());
    // Processes that die together are noticed in one turn of the event loop: after it, only living ones are left to pick from.
    if (this.servingSoon) return;
    this.servingSoon = true;
    setImmediate(() => {
      this.servingSoon = false;
      this.serve();
    });
  }

  /** The client left while it waited. */
  withdraw(passage: Passage): void {
    if (!passage.queued) return;
    this.queue.remove(passage);
    this.observeQueueTime(passage, this.clock.now());
  }

  private waitedTooLong(passage: Passage): void {
    this.observeQueueTime(passage, this.clock.now());
    passage.refuse('QUEUE_TIMEOUT');
  }

  /** Once for a request: when it leaves the queue the first time, whichever way. */
  private observeQueueTime(passage: Passage, now: number): void {
    if (passage.handovers !== 0) return;
    this.counters.queueTime.observe(now - passage.queuedAt, passage.trace?.traceId);
    passage.trace?.left(now);
  }

  /** @param lives whether the process can serve on */
  release(passage: Passage, process: AppProcess, slot: Slot, lives: boolean): void {
    passage.timedBy?.disarm(passage);
    const now = this.clock.now();
    this.counters.appTime.observe(now - passage.sentAt, passage.trace?.traceId);
    passage.trace?.served(process, passage.sentAt, now);
    // Counted first: the process may have had its last request, and be none to pick when the slot is free.
    if (lives) this.pool.onServed(process);
    // The pool answers a freed slot with `onFree`, and that is `serve`.
    process.release(slot);
  }

  /** Nothing is held for it any more. */
  forget(passage: Passage): void {
    this.store.free(passage.request);
    passage.trace?.finished(passage);
  }

  broken(process: AppProcess, detail: string): void {
    this.pool.onBroken(process, detail);
  }

  /** The process has gone on with it for too long. */
  blame(passage: Passage): void {
    if (passage.process !== null) this.pool.onTimeout(passage.process, passage.request, this.deadlines.ms);
  }

  /** Something has come from the application: its deadline begins anew. */
  touch(passage: Passage): void {
    (passage.timedBy ?? this.deadlines).arm(passage, this.clock.now());
  }

  /** Its deadline stands still until it is touched again. */
  rest(passage: Passage): void {
    passage.timedBy?.disarm(passage);
  }

  armGrace(passage: Passage): void {
    this.graces.arm(passage, this.clock.now());
  }

  logFailure(passage: Passage, how: string, detail: string): void {
    const { exchange, handovers } = passage;
    const path = exchange.target.split('?', 1)[0];
    this.log.warn('a request failed in its process', {
      method: exchange.method,
      path,
      requestId: exchange.requestId,
      how,
      detail,
      handovers,
    });
  }

  private makeDeadlines(ms: number): Deadlines<Passage> {
    return new Deadlines<Passage>(ms, this.clock, (passage) => passage.expired());
  }
}

function take(passage: Passage, process: AppProcess): boolean {
  const slot = process.acquire();
  if (slot === undefined) return false;
  passage.process = process;
  passage.slot = slot;
  return true;
}
