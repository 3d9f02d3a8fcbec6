// Running docker and kind: bounded in time and output, and what they say told when they fail.
import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly timeoutMs?: number;
  /** Its stderr is also shown while it runs: for what takes minutes. */
  readonly shown?: boolean;
}

/** @returns stdout. @throws Error with the end of stderr when it ends otherwise than with 0, or not in time */
export type Command = (args: readonly string[], options?: CommandOptions) => Promise<string>;

const TIMEOUT_MS = 60_000;
const OUTPUT_BYTES = 16 * 2 ** 20;
const WORDS = 4000;

export function makeCommand(program: string, env: NodeJS.ProcessEnv = process.env): Command {
  return (args, { timeoutMs = TIMEOUT_MS, shown = false } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
      const failed = (why: string): Error => new Error(`${program} ${args.join(' ')}: ${why}\n${said}`);
      let stdout = '';
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
        if (stdout.length > OUTPUT_BYTES) child.kill('SIGKILL');
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-WORDS);
        if (shown) process.stderr.write(text);
      });
      child.once('error', (error) => reject(failed(error.message)));
      child.once('close', (code, signal) =>
        code === 0 ? resolve(stdout) : reject(failed(signal ? `ended by ${signal}` : `ended with ${code}`)),
      );
    });
}
