// What the operating system says of a process and all below it: CPU time spent, memory held. Linux.
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: the unit of /proc/PID/stat is 10 ms on every Linux that Node runs on. */
const TICK_US = 10_000;

interface Stat {
  readonly parent: number;
  readonly cpuUs: number;
}

/** @returns microseconds of CPU of `roots` and all their descendants, those that have ended and been waited for included */
export function cpuMicros(roots: readonly number[]): number {
  return tree(roots).reduce((sum, { stat }) => sum + stat.cpuUs, 0);
}

/** @returns proportional set size in bytes: shared pages are shared out among those who share them */
export function memoryBytes(roots: readonly number[]): number {
  return tree(roots).reduce((sum, { pid }) => sum + pssOf(pid), 0);
}

/** @returns proportional set size of this process alone, bytes */
export function pssOf(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
}

/** @returns resident bytes of this process alone */
export function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function tree(roots: readonly number[]): { pid: number; stat: Stat }[] {
  const all = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat) all.set(Number(name), stat);
  }
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = all.get(at)?.parent)
      if (roots.includes(at)) return true;
    return false;
  };
  return [...all].filter(([pid]) => belongs(pid)).map(([pid, stat]) => ({ pid, stat }));
}

function statOf(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === '') return undefined;
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return { parent: fields[1] ?? 0, cpuUs: (utime + stime + cutime + cstime) * TICK_US };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
