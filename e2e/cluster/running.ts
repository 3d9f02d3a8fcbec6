// Which cluster `npm run cluster up` has started: what the other commands look for. One at a time.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterCache } from './build.ts';
import { openRealCluster } from './providers.ts';
import type { ClusterState } from './real-cluster.ts';

/** One that runs pods, or a bare control plane that lives as long as the process `pid`. */
export type Running = ({ readonly state: ClusterState } | { readonly pid: number }) & { readonly kubeconfig: string };

const file = join(clusterCache, 'running.json');

export function remember(running: Running): void {
  mkdirSync(clusterCache, { recursive: true });
  writeFileSync(file, JSON.stringify(running));
}

export function forget(): void {
  rmSync(file, { force: true });
}

/** @returns undefined when none runs, or not any more */
export async function findRunning(): Promise<Running | undefined> {
  try {
    const running = JSON.parse(readFileSync(file, 'utf8')) as Running;
    if ('pid' in running) process.kill(running.pid, 0);
    else await openRealCluster(running.state);
    return running;
  } catch {
    return undefined;
  }
}
