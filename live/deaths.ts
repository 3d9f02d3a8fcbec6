// Processes that ended by a fault, as the workers tell. Pure.
import { DEATH_MENDS, type FaultCause } from '../core/status/death-causes.ts';
import type { WorkerStatus } from '../core/status/worker.ts';
import type { WebAppDocuments } from './source.ts';

export type Death = WorkerStatus['deaths'][number];
export type FaultDeath = Death & { readonly cause: FaultCause };

/** Not recycled, resized or asked to leave. */
export function isFault(death: Death): death is FaultDeath {
  return Object.hasOwn(DEATH_MENDS, death.cause);
}

/** The latest first. */
function deathsOf({ workers }: Pick<WebAppDocuments, 'workers'>): FaultDeath[] {
  return workers
    .flatMap(({ status }) => status?.deaths ?? [])
    .filter(isFault)
    .sort((a, b) => b.at - a.at);
}

export function latestDeath(documents: Pick<WebAppDocuments, 'workers'>): FaultDeath | undefined {
  return deathsOf(documents)[0];
}

export interface SameDeaths {
  readonly latest: FaultDeath;
  readonly count: number;
}

/** @param since milliseconds since the epoch. @returns the cause of the latest death first */
export function deathsByCause(documents: Pick<WebAppDocuments, 'workers'>, since: number): SameDeaths[] {
  const byCause = new Map<FaultCause, SameDeaths>();
  for (const death of deathsOf(documents).filter(({ at }) => at > since)) {
    const { latest = death, count = 0 } = byCause.get(death.cause) ?? {};
    byCause.set(death.cause, { latest, count: count + 1 });
  }
  return [...byCause.values()];
}
