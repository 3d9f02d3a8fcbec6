// Runs the programs that install things: one at a time, their output kept for the case of failure, their progress shown.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Failure } from '../failure.ts';

export interface StepResult {
  /** Exit code; 127 when the program is not there, 128 when a signal ended it. */
  readonly code: number;
  /** The end of what it printed. */
  readonly output: string;
}

/** @returns when the program has ended; never throws for its failure */
export type Step = (command: string, args: readonly string[], folder: string) => Promise<StepResult>;

export interface Installer {
  /** Aborts with the person's Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Shows `title` while `work` runs, with the latest line of the step in hand. */
  during(title: string, work: (step: Step) => Promise<void>): Promise<void>;
}

/** Where progress is shown; `done` is called once, `detail` often. */
export interface ProgressView {
  begin(title: string): { detail(line: string): void; done(succeeded: boolean): void };
}

/** Kept of a program's output. */
const MAX_OUTPUT = 256 * 1024;

/** @param interrupted aborts with the person's Ctrl-C: what runs is killed, the Failure is INTERRUPTED */
export function makeInstaller(
  view: ProgressView,
  environment: Readonly<Record<string, string | undefined>>,
  interrupted: AbortSignal,
): Installer {
  return {
    interrupted,
    during: async (title, work) => {
      const progress = view.begin(title);
      let succeeded = false;
      try {
        await work((command, args, folder) =>
          runStep(command, args, folder, environment, interrupted, (line) => progress.detail(line)),
        );
        succeeded = true;
      } finally {
        progress.done(succeeded);
      }
    },
  };
}

async function runStep(
  command: string,
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  interrupted: AbortSignal,
  onLine: (line: string) => void,
): Promise<StepResult> {
  const result = await new Promise<StepResult>((resolve) => {
    // A group of its own: the terminal's Ctrl-C reaches us alone, and killing the group ends compilers and the like too.
    const child = spawn(command, args, {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const stop = (): void => killGroup(child.pid);
    interrupted.addEventListener('abort', stop);
    if (interrupted.aborted) stop();
    let output = '';
    onLine([command.slice(command.lastIndexOf('/') + 1), ...args].join(' '));
    const take = (line: string): void => {
      output = `${output}${line}\n`.slice(-MAX_OUTPUT);
      onLine(line);
    };
    createInterface(child.stdout).on('line', take);
    createInterface(child.stderr).on('line', take);
    const end = (code: number): void => {
      interrupted.removeEventListener('abort', stop);
      resolve({ code, output });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.on('close', (code) => end(code ?? 128));
  });
  if (interrupted.aborted) throw new Failure('INTERRUPTED', 'stopped while installing; the next run begins anew');
  return result;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

/** @returns the end of a program's output, as much as a person reads */
export function lastLines(output: string, count = 30): string {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}
