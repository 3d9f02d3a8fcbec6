// The worker's front: takes HTTP requests from the front door, holds each until its body is whole and a slot of an
// application process is free, carries the response back, and answers for the process when it dies, hangs or is not there.
// Opened by worker/program.ts. Knows processes only as `ProcessPool` (slot.ts): not how they are started or spoken to.
import type { Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import type { WorkerConfig } from '../../core/config/worker.ts';
import type { Log } from '../../core/log.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import type { ListenAddress } from '../../http/listen.ts';
import type { BootFailure } from '../runtimes/runtime.ts';
import type { ProcessPool } from '../slot.ts';

export interface FrontOptions {
  readonly listen: ListenAddress;
  readonly config: WorkerConfig;
  /** The front sets its `onFree`. */
  readonly pool: ProcessPool;
  /** Absolute path of a private folder (mode 0700) for request bodies. It exists; its owner removes it. */
  readonly runDirectory: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Where the front's metrics are registered. */
  readonly registry: Registry;
  /**
   * Development only: why no process could be started last time. While this says something and no process is there,
   * requests are answered at once with a page that shows it, instead of waiting for a process.
   */
  readonly bootFailure?: () => BootFailure | null | undefined;
}

/** The front's part of the status document. */
export type FrontSnapshot = Pick<WorkerStatus, 'queue' | 'requests'>;

export interface Front {
  /** The address in force: the port when 0 was asked for. */
  readonly address: ListenAddress;
  /** Takes a new configuration in place. Requests under way keep the deadlines they began with. */
  configure(config: WorkerConfig): void;
  snapshot(): FrontSnapshot;
  /**
   * Stops listening, serves what waits and what runs, and resolves when all connections are gone or `timeoutMs` has passed
   * (then the rest is cut). Twice is safe. Processes must live until it has resolved.
   * @returns how many connections had to be cut
   */
  drain(timeoutMs: number): Promise<number>;
}

/** @throws CodedError 'ADDRESS_IN_USE' | 'ADDRESS_DENIED' | 'ADDRESS_INVALID' with a mend in its message */
export declare function openFront(options: FrontOptions): Promise<Front>;
