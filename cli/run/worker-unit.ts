// One worker program with its place: its own document, its own sockets. A stack has one, and two while the second takes over.
import { join } from 'node:path';
import type { WorkerConfig } from '../../core/config/worker.ts';
import { type WorkerStatus, workerStatusSchema } from '../../core/status/worker.ts';
import type { Failure } from '../failure.ts';
import type { ProgramRecord } from '../terminal/program-line.ts';
import { AdminClient } from './admin-client.ts';
import { type Exit, Program } from './program.ts';
import { NODE_FLAGS, programPath } from './program-path.ts';
import { writeDocument } from './run-folder.ts';
import type { StackSettings } from './settings.ts';
import { StartFailure } from './start-failure.ts';

export interface WorkerPlace {
  /** Private folder of the stack. */
  readonly folder: string;
  /** Counts up within the stack. */
  readonly number: number;
  /** Absolute folder of the application. */
  readonly source: string;
  /** Of the application's environment: WEBAPP_PYTHON and the like. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface WorkerEvents {
  onRecord(record: ProgramRecord): void;
  onLine(line: string): void;
  onCrash(exit: Exit, againInMs: number): void;
  /** It could not start and is not started again. */
  onFailed(failure: Failure): void;
}

export class WorkerUnit {
  readonly place: WorkerPlace;
  /** As the proxy's document names it. */
  readonly address: string;
  status: WorkerStatus | undefined;
  failed: Failure | null = null;
  readonly #program: Program;
  readonly #admin: AdminClient<WorkerStatus>;
  readonly #configPath: string;

  constructor(place: WorkerPlace, settings: StackSettings, events: WorkerEvents) {
    const path = (ending: string): string => join(place.folder, `worker-${place.number}${ending}`);
    this.place = place;
    this.address = `unix:${path('.sock')}`;
    this.#configPath = path('.json');
    this.#admin = new AdminClient(path('-admin.sock'), workerStatusSchema);
    const { executable, environment, now, reload } = settings;
    const args = [
      ...[...NODE_FLAGS, programPath('worker'), '--config', this.#configPath, '--directory', place.source],
      ...['--listen', this.address, '--admin', `unix:${path('-admin.sock')}`, '--exit-with-parent'],
      ...(reload ? ['--development', '--on-boot-error', 'retry'] : []),
    ];
    const failure = new StartFailure('worker');
    this.#program = new Program(
      { executable, args: () => args, environment: { ...environment, ...place.variables } },
      {
        onRecord: (record) => {
          failure.take(record);
          // Why it cannot start is said once, by whoever hears onFailed.
          const isLast = !this.#program.established && !reload && record.fields['code'] !== undefined;
          if (!isLast) events.onRecord(record);
        },
        onLine: (line) => events.onLine(line),
        onDown: (exit, againInMs) => {
          this.status = undefined;
          if (againInMs !== null) events.onCrash(exit, againInMs);
          else {
            this.failed = failure.toFailure(exit);
            events.onFailed(this.failed);
          }
        },
      },
      now,
    );
  }

  run(document: WorkerConfig): void {
    this.tell(document);
    this.#program.start();
  }

  /** The program watches its document. */
  tell(document: WorkerConfig): void {
    writeDocument(this.#configPath, document);
  }

  /** From now on it is started again when it ends by itself. */
  establish(): void {
    this.#program.established = true;
  }

  /** Asks for its status; a program that does not answer has none. */
  async look(): Promise<void> {
    this.status = await this.#admin.status();
  }

  /** A process is ready; where failures are shown in the browser, one that could not start is enough. */
  isUp(orShowsFailure: boolean): boolean {
    if (!this.status) return false;
    return this.status.processes.ready > 0 || (orShowsFailure && this.trouble !== '');
  }

  /** Why no process is ready, '' when one is or when it is not known. */
  get trouble(): string {
    if (!this.status || this.status.processes.ready > 0) return '';
    const [death] = this.status.deaths;
    return death?.cause === 'boot' || death?.cause === 'boot-timeout' ? 'does not start' : '';
  }

  reload(): void {
    this.#program.signal('SIGHUP');
  }

  /** It finishes what it has; at once after `withinMs`. Resolves when it has ended. */
  async stop(withinMs: number): Promise<void> {
    await stopWithin(this.#program, withinMs);
    this.#admin.close();
  }

  async kill(): Promise<void> {
    await this.#program.kill();
    this.#admin.close();
  }
}

export async function stopWithin(program: Program, ms: number): Promise<void> {
  const timer = setTimeout(() => void program.kill(), ms);
  await program.stop();
  clearTimeout(timer);
}
