// One run of wrk (Debian's package) against an address on this machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface WrkResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Responses other than 2xx and 3xx, and socket errors of every kind. */
  readonly errors: number;
}

/** @param seconds bounded by the caller; wrk stops by itself */
export async function runWrk(url: string, connections: number, seconds: number): Promise<WrkResult> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency', url];
  const { stdout } = await promisify(execFile)('wrk', args);
  return parseWrk(stdout);
}

/** @param text what wrk printed. @throws Error when it has no count of requests */
export function parseWrk(text: string): WrkResult {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const requests = number(/(\d+) requests in/);
  if (requests === 0) throw new Error(`wrk made no request:\n${text}`);
  const socket =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1).map(Number) ?? [];
  return {
    requests,
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
    errors: number(/Non-2xx or 3xx responses: (\d+)/) + socket.reduce((sum, count) => sum + count, 0),
  };
}

function milliseconds(match: RegExpExecArray | null): number {
  const perMs = { us: 1000, ms: 1, s: 0.001 }[match?.[2] ?? 'ms'] ?? 1;
  return Number(match?.[1] ?? 0) / perMs;
}
