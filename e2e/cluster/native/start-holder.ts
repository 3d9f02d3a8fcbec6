// Sets a native cluster's holder going, apart from this process: keeper.sh, in a session of its own, starts and outlives it.
import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterPlan } from './cluster.ts';
import type { Told } from './holder.ts';

/**
 * @param listener handed to the holder; this process may close its own afterwards
 * @returns when it says that the cluster is ready
 * @throws Error in its words, when nothing is left of it
 */
export function startHolder(plan: ClusterPlan, listener: Server): Promise<void> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const log = openSync(join(plan.folder, 'holder.log'), 'a', 0o600);
  const child = fork(here('holder.ts'), [], {
    execPath: 'sh',
    execArgv: [here('keeper.sh'), plan.folder, plan.cgroup, process.execPath],
    detached: true,
    cwd: '/',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    let failed: string | undefined;
    child.once('error', reject);
    child.on('message', (told: Told) => {
      if ('failed' in told) {
        failed = told.failed;
        return;
      }
      if (child.connected) child.disconnect();
      child.unref();
      resolve();
    });
    child.once('exit', () => reject(new Error(`the cluster did not start: ${failed ?? 'its holder ended'}`)));
    child.send(plan, listener);
  });
}
