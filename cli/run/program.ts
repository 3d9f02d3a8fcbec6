// A proxy or worker program as `webapp up` sees it: a child process that is started, told to end, and started again when it
// ends by itself. Says what happens; decides nothing about the WebApp.
import { type ChildProcess, spawn } from 'node:child_process';
import { backoffMs } from '../../core/backoff.ts';
import { type ProgramRecord, readRecord } from '../terminal/program-line.ts';
import { LineSplitter } from './line-splitter.ts';

export interface ProgramCommand {
  readonly executable: string;
  /** Asked anew for each start: a port that was chosen freely stays the same. */
  readonly args: () => readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ProgramEvents {
  /** A line of the program's own log. */
  onRecord(record: ProgramRecord): void;
  /** Any other line, of the program or of the application. */
  onLine(line: string, stream: 'stdout' | 'stderr'): void;
  /** It ended by itself; `againInMs` null: it will not be started again. */
  onDown(exit: Exit, againInMs: number | null): void;
}

const BACKOFF = { firstMs: 500, maxMs: 15_000, factor: 2 };
/** A program that ran for so long starts its backoff anew. */
const STABLE_MS = 30_000;

export class Program {
  readonly #command: ProgramCommand;
  readonly #events: ProgramEvents;
  readonly #now: () => number;
  #child: ChildProcess | null = null;
  #startedAt = 0;
  #failures = 0;
  #again: NodeJS.Timeout | undefined;
  #stopping = false;
  #ended = Promise.withResolvers<void>();
  /** Before this a program that ends by itself is not started again: it cannot start at all. */
  established = false;

  constructor(command: ProgramCommand, events: ProgramEvents, now: () => number) {
    this.#command = command;
    this.#events = events;
    this.#now = now;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#stopping) return;
    const { executable, args, environment } = this.#command;
    // A session of its own: the terminal's Ctrl-C reaches `webapp up` alone, which then lets both finish in order. Its standard
    // input is a pipe that nothing is written to: when it ends, `webapp up` is gone (http/parent-watch.ts).
    const child = spawn(executable, args(), { env: environment, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    this.#startedAt = this.#now();
    this.#read(child, 'stdout');
    this.#read(child, 'stderr');
    child.stdin?.on('error', () => {}); // it ended first
    child.on('error', (error) => this.#onExit({ code: null, signal: error.message }));
    child.on('exit', (code, signal) => this.#onExit({ code, signal }));
  }

  #read(child: ChildProcess, stream: 'stdout' | 'stderr'): void {
    const lines = new LineSplitter((line) => {
      const record = stream === 'stderr' ? readRecord(line) : null;
      if (record) this.#events.onRecord(record);
      else this.#events.onLine(line, stream);
    });
    child[stream]?.on('data', (chunk: Buffer) => lines.take(chunk));
    child[stream]?.on('end', () => lines.end());
  }

  /** 'exit' and not 'close': a process of the application that holds the pipe open must not hold us up. */
  #onExit(exit: Exit): void {
    if (this.#child === null) return;
    this.#child = null;
    // What it said last may still be in the pipe.
    setTimeout(() => this.#afterExit(exit), 20);
  }

  #afterExit(exit: Exit): void {
    if (this.#stopping) {
      this.#ended.resolve();
      return;
    }
    if (!this.established) {
      this.#ended.resolve();
      this.#events.onDown(exit, null);
      return;
    }
    if (this.#now() - this.#startedAt >= STABLE_MS) this.#failures = 0;
    this.#failures++;
    const waitMs = Math.round(backoffMs(BACKOFF, this.#failures, Math.random()));
    this.#again = setTimeout(() => this.start(), waitMs);
    this.#events.onDown(exit, waitMs);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** SIGTERM: it finishes what is there. Resolves when it has ended. Twice is safe. */
  stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      clearTimeout(this.#again);
      if (this.#child === null) this.#ended.resolve();
      else this.#child.kill('SIGTERM');
    }
    return this.#ended.promise;
  }

  /** Ends it and all below it at once. */
  kill(): Promise<void> {
    const { pid } = this;
    const ended = this.stop();
    if (pid !== undefined) killGroup(pid);
    return ended;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
