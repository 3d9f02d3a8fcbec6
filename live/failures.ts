// What failed lately, as the page shows it: requests with their ids and causes, and processes with their last words. Pure.
import { FAULTS } from '../core/errors.ts';
import type { RecentError } from '../core/status/traffic.ts';
import { ANSWERED_SO } from '../core/status/troubles.ts';
import { isFault } from './deaths.ts';
import type { DeathPicture, ErrorPicture } from './picture.ts';
import type { Places } from './places.ts';
import type { WebAppDocuments } from './source.ts';
import { cut } from './words.ts';

/** Shown at most; programs bound theirs, hostile ones need not. */
const MAX_ERRORS = 20;
const MAX_DEATHS = 20;
const MAX_TRACEBACK = 8_000;

/** @returns the table's words for a code that a program told */
export function faultWords(code: string): { readonly status: number; readonly message: string } | undefined {
  return Object.hasOwn(FAULTS, code) ? FAULTS[code as keyof typeof FAULTS] : undefined;
}

/** A request that failed in the worker is known to both: told once, with the one cause that either knows. */
export function makeErrors({ proxies, workers }: WebAppDocuments, at: number): ErrorPicture[] {
  const byId = new Map<string, RecentError>();
  for (const [place, error] of [...proxies, ...workers].flatMap(({ place, status }) =>
    (status?.errors ?? []).map((one) => [place, one] as const),
  )) {
    const key = error.id === '' ? `${place} ${error.at} ${byId.size}` : error.id;
    const known = byId.get(key);
    byId.set(key, known ? joinErrors(known, error) : error);
  }
  return [...byId.values()]
    .sort((a, b) => b.at - a.at)
    .slice(0, MAX_ERRORS)
    .map((error) => makeError(error, at));
}

/** The proxy's sight of it, the worker's cause. */
function joinErrors(proxy: RecentError, worker: RecentError): RecentError {
  const { fault = proxy.fault, detail = proxy.detail } = worker;
  return { ...proxy, ...(fault !== undefined && { fault }), ...(detail !== undefined && { detail }) };
}

function makeError({ at: ended, id, method, path, status, ms, fault, detail }: RecentError, at: number): ErrorPicture {
  const cause = fault === undefined ? ANSWERED_SO : (faultWords(fault)?.message ?? '');
  return {
    agoMs: Math.max(0, at - ended),
    id: cut(id),
    method: cut(method),
    path: cut(path),
    status,
    ms,
    fault: cut(fault ?? ''),
    text: cut([cause, detail].filter(Boolean).join(' ')),
  };
}

export function makeDeaths(documents: Pick<WebAppDocuments, 'workers'>, places: Places, at: number): DeathPicture[] {
  return documents.workers
    .flatMap(({ place, status }) => (status?.deaths ?? []).filter(isFault).map((death) => ({ place, status, death })))
    .sort((a, b) => b.death.at - a.death.at)
    .slice(0, MAX_DEATHS)
    .map(({ place, status, death: { id, pid, at: died, cause, message, traceback } }) => {
      const sat = status && places.of(place, status, id);
      return {
        worker: place,
        ...(sat !== undefined && { place: sat }),
        pid,
        agoMs: Math.max(0, at - died),
        cause,
        message: cut(message),
        // Its end says what was raised.
        ...(traceback !== undefined && { traceback: traceback.slice(-MAX_TRACEBACK) }),
      };
    });
}
