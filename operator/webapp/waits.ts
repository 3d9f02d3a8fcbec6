// For how long a worker has been telling of requests that wait too long. A burst is none of it: one answer that tells so begins nothing, and one that does not ends
// nothing. Pure.
import { LONG_WAIT_MS } from '../../core/status/waiting.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';

/** Milliseconds since the epoch, by the operator's clock. */
export interface Waits {
  /** The first of the answers that told so one after the other, until `last`. */
  readonly since: number;
  readonly last: number;
}

/** All answers of so long told of it: it lasts. */
const BEGINS_MS = 4_000;
/** No answer of so long told of it: it is over. */
const OVER_MS = 90_000;

type Queue = Pick<WorkerStatus, 'queue'>;

/** @param waits until `before`, the answer before `status` */
export function nextWaits(
  waits: Waits | undefined,
  before: Queue | undefined,
  status: Queue,
  wall: number,
): Waits | undefined {
  if (!isLong(status)) return waits;
  const goesOn = waits !== undefined && before !== undefined && isLong(before);
  return { since: goesOn ? waits.since : wall, last: wall };
}

/** @returns within how many milliseconds the worker has to be asked again, so that it is known in time whether requests still wait */
export function askWithin(waits: Waits | undefined, status: Queue, wall: number): number {
  if (waits === undefined || wall >= overAt(waits)) return Infinity;
  return isLong(status) && !isLasting(waits, wall) ? BEGINS_MS * 1.5 : OVER_MS / 3;
}

function isLong({ queue }: Queue): boolean {
  return queue.length > 0 && queue.oldestMs > LONG_WAIT_MS;
}

/** @returns whether requests of that worker wait, and not only for a moment */
export function isLasting(waits: Waits | undefined, wall: number): boolean {
  return waits !== undefined && waits.last - waits.since >= BEGINS_MS && wall < overAt(waits);
}

/** @returns when it is over, unless the worker tells of it again */
export function overAt({ last }: Waits): number {
  return last + OVER_MS;
}
