// Which keys are to be looked at, and when: a set, not a list. A key is never in two workers at a time; added while worked on, it
// comes again. Live changes go before what the initial list and resyncs bring. (client-go's workqueue, controller-runtime's
// priorityqueue.)

import { Registry } from 'prom-client';
import { type BackoffPolicy, backoffMs } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { DueHeap } from './due-heap.ts';
import { Fifo } from './fifo.ts';
import { type QueueMeter, queueMeter } from './metrics.ts';

/** Background: initial list, resync. Live always goes first, save that every 10th item taken is a background one when there is one. */
export type Priority = 'live' | 'background';

export interface WorkQueue {
  /**
   * The higher priority and the earlier time win when the key is there already. Without a priority: live; for a key in work that
   * comes again `afterMs`, the priority it was taken with, so that what merely looks again never overtakes changes.
   */
  add(key: string, options?: { priority?: Priority; afterMs?: number }): void;
  /**
   * Adds after the key's own backoff, with jitter; `atLeastMs` (Retry-After) lengthens it. A failure with another `backoff` than the
   * one before is the first of its kind: how long nobody answered says nothing about what is refused then.
   * @param options `backoff`: default 5 ms doubling to 1,000 s
   */
  retry(key: string, options?: { backoff?: BackoffPolicy; atLeastMs?: number }): void;
  /** Success: the key's backoff begins anew. */
  forget(key: string): void;
  /** Waits for a key that is due. undefined: closed. The caller must call `done`. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  /** Keys due and waiting, those in work not counted. */
  readonly depth: number;
  /** Takers get undefined; adds are ignored. Twice is safe. */
  close(): void;
}

export interface QueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random?: () => number;
  /** workqueue_* metrics. */
  readonly registry?: Registry;
}

/** Holds a timer while keys wait for their time: whoever makes one closes it. */
export function makeQueue(options: QueueOptions): WorkQueue {
  return new KeyQueue(options);
}

/** client-go's DefaultTypedItemBasedRateLimiter. */
const BACKOFF: BackoffPolicy = { firstMs: 5, maxMs: 1_000_000, factor: 2 };
/** Retry-After is lengthened by up to so much of it: what was sent away together must not come back together. */
const AT_LEAST_JITTER = 0.1;
/** Live keys taken in a row, after which a background one has its turn. */
const LIVE_IN_A_ROW = 9;
/** Longest wait that Node's timers know; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Of a key, in a row and of one kind. */
interface Failures {
  readonly backoff: BackoffPolicy;
  readonly count: number;
}

/** A key that a worker holds. */
interface Work {
  readonly since: number;
  readonly priority: Priority;
  /** Added meanwhile: comes again when it is done. */
  again: Priority | undefined;
}

/** A key is in at most one of `#ready` (either priority), `#delayed` and `#work`, save that a key in work may also be delayed. */
class KeyQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #meter: QueueMeter;
  readonly #ready: Readonly<Record<Priority, Fifo>> = { live: new Fifo(), background: new Fifo() };
  readonly #delayed = new DueHeap<Priority>();
  readonly #work = new Map<string, Work>();
  readonly #failures = new Map<string, Failures>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #liveInARow = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When `#timer` fires; Infinity: there is none. */
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor({ name, clock, random = Math.random, registry = new Registry() }: QueueOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#meter = queueMeter(registry, name, {
      depths: () => ({ live: this.#ready.live.size, background: this.#ready.background.size }),
      inWorkMs: () => this.#work.values().map(({ since }) => clock.now() - since),
    });
  }

  get depth(): number {
    return this.#ready.live.size + this.#ready.background.size;
  }

  add(key: string, { priority, afterMs = 0 }: { priority?: Priority; afterMs?: number } = {}): void {
    if (this.#closed) return;
    if (afterMs > 0) this.#addLater(key, priority ?? this.#work.get(key)?.priority ?? 'live', afterMs);
    else this.#addNow(key, priority ?? 'live');
  }

  retry(key: string, { backoff = BACKOFF, atLeastMs = 0 }: { backoff?: BackoffPolicy; atLeastMs?: number } = {}): void {
    if (this.#closed) return;
    const before = this.#failures.get(key);
    const count = before?.backoff === backoff ? before.count + 1 : 1;
    this.#failures.set(key, { backoff, count });
    this.#meter.retried();
    const random = this.#random();
    const leastMs = atLeastMs > 0 ? atLeastMs * (1 + AT_LEAST_JITTER * random) : 0;
    const afterMs = Math.max(backoffMs(backoff, count, random), leastMs);
    this.#addLater(key, this.#work.get(key)?.priority ?? 'live', afterMs);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  take(): Promise<string | undefined> {
    const key = this.#closed ? undefined : this.#next();
    if (key !== undefined || this.#closed) return Promise.resolve(key);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    const work = this.#work.get(key);
    if (work === undefined) return;
    this.#work.delete(key);
    this.#meter.worked(this.#clock.now() - work.since);
    if (work.again !== undefined && !this.#closed) this.#makeReady(key, work.again);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#delayed.clear();
    this.#ready.live.clear();
    this.#ready.background.clear();
    this.#failures.clear();
    this.#meter.end();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #addNow(key: string, priority: Priority): void {
    const wanted = higher(priority, this.#delayed.remove(key)?.value);
    if (this.#promote(key, wanted)) return;
    this.#meter.added();
    const work = this.#work.get(key);
    if (work === undefined) this.#makeReady(key, wanted);
    else work.again = wanted;
  }

  #addLater(key: string, priority: Priority, afterMs: number): void {
    if (this.#promote(key, priority)) return;
    const dueAt = this.#clock.now() + afterMs;
    const there = this.#delayed.get(key);
    this.#delayed.put(key, Math.min(dueAt, there?.dueAt ?? dueAt), higher(priority, there?.value));
    this.#setTimer();
  }

  /** @returns whether `key` comes as soon as it can anyway; then it has at least `priority` now */
  #promote(key: string, priority: Priority): boolean {
    const work = this.#work.get(key);
    if (work !== undefined) {
      if (work.again === undefined) return false;
      work.again = higher(priority, work.again);
      return true;
    }
    if (this.#ready.live.has(key)) return true;
    if (!this.#ready.background.has(key)) return false;
    if (priority === 'live') this.#ready.live.push(key, this.#ready.background.remove(key) ?? this.#clock.now());
    return true;
  }

  #makeReady(key: string, priority: Priority): void {
    this.#ready[priority].push(key, this.#clock.now());
    if (this.#takers.length === 0) return;
    const next = this.#next();
    if (next !== undefined) this.#takers.shift()?.(next);
  }

  #next(): string | undefined {
    const priority = this.#nextPriority();
    const first = this.#ready[priority].shift();
    if (first === undefined) return undefined;
    this.#liveInARow = priority === 'live' ? this.#liveInARow + 1 : 0;
    const now = this.#clock.now();
    this.#work.set(first.key, { since: now, priority, again: undefined });
    this.#meter.taken(now - first.since);
    return first.key;
  }

  #nextPriority(): Priority {
    const { live, background } = this.#ready;
    const backgroundsTurn = live.size === 0 || this.#liveInARow >= LIVE_IN_A_ROW;
    return background.size > 0 && backgroundsTurn ? 'background' : 'live';
  }

  /** One timer for all that is delayed. It may fire for a key that is gone: then it is set anew. */
  #setTimer(): void {
    const dueAt = this.#delayed.first()?.dueAt;
    if (dueAt === undefined || dueAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = dueAt;
    const waitMs = Math.ceil(dueAt - this.#clock.now());
    this.#timer = setTimeout(() => this.#timeIsUp(), Math.min(Math.max(waitMs, 1), MAX_TIMER_MS));
  }

  #timeIsUp(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (let due = this.#delayed.first(); due !== undefined && due.dueAt <= now; due = this.#delayed.first())
      this.#addNow(due.key, due.value);
    this.#setTimer();
  }
}

function higher(one: Priority, other: Priority | undefined): Priority {
  return other === 'live' ? other : one;
}
