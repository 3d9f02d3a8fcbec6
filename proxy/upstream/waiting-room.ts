// Requests that found no endpoint: they wait, first come first served, for one to come (back). A worker that is just restarting
// must not fail a request. Bounded in number and time; knocks at the endpoints that could not be reached as long as anybody waits.
import type { Directory } from './directory.ts';
import type { Endpoint } from './endpoint.ts';

export interface Waiter {
  /** An endpoint is there: try again. */
  onEligible(): void;
  /** It has taken too long. */
  onExpired(): void;
  /** End of its patience, `performance.now()`; set by the room when it first waits, 0 before. */
  waitsUntil: number;
  /** When it began to wait this time, `performance.now()`; set by the room. */
  waitingSince: number;
  /** How long it has waited in all, ms; set by the room when it leaves. */
  waitedMs: number;
  /** Set by the room; null while it does not wait. */
  waitTimer: NodeJS.Timeout | null;
}

/** How often unreachable endpoints are tried while somebody waits. */
const KNOCK_MS = 50;
/** How many of them at a time. */
const KNOCKS = 8;
/** How many are let go in one turn of the event loop: all at once would be a burst that the endpoint refuses. */
const BATCH = 64;

export class WaitingRoom {
  total = 0;
  expired = 0;
  readonly #directory: Directory;
  readonly #holdMs: number;
  readonly #maxHeld: number;
  /** In the order of their coming. */
  readonly #waiters = new Set<Waiter>();
  #knocking: NodeJS.Timeout | null = null;
  #releasing = false;

  constructor(directory: Directory, holdMs: number, maxHeld: number) {
    this.#directory = directory;
    this.#holdMs = holdMs;
    this.#maxHeld = maxHeld;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** As many may wait. */
  get max(): number {
    return this.#maxHeld;
  }

  /** @returns how long the first has waited, ms; 0 when nobody waits */
  oldestMs(now: number): number {
    for (const { waitingSince } of this.#waiters) return Math.max(0, now - waitingSince);
    return 0;
  }

  /** @returns false when there is no place, or `waiter` has waited for as long as it may */
  enter(waiter: Waiter): boolean {
    const now = performance.now();
    if (waiter.waitsUntil === 0) waiter.waitsUntil = now + this.#holdMs;
    const leftMs = waiter.waitsUntil - now;
    if (leftMs <= 0 || this.#waiters.size >= this.#maxHeld) return false;
    this.total++;
    waiter.waitingSince = now;
    this.#waiters.add(waiter);
    waiter.waitTimer = setTimeout(() => this.#expire(waiter), leftMs);
    this.#knocking ??= setInterval(() => this.#knock(), KNOCK_MS);
    return true;
  }

  /** Twice is safe, and so is it for one that never entered. */
  leave(waiter: Waiter): void {
    if (waiter.waitTimer === null) return;
    clearTimeout(waiter.waitTimer);
    waiter.waitTimer = null;
    waiter.waitedMs += performance.now() - waiter.waitingSince;
    this.#waiters.delete(waiter);
    if (this.#waiters.size === 0) this.#stopKnocking();
  }

  /** Lets them try again, in the order in which they came. */
  release(): void {
    if (this.#releasing || this.#waiters.size === 0) return;
    this.#releasing = true;
    setImmediate(() => this.#releaseBatch());
  }

  /** Sends everybody away. */
  close(): void {
    for (const waiter of [...this.#waiters]) this.#expire(waiter);
  }

  #releaseBatch(): void {
    this.#releasing = false;
    for (const waiter of [...this.#waiters].slice(0, BATCH)) {
      if (!this.#waiters.has(waiter)) continue;
      this.leave(waiter);
      waiter.onEligible();
    }
    if (this.#directory.hasEligible) this.release();
  }

  #expire(waiter: Waiter): void {
    this.leave(waiter);
    this.expired++;
    waiter.onExpired();
  }

  #knock(): void {
    const closed: Endpoint[] = this.#directory.unreachable();
    const first = Math.floor(this.#directory.random() * closed.length);
    for (let step = 0; step < Math.min(KNOCKS, closed.length); step++) {
      closed[(first + step) % closed.length]?.probe();
    }
  }

  #stopKnocking(): void {
    if (this.#knocking !== null) clearInterval(this.#knocking);
    this.#knocking = null;
  }
}
