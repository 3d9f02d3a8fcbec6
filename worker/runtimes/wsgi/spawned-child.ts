// An application process that the supervisor's program starts itself.
import { type ChildProcess, spawn } from 'node:child_process';
import type { BootFailure, Child, ChildEvents } from '../runtime.ts';
import type { Connections } from './connections.ts';

/** How a process is started. */
export interface Command {
  readonly python: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the process prints goes where this program's output goes, untouched. */
export function spawnPython(command: Command): ChildProcess {
  const { python, args, directory, env } = command;
  return spawn(python, args, { cwd: directory, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

export class SpawnedChild implements Child {
  readonly #connections: Connections;
  readonly #process: ChildProcess;
  #over = false;

  constructor(command: Command, connections: Connections, events: ChildEvents) {
    this.#connections = connections;
    this.#process = spawnPython(command);
    this.#process.once('spawn', () => events.onPid(this.#process.pid ?? 0));
    this.#process.once('error', (error) => {
      if (this.#process.pid !== undefined) return; // a signal could not be sent: 'exit' follows
      events.onBootFailed(cannotStart(command, error));
      this.#settle(null, null, events);
    });
    this.#process.once('exit', (code, signal) => this.#settle(code, signal, events));
  }

  stop(): void {
    this.#connections.leave();
    if (!this.#connections.isReady) this.#signal('SIGTERM'); // it is still importing: nothing to finish
  }

  kill(dump: boolean): void {
    this.#signal(dump ? 'SIGABRT' : 'SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#over) this.#process.kill(signal);
  }

  #settle(code: number | null, signal: string | null, events: ChildEvents): void {
    if (this.#over) return;
    this.#over = true;
    this.#connections.settle(() => events.onExit(code, signal));
  }
}

export function cannotStart(command: Command, error: NodeJS.ErrnoException): BootFailure {
  return {
    reason: `${command.python} could not be started in ${command.directory}: ${error.message}`,
    mend: 'See that the folder is there and that the Python runs: `python --version`.',
    traceback: '',
  };
}
