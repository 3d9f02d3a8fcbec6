// What the container allows and what the kernel did in it, from the cgroup that this process is in: version 2, or 1. Files
// that are not there (macOS, no cgroup) mean "no limit" and "nothing happened".
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Cgroup {
  /** CPUs that may be used, such as 1.5; null: no limit. */
  cpuLimit(): number | null;
  /** Bytes of memory; null: no limit. */
  memoryLimit(): number | null;
  /** Processes of this cgroup killed by the kernel for want of memory, since it exists. */
  oomKills(): number;
}

/** cgroup v1 writes "no limit" as the largest page-aligned number. */
const V1_NO_LIMIT = 2 ** 62;

/** @param root folder that stands for `/`, for tests */
export function openCgroup(root = '/'): Cgroup {
  const groups = (readText(join(root, 'proc/self/cgroup')) ?? '').split('\n').map((line) => line.split(':'));
  const mount = join(root, 'sys/fs/cgroup');
  if (existsSync(join(mount, 'cgroup.controllers')))
    return cgroupV2(
      mount,
      groups
        .find(([id]) => id === '0')
        ?.slice(2)
        .join(':') ?? '/',
    );
  const pathOf = (controller: string): string =>
    groups
      .find(([, controllers]) => controllers?.split(',').includes(controller))
      ?.slice(2)
      .join(':') ?? '/';
  return cgroupV1(folderIn(join(mount, 'cpu'), pathOf('cpu')), folderIn(join(mount, 'memory'), pathOf('memory')));
}

function cgroupV2(mount: string, path: string): Cgroup {
  const folder = folderIn(mount, path);
  const folders = ancestors(mount, folder);
  return {
    cpuLimit: () => least(folders.map((each) => cpuMax(readText(join(each, 'cpu.max'))))),
    memoryLimit: () => least(folders.map((each) => positive(readText(join(each, 'memory.max'))))),
    oomKills: () => keyed(readText(join(folder, 'memory.events')), 'oom_kill'),
  };
}

function cgroupV1(cpu: string, memory: string): Cgroup {
  return {
    cpuLimit: () => {
      const quota = positive(readText(join(cpu, 'cpu.cfs_quota_us')));
      const period = positive(readText(join(cpu, 'cpu.cfs_period_us')));
      return quota === null || period === null ? null : quota / period;
    },
    memoryLimit: () => {
      const bytes = positive(readText(join(memory, 'memory.limit_in_bytes')));
      return bytes === null || bytes >= V1_NO_LIMIT ? null : bytes;
    },
    oomKills: () => keyed(readText(join(memory, 'memory.oom_control')), 'oom_kill'),
  };
}

/** In a container the mount is often the group itself while /proc tells the path on the host. */
function folderIn(mount: string, path: string): string {
  const folder = join(mount, path);
  return existsSync(folder) ? folder : mount;
}

/** A limit may stand at any level above. */
function ancestors(mount: string, folder: string): string[] {
  const folders = [folder];
  for (let each = folder; each !== mount && each.startsWith(mount); ) {
    each = join(each, '..');
    folders.push(each);
  }
  return folders;
}

/** `max 100000` or `150000 100000`. */
function cpuMax(text: string | null): number | null {
  const [quota = '', period = ''] = (text ?? '').trim().split(' ');
  return /^\d+$/.test(quota) && Number(period) > 0 ? Number(quota) / Number(period) : null;
}

function positive(text: string | null): number | null {
  const number = Number((text ?? '').trim() || Number.NaN);
  return number > 0 ? number : null;
}

function keyed(text: string | null, key: string): number {
  const line = (text ?? '').split('\n').find((each) => each.startsWith(`${key} `));
  return Number(line?.slice(key.length + 1) ?? 0) || 0;
}

function least(numbers: readonly (number | null)[]): number | null {
  const limits = numbers.filter((number) => number !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
