// The one central queue: requests whose body is whole and for which no slot was free, first come, first served. Bounded in
// length and in time. Central, because a queue for each process lets a request wait behind a slow one while another process
// is idle. Push, shift and removal from the middle (client gone) are O(1).
import type { Clock } from '../../core/clock.ts';
import type { WorkerConfig } from '../../core/config/worker.ts';
import { Deadlines, type Timed } from './deadlines.ts';

/** The links of something that can be in one `Queue`. Written by `Queue` alone, save `queuedAt`, which may be read. */
export interface Queued<T extends Queued<T>> extends Timed<T> {
  queued: boolean;
  /** `Clock.now()` when it began to wait. */
  queuedAt: number;
  before: T | null;
  behind: T | null;
}

export class Queue<T extends Queued<T>> {
  length = 0;
  head: T | null = null;
  private tail: T | null = null;
  private max: number;
  private deadlines: Deadlines<T>;
  private readonly clock: Clock;
  private readonly onExpired: (item: T) => void;

  /** @param onExpired told of an item that has waited too long, after it has left the queue */
  constructor(settings: WorkerConfig['queue'], clock: Clock, onExpired: (item: T) => void) {
    this.clock = clock;
    this.onExpired = onExpired;
    this.max = settings.max;
    this.deadlines = this.makeDeadlines(settings.timeoutMs);
  }

  /** What waits keeps its place, even beyond a smaller `max`, and its deadline. */
  configure(settings: WorkerConfig['queue']): void {
    this.max = settings.max;
    if (settings.timeoutMs !== this.deadlines.ms) this.deadlines = this.makeDeadlines(settings.timeoutMs);
  }

  /** @returns false when the queue is full; `item` is not in it then */
  push(item: T, now: number): boolean {
    if (this.length >= this.max) return false;
    item.before = this.tail;
    if (this.tail === null) this.head = item;
    else this.tail.behind = item;
    this.tail = item;
    this.enter(item, now);
    return true;
  }

  /**
   * Back to the head, for a request whose process died: it has waited its turn once. Taken beyond `max` too, since it was let in
   * before; no more can come so than there are slots.
   */
  unshift(item: T, now: number): void {
    item.behind = this.head;
    if (this.head === null) this.tail = item;
    else this.head.before = item;
    this.head = item;
    this.enter(item, now);
  }

  /** Only for an item that is in the queue. */
  remove(item: T): void {
    item.timedBy?.disarm(item);
    this.leave(item);
  }

  /** @returns how long the head has waited, in milliseconds; 0 when nothing waits */
  oldestMs(now: number): number {
    return this.head === null ? 0 : Math.max(0, now - this.head.queuedAt);
  }

  private enter(item: T, now: number): void {
    item.queued = true;
    item.queuedAt = now;
    this.length++;
    this.deadlines.arm(item, now);
  }

  private leave(item: T): void {
    const { before, behind } = item;
    if (before === null) this.head = behind;
    else before.behind = behind;
    if (behind === null) this.tail = before;
    else behind.before = before;
    item.before = null;
    item.behind = null;
    item.queued = false;
    this.length--;
  }

  private makeDeadlines(ms: number): Deadlines<T> {
    return new Deadlines<T>(ms, this.clock, (item) => {
      this.leave(item);
      this.onExpired(item);
    });
  }
}
