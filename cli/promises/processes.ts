// The operating system's view of what runs, for promises about what is left. Linux.
import { readdirSync, readFileSync } from 'node:fs';

/** @returns pids of all processes below `pid` */
export function descendants(pid: number): number[] {
  const parents = new Map(allPids().map((one) => [one, statOf(one)?.parent]));
  const isBelow = (one: number): boolean => {
    const parent = parents.get(one);
    return parent === pid || (parent !== undefined && parent > 1 && isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

/** @returns whether the process lives (a zombie does not) */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== 'Z';
}

export function commandLine(pid: number): string[] {
  return readProc(pid, 'cmdline').split('\0');
}

export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The command's name, in brackets, may hold anything: what follows the last bracket is fixed (proc_pid_stat(5)). */
function statOf(pid: number): { state: string; parent: number } | undefined {
  const stat = readProc(pid, 'stat');
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return stat === '' || state === undefined ? undefined : { state, parent: Number(parent) };
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
