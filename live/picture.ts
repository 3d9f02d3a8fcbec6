// One WebApp as the page shows it, made of its programs' status documents and the samples of the last minutes. Pure. The page (page/) imports these types and nothing
// else of this side.
import type { DurationCounts } from '../core/durations.ts';
import { quantileOf } from '../core/durations.ts';
import type { ProxyStatus } from '../core/status/proxy.ts';
import type { WorkerStatus } from '../core/status/worker.ts';
import { makeDeaths, makeErrors } from './failures.ts';
import { type Recent, slotsOf, waitingIn } from './minutes.ts';
import type { Places } from './places.ts';
import type { Told, WebAppDocuments, WebAppName } from './source.ts';
import { makeTiles } from './tiles.ts';
import { type Finding, makeFindings, rateOf } from './verdict.ts';
import { cut } from './words.ts';

/** Times are milliseconds; `…AgoMs` counts back from `at`, so that the page needs no clock in step. */
export interface Picture extends WebAppName {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly url?: string;
  readonly verdict: Finding;
  /** What else is to be known, the most important first. */
  readonly findings: readonly Finding[];
  readonly now: Now;
  /** Of an average request of the last minute; null: there was none, or the programs do not tell. */
  readonly time: Time | null;
  readonly workers: readonly WorkerPicture[];
  readonly proxies: readonly ProxyPicture[];
  /** The latest first. */
  readonly errors: readonly ErrorPicture[];
  /** Faults only, the latest first. */
  readonly deaths: readonly DeathPicture[];
  readonly conditions: readonly { type: string; status: string; reason: string; message: string }[];
  readonly notAsked: number;
}

export interface Now {
  readonly inFlight: number;
  readonly waiting: number;
  readonly oldestWaitMs: number;
  readonly busy: number;
  readonly free: number;
  readonly processes: { readonly ready: number; readonly desired: number; readonly starting: number };
  readonly connections: number;
  /** A second, lately. */
  readonly rate: number;
  /** In the last minute. */
  readonly requests: number;
  readonly errors: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface Time {
  readonly proxyWait: number;
  readonly workerWait: number;
  readonly app: number;
  /** Reading, sending, and all between. */
  readonly rest: number;
}

export interface WorkerPicture {
  readonly place: string;
  /** `silent`: it does not answer. */
  readonly state: WorkerStatus['state'] | 'silent';
  readonly why?: string;
  readonly config?: ConfigPicture;
  readonly waiting: number;
  readonly tiles: readonly Tile[];
}

export interface ConfigPicture {
  readonly hash: string;
  readonly appliedAgoMs: number;
  readonly error?: string;
}

/** `gone`: nobody sits there now. */
export type TileState = 'starting' | 'free' | 'busy' | 'draining' | 'gone';

/** One place for an application process. */
export interface Tile {
  readonly place: number;
  readonly state: TileState;
  readonly pid?: number;
  readonly ageMs?: number;
  readonly served?: number;
  readonly residentBytes?: number;
  /** What it serves, the longest first. */
  readonly serving: readonly { readonly method: string; readonly path: string; readonly ms: number }[];
  /** Of these so many are not listed. */
  readonly more: number;
  /** Who was there before, or whose work it took over, if that died lately. */
  readonly died?: { readonly cause: string; readonly agoMs: number; readonly message: string };
}

export interface ProxyPicture {
  readonly place: string;
  readonly state: ProxyStatus['state'] | 'silent';
  readonly why?: string;
  readonly config?: ConfigPicture;
  readonly connections?: { readonly open: number; readonly max: number };
  readonly endpoints: readonly EndpointPicture[];
}

export interface EndpointPicture {
  readonly address: string;
  readonly state: 'ready' | 'failing' | 'draining';
  readonly outstanding: number;
  readonly failures: number;
}

export interface ErrorPicture {
  readonly agoMs: number;
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  readonly fault: string;
  /** The cause in words. */
  readonly text: string;
}

export interface DeathPicture {
  readonly worker: string;
  readonly place?: number;
  readonly pid: number;
  readonly agoMs: number;
  readonly cause: string;
  readonly message: string;
  readonly traceback?: string;
}

export interface Drawn {
  readonly documents: WebAppDocuments;
  readonly places: Places;
  /** Of the last RECENT_SECONDS, for the verdict. */
  readonly recent: Recent;
  /** Of the last 60 seconds, for the numbers. */
  readonly minute: Recent;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Shown at most; programs bound theirs, hostile ones need not. */
const MAX_ENDPOINTS = 256;

export function makePicture(drawn: Drawn): Picture {
  const { documents, at, recent } = drawn;
  const { namespace, name, url, conditions, notAsked } = documents;
  const [verdict, ...findings] = makeFindings({ at, documents, recent });
  return {
    at,
    namespace,
    name,
    ...(url !== undefined && { url }),
    verdict,
    findings,
    now: makeNow(drawn),
    time: makeTime(drawn.minute),
    workers: documents.workers.map((told) => makeWorker(told, drawn)),
    proxies: documents.proxies.map((told) => makeProxy(told, at)),
    errors: makeErrors(documents, at),
    deaths: makeDeaths(documents, drawn.places, at),
    conditions: conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
    notAsked,
  };
}

function makeNow({ documents, recent, minute }: Drawn): Now {
  const { workers, proxies } = documents;
  const waiting = waitingIn(documents);
  const sum = <T>(all: readonly Told<T>[], of: (status: T) => number): number =>
    all.reduce((total, { status }) => total + (status === undefined ? 0 : of(status)), 0);
  const seers = proxies.some(({ status }) => status !== undefined) ? proxies : workers;
  return {
    inFlight: sum<ProxyStatus | WorkerStatus>(seers, ({ requests }) => requests.inFlight),
    waiting: waiting.length,
    oldestWaitMs: waiting.oldestMs,
    ...slotsOf(documents),
    processes: {
      ready: sum(workers, ({ processes }) => processes.ready),
      desired: sum(workers, ({ processes }) => processes.desired),
      starting: sum(workers, ({ processes }) => processes.starting),
    },
    connections: sum(proxies, ({ connections }) => connections.open),
    rate: rateOf(recent),
    requests: minute.requests,
    errors: minute.errors,
    p50: quantileOf(minute.request, 0.5) ?? null,
    p95: quantileOf(minute.request, 0.95) ?? null,
    p99: quantileOf(minute.request, 0.99) ?? null,
  };
}

/** Each part by the requests that the proxy answered, those from static folders among them: the parts add up to its average. */
function makeTime({ request, proxyQueue, workerQueue, app }: Recent): Time | null {
  const requests = numberOf(request);
  if (requests === 0) return null;
  const mean = ({ sumMs }: DurationCounts): number => sumMs / requests;
  const parts = { proxyWait: mean(proxyQueue), workerWait: mean(workerQueue), app: mean(app) };
  return { ...parts, rest: Math.max(0, mean(request) - parts.proxyWait - parts.workerWait - parts.app) };
}

const numberOf = ({ counts }: DurationCounts): number => counts.reduce((sum, one) => sum + one, 0);

function makeWorker({ place, status, why }: Told<WorkerStatus>, drawn: Drawn): WorkerPicture {
  if (status === undefined)
    return { place, state: 'silent', waiting: 0, tiles: [], ...(why !== undefined && { why: cut(why) }) };
  return {
    place,
    state: status.state,
    config: makeConfig(status.config, drawn.at),
    waiting: status.queue.length,
    tiles: makeTiles(place, status, drawn.places, drawn.at),
  };
}

function makeConfig({ hash, appliedAt, error }: WorkerStatus['config'], at: number): ConfigPicture {
  return {
    hash: cut(hash),
    appliedAgoMs: Math.max(0, at - appliedAt),
    ...(error !== undefined && { error: cut(error) }),
  };
}

function makeProxy({ place, status, why }: Told<ProxyStatus>, at: number): ProxyPicture {
  if (status === undefined)
    return { place, state: 'silent', endpoints: [], ...(why !== undefined && { why: cut(why) }) };
  const { open, max } = status.connections;
  const endpoints = status.groups.flatMap((group) => group.endpoints).slice(0, MAX_ENDPOINTS);
  return {
    place,
    state: status.state,
    config: makeConfig(status.config, at),
    connections: { open, max },
    endpoints: endpoints.map(({ address, state, outstanding, failures }) => ({
      address: cut(address),
      state,
      outstanding,
      failures,
    })),
  };
}
