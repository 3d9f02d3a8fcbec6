// Native clusters whose user is gone: those that nobody closed, and what is left where even their keeper was killed or the machine went down.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupMounts } from './cgroups.ts';
import { run } from './command.ts';
import { closeCluster } from './handle.ts';
import { DETAILS, FOLDER_PREFIX, readDetails } from './state.ts';

/** @returns folders of clusters that a process holds, those that are starting included */
export function heldClusters(): string[] {
  return folders().filter(isHeld);
}

/** Ends them, whoever uses them. */
export async function closeHeldClusters(): Promise<void> {
  for (const folder of heldClusters()) await closeCluster(folder);
}

/** Removes what no process holds any more. */
export async function sweep(): Promise<void> {
  for (const folder of folders().filter((one) => !isHeld(one))) {
    await removeCgroups(readDetails(folder).cgroup);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Those of bare control planes lie beside them, and have no such file. */
function folders(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(FOLDER_PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter((folder) => existsSync(join(folder, DETAILS)));
}

/** Its keeper's command line names the folder. */
function isHeld(folder: string): boolean {
  return readdirSync('/proc').some((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').includes(folder);
    } catch {
      return false; // gone meanwhile
    }
  });
}

async function removeCgroups(name: string): Promise<void> {
  const mounts = cgroupMounts(readFileSync('/proc/self/mounts', 'utf8'));
  const own = mounts.flatMap((mount) =>
    readdirSync(mount)
      .filter((entry) => entry.startsWith(name))
      .map((entry) => join(mount, entry)),
  );
  if (own.length > 0) await run('find', [...own, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
}
