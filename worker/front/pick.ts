import type { AppProcess } from '../slot.ts';

/**
 * The process that shall serve the next request: the one with the fewest busy slots, since the threads of one process share
 * an interpreter lock or an event loop, and of equals the oldest (lowest id). Not in turns: under light load the same process
 * serves all, so its caches stay warm and its memory alone grows, the others stay idle for a smaller process count to take,
 * and maxRequests comes to one after the other instead of to all at once.
 */
export function pickProcess(takers: readonly AppProcess[]): AppProcess | undefined {
  let best: AppProcess | undefined;
  for (const process of takers) {
    if (best === undefined || process.busy < best.busy || (process.busy === best.busy && process.id < best.id)) {
      best = process;
    }
  }
  return best;
}
