// A bound on the memory of processes, as a container has it: a cgroup of its own, version 1 or 2, below the one that the test is in.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryLimit {
  /** The process, and those that it starts from now on. */
  take(pid: number): void;
  /** Once all of them have ended. */
  close(): Promise<void>;
}

/** @returns why there can be none here, in words, otherwise */
export function openMemoryLimit(bytes: number): MemoryLimit | string {
  const mount = '/sys/fs/cgroup';
  const isV2 = existsSync(join(mount, 'cgroup.controllers'));
  const own = ownPath(isV2 ? '' : 'memory');
  const folder = join(mount, isV2 ? '' : 'memory', own, `limit-${process.pid}`);
  try {
    mkdirSync(folder);
  } catch (error) {
    return String(error);
  }
  try {
    writeFileSync(join(folder, isV2 ? 'memory.max' : 'memory.limit_in_bytes'), String(bytes), { flag: 'r+' });
  } catch (error) {
    rmdirSync(folder);
    return String(error);
  }
  return {
    take: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    close: () => removeWhenEmpty(folder),
  };
}

/** @param controller '' for version 2 */
function ownPath(controller: string): string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const [, , path = '/'] = lines.map((line) => line.split(':')).find(([, name]) => name === controller) ?? [];
  return path;
}

/** The kernel takes a moment to forget those that have ended. */
async function removeWhenEmpty(folder: string): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (i === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
