// Application processes that die while they serve, as the workers tell. One that was replaced is got over, and told as an event; a few within minutes are a problem,
// which is written when it begins and when it is over and not in between.

import { DEATH_MENDS, type FaultCause } from '../../../../core/status/death-causes.ts';
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import type { PlannedEvent } from '../../changes.ts';
import type { Death, WorkerReport } from '../../observed.ts';
import type { Found } from './degraded.ts';

const TYPE = 'ProcessesDie';
/** So many within so long, of all workers of a WebApp. A report has the latest three, so that one worker is enough. */
const LOOP = { deaths: 3, withinMs: 600_000 } as const;
/** What a pod tells of in its first answer was news so long ago at most: the operator may have just started. */
const NEWS_MS = 60_000;
/** What does not come up is a problem of its own (reportProblems). */
const BOOT: readonly FaultCause[] = ['boot', 'boot-timeout'];

/** @param before problems told last @param isCatchingUp workers are being asked anew: what was told still holds */
export function deathProblems(
  reports: readonly WorkerReport[],
  before: readonly StatusProblem[],
  isCatchingUp: boolean,
  wall: number,
): Found[] {
  const deaths = recentDeaths(reports, wall);
  const told = before.find(({ type }) => type === TYPE);
  const [latest] = deaths;
  if (told !== undefined && (isCatchingUp || deaths.some(({ cause }) => DEATH_MENDS[cause].field === told.field)))
    return [{ ...told, type: TYPE }];
  if (latest === undefined || (told === undefined && deaths.length < LOOP.deaths)) return [];
  const message = `Application processes die again and again, such as: ${latest.message}`;
  return [{ type: TYPE, message, ...DEATH_MENDS[latest.cause] }];
}

/** @returns when the problem is over unless one dies again, in milliseconds since the epoch; undefined: there is none */
export function deathsEndAt(
  reports: readonly WorkerReport[],
  problems: readonly StatusProblem[],
  wall: number,
): number | undefined {
  const [latest] = recentDeaths(reports, wall);
  const isTold = problems.some(({ type }) => type === TYPE);
  return isTold && latest !== undefined ? latest.at + LOOP.withinMs : undefined;
}

/**
 * One event for all deaths that are news, at most two in ten minutes: beyond that they are a problem, whose event tells of them, and the others
 * keep their share of the events that a WebApp may have (kube/events.ts: one in five minutes).
 * @param after problems that go into the status
 */
export function deathEvents(
  reports: readonly WorkerReport[],
  after: readonly StatusProblem[],
  wall: number,
): PlannedEvent[] {
  if (after.some(({ type }) => type === TYPE)) return [];
  const news = reports
    .flatMap((report) => servingDeaths(report).filter(({ at }) => at > (report.heardTo ?? wall - NEWS_MS)))
    .sort(latestFirst);
  const [latest] = news;
  if (latest === undefined) return [];
  const others = news.length > 1 ? ` Another ${news.length - 1} died as well.` : '';
  return [{ type: 'Warning', reason: 'ProcessDied', action: 'Serve', note: `${latest.message}${others}` }];
}

type Fault = Death & { readonly cause: FaultCause };

/** A pod's clock may be wrong; hours in the future are never over. */
function recentDeaths(reports: readonly WorkerReport[], wall: number): Fault[] {
  return reports
    .flatMap(servingDeaths)
    .filter(({ at }) => Math.abs(wall - at) < LOOP.withinMs)
    .sort(latestFirst);
}

function servingDeaths({ status }: WorkerReport): Fault[] {
  return status.deaths.filter(isFault).filter(({ cause }) => !BOOT.includes(cause));
}

function isFault(death: Death): death is Fault {
  return Object.hasOwn(DEATH_MENDS, death.cause);
}

const latestFirst = (a: Death, b: Death): number => b.at - a.at;
