// From starting the program to its first answer of a hello-world, and what the supervising process then holds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pssOf, rssOf } from './process-tree.ts';

export interface Startup {
  readonly firstAnswerMs: number;
  readonly supervisorRss: number;
  readonly supervisorPss: number;
}

/** @param command given the Unix socket to listen on, its command line */
export async function measureStartup(
  command: (socket: string) => readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<Startup> {
  const folder = mkdtempSync(join(tmpdir(), 'start-'));
  const socketPath = join(folder, 's.sock');
  const [program = '', ...args] = command(socketPath);
  const began = performance.now();
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
  try {
    while (!(await answered(socketPath))) {
      if (performance.now() - began > 30_000 || child.exitCode !== null)
        throw new Error(`${program} ${args.join(' ')} gave no answer`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const firstAnswerMs = performance.now() - began;
    const pid = child.pid ?? 0;
    return { firstAnswerMs, supervisorRss: rssOf(pid), supervisorPss: pssOf(pid) };
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

function answered(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = get({ socketPath, path: '/', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    outgoing.on('error', () => resolve(false));
  });
}
