import { readFileSync } from 'node:fs';

/**
 * Resident memory of a process: VmRSS, which people see in ps and compare with. Pages shared with a preloaded parent count in
 * each; PSS would divide them, but reading it walks every page of the process under its memory lock.
 * @returns bytes; undefined when the process is gone or the system has no /proc
 */
export function readResident(pid: number): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}
