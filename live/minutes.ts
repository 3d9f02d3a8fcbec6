// The last five minutes of one WebApp, a sample a second, as differences of what its programs have counted since their start. Bounded; pure but for what it
// keeps. Programs come, go and are started anew in between: what one of them had counted before it was first seen is nobody's second.
import { addUp, DURATION_BOUNDS_MS, type DurationCounts, quantileOf, since } from '../core/durations.ts';
import type { ProxyStatus } from '../core/status/proxy.ts';
import type { WorkerStatus } from '../core/status/worker.ts';
import type { WebAppDocuments } from './source.ts';

/**
 * Times in milliseconds, of the requests of the last SMOOTH_SECONDS: of the few that one second has they would jump. null: there was none, or the program does not
 * tell.
 */
export interface Sample {
  /** Counts up, so that a reader knows which are new. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A second. */
  readonly requests: number;
  /** Answers of 5xx, a second. */
  readonly errors: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** 95 of 100 waited no longer: in the proxy, in the worker. */
  readonly proxyWait: number | null;
  readonly workerWait: number | null;
  /** Waiting when it was taken. */
  readonly waiting: number;
  /** Slots of application processes. */
  readonly busy: number;
  readonly free: number;
}

/** What was counted in some seconds. */
export interface Recent extends Counts {
  /** How many they were; fewer than asked for while nobody looked before. */
  readonly seconds: number;
}

interface Counts {
  readonly requests: number;
  readonly errors: number;
  /** By code of core/errors.ts, of proxies and workers together. */
  readonly faults: Readonly<Record<string, number>>;
  /** The whole request, as the proxy sees it. */
  readonly request: DurationCounts;
  readonly proxyQueue: DurationCounts;
  readonly workerQueue: DurationCounts;
  readonly app: DurationCounts;
}

export const MINUTES_MS = 5 * 60_000;
const EVERY_MS = 1_000;
const SMOOTH_SECONDS = 5;
/** Timers are late, never early: a look that is nearly a second after the last sample takes one. */
const SLACK_MS = 150;
/** After nobody looked for so long, counting begins anew: what happened meanwhile belongs to no second. */
const GAP_MS = 10_000;
const MAX_SAMPLES = MINUTES_MS / EVERY_MS;

interface Moment {
  readonly sample: Sample;
  readonly part: Counts;
  readonly elapsedMs: number;
}

/** What a program had counted when a sample was taken. */
interface Before<T> {
  readonly at: number;
  readonly status: T;
}

interface Part extends Counts {
  /** Of this program: since when `part` counts. */
  readonly elapsedMs: number;
}

export class Minutes {
  readonly #moments: Moment[] = [];
  readonly #proxies = new Map<string, Before<ProxyStatus>>();
  readonly #workers = new Map<string, Before<WorkerStatus>>();
  #number = 0;
  #last: { readonly now: number; readonly at: number } | undefined;

  /**
   * @param now monotonic milliseconds
   * @param at milliseconds since the epoch
   * @returns the sample, when it was time for one
   */
  take(documents: WebAppDocuments, now: number, at: number): Sample | undefined {
    const passedMs = this.#last === undefined ? Number.POSITIVE_INFINITY : now - this.#last.now;
    if (passedMs < EVERY_MS - SLACK_MS) return undefined;
    if (passedMs > GAP_MS) this.#beginAnew();
    const last = this.#last;
    this.#last = { now, at };
    const proxies = partsOf(this.#proxies, documents.proxies, now, last?.at, proxyPart);
    const workers = partsOf(this.#workers, documents.workers, now, last?.at, workerPart);
    if (last === undefined) return undefined; // the first look is what the next one is compared with
    const part = joined(proxies, workers);
    const smoothed = addCounts([...this.#since(at - SMOOTH_SECONDS * 1_000).map((moment) => moment.part), part]);
    const sample = makeSample(++this.#number, at, smoothed, rateOf(proxies, workers), documents);
    this.#moments.push({ sample, part, elapsedMs: passedMs });
    while (this.#moments.length > MAX_SAMPLES || (this.#moments[0]?.sample.at ?? at) < at - MINUTES_MS)
      this.#moments.shift();
    return sample;
  }

  #since(at: number): Moment[] {
    return this.#moments.filter(({ sample }) => sample.at > at);
  }

  #beginAnew(): void {
    this.#last = undefined;
    this.#proxies.clear();
    this.#workers.clear();
  }

  /** The oldest first. */
  samples(): Sample[] {
    return this.#moments.map(({ sample }) => sample);
  }

  /** Of the seconds up to the last sample. */
  last(seconds: number): Recent {
    const moments = this.#since((this.#moments.at(-1)?.sample.at ?? 0) - seconds * 1_000);
    const elapsedMs = moments.reduce((sum, moment) => sum + moment.elapsedMs, 0);
    return { ...addCounts(moments.map(({ part }) => part)), seconds: elapsedMs / 1_000 };
  }
}

/** Compares each program with what it had counted before, and keeps what it has now; those that are gone are forgotten. */
function partsOf<T extends { readonly pid: number; readonly startedAt: number }>(
  known: Map<string, Before<T>>,
  told: readonly { readonly place: string; readonly status?: T }[],
  now: number,
  lastAt: number | undefined,
  compare: (status: T, before: T | undefined) => Counts,
): Part[] {
  const parts: Part[] = [];
  const seen = new Set<string>();
  for (const { place, status } of told) {
    if (status === undefined) continue;
    const key = `${place}/${status.pid}/${status.startedAt}`;
    seen.add(key);
    const before = known.get(key);
    known.set(key, { at: now, status });
    if (before !== undefined) parts.push({ ...compare(status, before.status), elapsedMs: now - before.at });
    else if (lastAt !== undefined && status.startedAt >= lastAt)
      parts.push({ ...compare(status, undefined), elapsedMs: EVERY_MS });
  }
  // One that does not answer for a moment is compared when it answers again.
  const silent = new Set(told.filter(({ status }) => status === undefined).map(({ place }) => place));
  for (const key of known.keys()) if (!seen.has(key) && !silent.has(placeOf(key))) known.delete(key);
  return parts;
}

const placeOf = (key: string): string => key.split('/')[0] ?? '';

const NONE: DurationCounts = addUp([]);

function proxyPart({ requests, durations }: ProxyStatus, before: ProxyStatus | undefined): Counts {
  return {
    ...counted(requests, before?.requests),
    request: durations ? since(durations.request, before?.durations?.request) : NONE,
    proxyQueue: durations ? since(durations.queue, before?.durations?.queue) : NONE,
    workerQueue: NONE,
    app: NONE,
  };
}

function workerPart({ requests, durations }: WorkerStatus, before: WorkerStatus | undefined): Counts {
  return {
    ...counted(requests, before?.requests),
    request: NONE,
    proxyQueue: NONE,
    workerQueue: durations ? since(durations.queue, before?.durations?.queue) : NONE,
    app: durations ? since(durations.app, before?.durations?.app) : NONE,
  };
}

type Requests = WorkerStatus['requests'] | ProxyStatus['requests'];

function counted(now: Requests, before: Requests | undefined): Pick<Counts, 'requests' | 'errors' | 'faults'> {
  const less = (a: number, b: number | undefined): number => Math.max(0, a - (b ?? 0));
  return {
    requests: less(now.total, before?.total),
    errors: less(now.byClass['5xx'] ?? 0, before?.byClass['5xx']),
    faults: Object.fromEntries(
      Object.entries(now.faults).map(([code, total]) => [code, less(total, before?.faults[code])]),
    ),
  };
}

export const NO_TRAFFIC: Recent = { ...addCounts([]), seconds: 0 };

/** Users are seen by the proxy; where no proxy tells, by the worker. */
function joined(proxies: readonly Part[], workers: readonly Part[]): Counts {
  const all = addCounts([...proxies, ...workers]);
  const { requests, errors } = addCounts(proxies.length > 0 ? proxies : workers);
  return { ...all, requests, errors };
}

function addCounts(parts: readonly Counts[]): Counts {
  const faults: Record<string, number> = {};
  for (const part of parts)
    for (const [code, number] of Object.entries(part.faults))
      if (number > 0) faults[code] = (faults[code] ?? 0) + number;
  const sum = (of: (part: Counts) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    requests: sum((part) => part.requests),
    errors: sum((part) => part.errors),
    faults,
    request: addUp(parts.map((part) => part.request)),
    proxyQueue: addUp(parts.map((part) => part.proxyQueue)),
    workerQueue: addUp(parts.map((part) => part.workerQueue)),
    app: addUp(parts.map((part) => part.app)),
  };
}

/** Each program by the time since it was last heard of: a second that was missed is no peak. */
function rateOf(proxies: readonly Part[], workers: readonly Part[]): Pick<Sample, 'requests' | 'errors'> {
  const seers = proxies.length > 0 ? proxies : workers;
  const rate = (of: (part: Part) => number): number =>
    seers.reduce((total, part) => total + (of(part) * 1_000) / Math.max(1, part.elapsedMs), 0);
  return { requests: rate((part) => part.requests), errors: rate((part) => part.errors) };
}

function makeSample(
  number: number,
  at: number,
  smoothed: Counts,
  rates: Pick<Sample, 'requests' | 'errors'>,
  documents: WebAppDocuments,
): Sample {
  const { busy, free } = slotsOf(documents);
  return {
    number,
    at,
    ...rates,
    p50: quantileOf(smoothed.request, 0.5) ?? null,
    p95: quantileOf(smoothed.request, 0.95) ?? null,
    p99: quantileOf(smoothed.request, 0.99) ?? null,
    proxyWait: waitOf(smoothed.proxyQueue),
    workerWait: waitOf(smoothed.workerQueue),
    waiting: waitingIn(documents).length,
    busy,
    free,
  };
}

/** What did not wait is counted as less than the smallest bound, which would be told as nearly that. */
function waitOf(waits: DurationCounts): number | null {
  const ms = quantileOf(waits, 0.95);
  return ms === undefined ? null : ms <= DURATION_BOUNDS_MS[0] ? 0 : ms;
}

/** Of the processes of all workers that answer. */
export function slotsOf({ workers }: Pick<WebAppDocuments, 'workers'>): { busy: number; free: number } {
  let busy = 0;
  let free = 0;
  for (const { status } of workers) {
    if (status === undefined) continue;
    busy += status.slots.busy;
    free += status.slots.idle ?? Math.max(0, status.slots.total - status.slots.busy);
  }
  return { busy, free };
}

/** Requests that wait now, in proxies and workers. */
export function waitingIn({ workers, proxies }: Pick<WebAppDocuments, 'workers' | 'proxies'>): {
  length: number;
  oldestMs: number;
} {
  const queues = [...workers, ...proxies].flatMap(({ status }) => status?.queue ?? []);
  return {
    length: queues.reduce((sum, queue) => sum + queue.length, 0),
    oldestMs: Math.max(0, ...queues.map((queue) => queue.oldestMs)),
  };
}
