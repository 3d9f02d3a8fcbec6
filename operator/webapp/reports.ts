// The status documents of the workers, read from their admin ports: soon and often while something is changing, seldom otherwise. Keeps the last one of each
// pod; tells when what a WebApp's status says of them would differ.
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { WorkerReport } from './observed.ts';

export interface ReportTarget {
  readonly pod: string;
  readonly uid: string;
  readonly ip: string;
  readonly port: number;
  /** Hash of worker.json that it should run by; while it does not, it is asked often. */
  readonly configHash: string | undefined;
}

export interface WorkerReports {
  /** The pods of a WebApp to ask, ready or not; those not named are forgotten. An empty list lets go. */
  want(key: string, targets: readonly ReportTarget[]): void;
  of(key: string): readonly WorkerReport[];
  /** `key`'s reports differ in what the status tells: processes desired and ready, applied hash and error, the latest death, queue length. @returns stop */
  onChange(listener: (key: string) => void): () => void;
  close(): void;
}

export interface WorkerReportsOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Time between two questions to a worker that is in step. Default 30 s, jittered; 0: never ask. */
  readonly quietMs?: number;
  /** …and to one that is not. Default 300 ms, slowing down to quietMs. */
  readonly busyMs?: number;
  /** Questions at a time. Default 64. */
  readonly concurrency?: number;
}

export declare function makeWorkerReports(options: WorkerReportsOptions): WorkerReports;
