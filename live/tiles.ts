// The application processes of one worker as tiles: who sits where, which places are empty, and who died there or was taken over from. Pure.
import type { WorkerStatus } from '../core/status/worker.ts';
import { type Death, isFault } from './deaths.ts';
import type { Tile } from './picture.ts';
import type { Places } from './places.ts';
import { cut } from './words.ts';

/** At most; a program bounds its own, a hostile one need not. */
const MAX_TILES = 256;
const MAX_SERVING = 4;
/** For so long a place tells of who died there. */
const DIED_LATELY_MS = 5 * 60_000;

/** By place: those where a process sits, and as many empty ones as processes are missing. */
export function makeTiles(place: string, status: WorkerStatus, places: Places, at: number): Tile[] {
  const list = status.list.slice(0, MAX_TILES);
  const sitting = new Map(list.map((one) => [one.place ?? places.of(place, status, one.id) ?? one.id, one]));
  const died = new Map<number, Death>();
  for (const death of status.deaths.filter(isFault).toReversed()) {
    const seat = places.of(place, status, death.id);
    if (seat !== undefined && at - death.at < DIED_LATELY_MS) died.set(seat, death);
  }
  const missing = status.processes.desired - list.filter(({ state }) => state !== 'draining').length;
  const empty = emptySeats(new Set(sitting.keys()), died.keys(), Math.min(missing, MAX_TILES - sitting.size));
  const heirs = heirsOf(
    [...died].flatMap(([seat, death]) => (sitting.has(seat) || empty.includes(seat) ? [] : death)),
    list.filter((one) => !died.has(one.place ?? 0)),
  );
  return [...sitting.keys(), ...empty]
    .sort((a, b) => a - b)
    .map((seat) => {
      const process = sitting.get(seat);
      return makeTile(seat, process, died.get(seat) ?? (process && heirs.get(process.id)), at);
    });
}

/** Where somebody died lately, then the smallest. */
function emptySeats(taken: ReadonlySet<number>, died: Iterable<number>, number: number): number[] {
  const seats = [...died].filter((seat) => !taken.has(seat)).slice(0, Math.max(0, number));
  for (let seat = 1; seats.length < number; seat++) if (!taken.has(seat) && !seats.includes(seat)) seats.push(seat);
  return seats;
}

/** A replacement is often started before the end of the one it replaces is known, at another place then. */
const HEIR_MS = 3_000;

/** @returns by id of the process: whose work it took over */
function heirsOf(deaths: readonly Death[], processes: WorkerStatus['list']): Map<number, Death> {
  const heirs = new Map<number, Death>();
  for (const death of deaths) {
    const [heir] = processes
      .filter(({ id, startedAt }) => id > death.id && !heirs.has(id) && startedAt >= death.at - HEIR_MS)
      .sort((a, b) => a.startedAt - b.startedAt);
    if (heir) heirs.set(heir.id, death);
  }
  return heirs;
}

function makeTile(
  place: number,
  process: WorkerStatus['list'][number] | undefined,
  death: Death | undefined,
  at: number,
): Tile {
  const died = death && {
    died: { cause: death.cause, agoMs: Math.max(0, at - death.at), message: cut(death.message) },
  };
  if (process === undefined) return { place, state: 'gone', serving: [], more: 0, ...died };
  const { pid, state, startedAt, served, residentBytes } = process;
  const serving = process.requests.toSorted((a, b) => b.ms - a.ms);
  return {
    place,
    state: state === 'ready' ? (serving.length > 0 ? 'busy' : 'free') : state,
    pid,
    ageMs: Math.max(0, at - startedAt),
    served,
    ...(residentBytes !== undefined && { residentBytes }),
    serving: serving
      .slice(0, MAX_SERVING)
      .map(({ method, path, ms }) => ({ method: cut(method), path: cut(path), ms })),
    more: Math.max(0, serving.length - MAX_SERVING),
    ...died,
  };
}
