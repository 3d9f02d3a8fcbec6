// At which place an application process sits, and sat before it died: a death is told of by id. Bounded: the latest ids of each worker.
import type { WorkerStatus } from '../core/status/worker.ts';
import type { WebAppDocuments } from './source.ts';

/** As many as may run, and their predecessors of the last minutes. */
const MAX_KNOWN = 1_024;

export class Places {
  /** By worker (place and start), then by id of the process. */
  readonly #workers = new Map<string, Map<number, number>>();

  take({ workers }: Pick<WebAppDocuments, 'workers'>): void {
    const seen = new Set<string>();
    for (const { place, status } of workers) {
      if (status === undefined) continue;
      const key = keyOf(place, status);
      seen.add(key);
      const known = this.#workers.get(key) ?? new Map<number, number>();
      this.#workers.set(key, known);
      learn(known, status.list);
    }
    const silent = new Set(workers.filter(({ status }) => status === undefined).map(({ place }) => place));
    for (const key of this.#workers.keys())
      if (!seen.has(key) && !silent.has(key.split('/')[0] ?? '')) this.#workers.delete(key);
  }

  /** @returns undefined when it was never seen alive */
  of(place: string, status: WorkerStatus, id: number): number | undefined {
    return this.#workers.get(keyOf(place, status))?.get(id);
  }
}

const keyOf = (place: string, { startedAt, pid }: WorkerStatus): string => `${place}/${startedAt}/${pid}`;

/** What the worker tells; where it does not, as it would: the smallest place that is free when a process is first seen. */
function learn(known: Map<number, number>, list: WorkerStatus['list']): void {
  const taken = new Set(list.flatMap(({ id, place }) => place ?? known.get(id) ?? []));
  for (const { id, place } of list.toSorted((a, b) => a.id - b.id)) {
    if (place === undefined && known.has(id)) continue;
    let at = place ?? 1;
    while (place === undefined && taken.has(at)) at++;
    taken.add(at);
    known.set(id, at);
  }
  for (const id of known.keys()) {
    if (known.size <= MAX_KNOWN) break;
    known.delete(id);
  }
}
