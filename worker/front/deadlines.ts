// Deadlines of one length for many requests, without a timer for each. Since all last equally long, the order of arming is
// the order of expiry: a linked list with one timer for its head. Arming, touching and disarming are a few pointer writes; the
// timer is set once for many requests, because it stays when its head is disarmed and looks again when it fires.
import type { Clock } from '../../core/clock.ts';

/** The links of something that can be in one `Deadlines` at a time. Written by `Deadlines` alone. */
export interface Timed<T extends Timed<T>> {
  timedBy: Deadlines<T> | null;
  /** `Clock.now()` of the last arming. */
  armedAt: number;
  earlier: T | null;
  later: T | null;
}

/** The longest wait that setTimeout takes; a longer deadline looks again when it fires. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A change of the length makes a new list: what is under way keeps the deadline it began with. */
export class Deadlines<T extends Timed<T>> {
  readonly ms: number;
  private readonly clock: Clock;
  private readonly onExpired: (item: T) => void;
  private head: T | null = null;
  private tail: T | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(ms: number, clock: Clock, onExpired: (item: T) => void) {
    this.ms = ms;
    this.clock = clock;
    this.onExpired = onExpired;
  }

  /** `item` expires `ms` after `now`, unless it is armed anew (here or in another list) or disarmed before. */
  arm(item: T, now: number): void {
    item.timedBy?.disarm(item);
    item.timedBy = this;
    item.armedAt = now;
    item.earlier = this.tail;
    if (this.tail === null) this.head = item;
    else this.tail.later = item;
    this.tail = item;
    if (this.timer === null) this.watch(this.ms);
  }

  /** Only for an item that is in this list (`timedBy`). */
  disarm(item: T): void {
    const { earlier, later } = item;
    if (earlier === null) this.head = later;
    else earlier.later = later;
    if (later === null) this.tail = earlier;
    else later.earlier = earlier;
    item.timedBy = null;
    item.earlier = null;
    item.later = null;
  }

  /** The timer never keeps the program alive: whoever waits has a socket that does. */
  private watch(ms: number): void {
    this.timer = setTimeout(() => this.expire(), Math.min(Math.max(1, Math.ceil(ms)), MAX_TIMER_MS)).unref();
  }

  private expire(): void {
    this.timer = null;
    const now = this.clock.now();
    for (let item = this.head; item !== null && item.armedAt + this.ms <= now; item = this.head) {
      this.disarm(item);
      this.onExpired(item);
    }
    if (this.head !== null && this.timer === null) this.watch(this.head.armedAt + this.ms - now);
  }
}
