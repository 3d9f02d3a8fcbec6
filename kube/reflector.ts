// Keeps a Sink in step with one collection of the API server: a paged list, then watches one after another, for ever. It may be
// late, and says so through `health`; it is never silently dead.

import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Resource } from './object.ts';
import type { Sink } from './store.ts';
import type { Transport } from './transport.ts';

export interface ReflectorOptions {
  readonly transport: Transport;
  readonly resource: Resource;
  /** One namespace; absent: all. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly sink: Sink;
  readonly log: Log;
  readonly clock: Clock;
  readonly registry?: Registry;
  /** In [0, 1), for jitter. Default Math.random. */
  readonly random?: () => number;
}

export interface Reflector {
  start(): void;
  /** Resolves when the first list is in the sink. Never rejects; a close before that resolves it too. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
  /** null: in step, or away for less than the limit (2 min). Else what is wrong, for /healthz and logs. */
  health(): string | null;
  /** Aborts what is in flight. Twice is safe. Nothing reaches the sink afterwards. */
  close(): void;
}

export declare function makeReflector(options: ReflectorOptions): Reflector;
