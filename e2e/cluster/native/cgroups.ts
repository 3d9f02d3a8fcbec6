// A cgroup of the cluster's own in every hierarchy, under which its nodes keep their pods. Removed by keeper.sh.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param name made, if it is not there, at the top of every hierarchy that is mounted */
export function makeCgroup(name: string): void {
  for (const hierarchy of cgroupMounts(readFileSync('/proc/self/mounts', 'utf8'))) {
    const folder = join(hierarchy, name);
    mkdirSync(folder, { recursive: true });
  }
}

/** @param mounts content of /proc/self/mounts. @returns where cgroups of either version are mounted */
export function cgroupMounts(mounts: string): string[] {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type = '']) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path = '']) => path);
}
