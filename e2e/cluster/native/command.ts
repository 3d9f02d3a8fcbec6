// Programs of the machine that do one thing and end.
import { execFile } from 'node:child_process';

const COMMAND_TIMEOUT_MS = 5 * 60_000;
const OUTPUT_BYTES = 16 * 2 ** 20;

/** @returns stdout. @throws Error with stderr when it fails or takes five minutes */
export function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${[program, ...args].join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}
