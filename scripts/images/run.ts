// Programs that builds are made of: quiet while they work, their last words in the error when they fail.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const LAST_WORDS = 4000;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What it says goes to stderr, too. */
  readonly isLoud?: boolean;
}

/** @returns its stdout, the last MiB of it. @throws Error with its last words when it ends with anything but 0 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    });
    let stdout = '';
    let said = '';
    const hear = (chunk: string): void => {
      said = (said + chunk).slice(-LAST_WORDS);
      if (options.isLoud) process.stderr.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout = (stdout + chunk).slice(-(2 ** 20));
      hear(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${[program, ...args].join(' ')} ended with ${code ?? signal}:\n${said}`));
    });
  });
}

/** Whether `name` is a program on PATH. */
export function commandExists(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
