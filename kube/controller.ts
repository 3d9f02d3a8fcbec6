// Workers that take keys from a queue and reconcile them, with the retry policy as a property of the outcome.

import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { WorkQueue } from './queue.ts';

/** What a pass asks for. `retryAfterMs`: the pass failed for a reason that time may heal (a refusal): backoff, at least so long. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** One pass for one key. Must honour `signal`. A throw is retried with backoff; Retry-After of a KubeError is honoured. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>;

export interface ControllerOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  /** Passes at a time. Default 10. */
  readonly concurrency?: number;
  /** A pass that lasts longer is aborted and retried. Default 2 min. */
  readonly passTimeoutMs?: number;
  readonly log: Log;
  readonly clock: Clock;
  /** controller_runtime_* metrics. */
  readonly registry?: Registry;
}

export interface Controller {
  start(): void;
  /** Takes no new key, lets passes in work finish for `graceMs`, then aborts them. Twice is safe. Closes the queue. */
  stop(graceMs: number): Promise<void>;
}

export declare function makeController(options: ControllerOptions): Controller;
