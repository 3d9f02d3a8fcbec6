// One run of promises at a time on a machine: two loads on two cores measure each other, and what fails then says nothing.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { oneAtATime } from '../../scripts/build-lock.ts';
import { clusterCache } from '../cluster/build.ts';

/** Waits while another run goes on. @returns gives the turn back */
export async function takeTurn(): Promise<() => void> {
  mkdirSync(clusterCache, { recursive: true });
  const taken = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const path = join(clusterCache, 'promises.turn');
  const hint = setTimeout(() => console.log(`another run of promises goes on: waiting for its end (${path})`), 2_000);
  oneAtATime(path, () => {
    taken.resolve();
    return over.promise;
  }).catch(taken.reject);
  await taken.promise.finally(() => clearTimeout(hint));
  return over.resolve;
}
