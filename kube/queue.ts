// Which keys are to be looked at, and when: a set, not a list. A key is never in two workers at a time; added while worked on, it
// comes again. Live changes go before what the initial list and resyncs bring. (client-go's workqueue, controller-runtime's
// priorityqueue.)

import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';

/** Background: initial list, resync. Live always goes first, save that every 10th item taken is a background one when there is one. */
export type Priority = 'live' | 'background';

export interface WorkQueue {
  /** The higher priority and the earlier time win when the key is there already. */
  add(key: string, options?: { priority?: Priority; afterMs?: number }): void;
  /** Adds after the key's own backoff: 5 ms doubling to 1,000 s, with jitter; `atLeastMs` (Retry-After, a refusal) lengthens it. */
  retry(key: string, options?: { atLeastMs?: number }): void;
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

export declare function makeQueue(options: QueueOptions): WorkQueue;
