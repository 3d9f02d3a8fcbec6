// One builder at a time, over processes: what is kept in the cache is made by one only.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 30 * 60_000;
const LOOK_MS = 500;

/**
 * @param path of a file that stands for the right to build. That of a process that is gone is taken over.
 * @throws Error after 30 minutes
 */
export async function oneAtATime<T>(path: string, build: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  while (!take(path)) {
    if (performance.now() > deadline)
      throw new Error(`another process builds for 30 minutes: remove ${path} if none does`);
    await sleep(LOOK_MS);
  }
  try {
    return await build();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isHeld(path)) rmSync(path, { force: true });
    return false;
  }
}

function isHeld(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // Empty for the moment between its making and its writing.
    return pid === 0 || isAlive(pid);
  } catch {
    return false; // let go meanwhile
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
