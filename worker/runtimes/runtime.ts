// What a kind of application process is to the supervisor: how it is started, how it says that it is ready, how it is asked
// to stop. Implemented by wsgi.ts and node.ts; used by supervisor.ts only.
import type { WorkerConfig } from '../../core/config/worker.ts';
import type { Slot } from '../slot.ts';

/** Everything that decides what a new process is. A change of any of it replaces the processes, replacement first. */
export interface AppSpec {
  readonly app: string;
  readonly env: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly preload: boolean;
  /** Absolute folder of the application. */
  readonly directory: string;
  /** Development: debugger page of the framework when the application's debug mode is on. */
  readonly development: boolean;
  readonly trustForwarded: WorkerConfig['trustForwarded'];
  readonly limits: WorkerConfig['limits'];
}

export interface BootFailure {
  /** One sentence: what is wrong, such as "No module named 'flask'". */
  readonly reason: string;
  /** One sentence: how to mend it. */
  readonly mend: string;
  /** The application's own traceback, '' when there is none. */
  readonly traceback: string;
}

/** One process, as its runtime tells of it. Callbacks come in order: onReady or onBootFailed first, onExit last and once. */
export interface ChildEvents {
  onPid(pid: number): void;
  onReady(slots: readonly Slot[]): void;
  onBootFailed(failure: BootFailure): void;
  onExit(exitCode: number | null, signal: string | null): void;
}

export interface Child {
  /** Finish what runs, take no more, exit 0. */
  stop(): void;
  /** SIGKILL, or SIGABRT where `dump` asks for the stacks of a hung process to be written to stderr before. */
  kill(dump: boolean): void;
  /**
   * One event loop serves all slots: a slot that does not come back after `cancel` says that the loop is blocked, and that no
   * other request in this process will end either.
   */
  readonly blocksAsOne?: boolean;
  /** Raw connection to the application for upgrades; only where the runtime carries them. */
  connect?(): import('node:net').Socket;
}

export interface Runtime {
  /** Starts a process with this `id`; never throws: a failure to start is onBootFailed and onExit. */
  start(id: number, events: ChildEvents): Child;
  /** Ends what the runtime holds besides processes: listening socket, preloaded parent. Twice is safe. */
  close(): void;
}

/** @param runDirectory private folder (mode 0700) for sockets; exists */
export type MakeRuntime = (spec: AppSpec, runDirectory: string, log: import('../../core/log.ts').Log) => Runtime;
