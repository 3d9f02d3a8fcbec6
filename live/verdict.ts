// What to tell a person first: an ordered list of checks, each looking for one thing; what it finds is a sentence and what to do. The first is the verdict.
// Words come from the status documents and the table of faults. Pure.
import { quantileOf } from '../core/durations.ts';
import { DEATH_MENDS } from '../core/status/death-causes.ts';
import { ANSWERED_SO, TROUBLES } from '../core/status/troubles.ts';
import { LONG_WAIT_MS } from '../core/status/waiting.ts';
import type { WorkerStatus } from '../core/status/worker.ts';
import { deathsByCause, latestDeath } from './deaths.ts';
import { faultWords } from './failures.ts';
import { NO_TRAFFIC, type Recent, slotsOf, waitingIn } from './minutes.ts';
import type { Listed, Tone, WebAppDocuments } from './source.ts';
import { count, formatAgo, formatMs, formatNumber } from './words.ts';

export interface Finding {
  /** Stays the same while its numbers move: what is read aloud only when it changes. */
  readonly kind: string;
  readonly tone: Tone;
  readonly text: string;
  /** What to do. */
  readonly mend?: string;
  /** Of the spec, to look at. */
  readonly field?: string;
}

export interface Seen {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly documents: WebAppDocuments;
  /** Of the last RECENT_SECONDS. */
  readonly recent: Recent;
}

export const RECENT_SECONDS = 30;
/** Of the requests: from here on errors are worth a word, and from there on they come first. */
const ERRORS_SOME = 0.001;
const ERRORS_MANY = 0.02;
/** Waiting that drives users away. */
const UNBEARABLE_WAIT_MS = 3_000;
/** For so long a death is news. */
const DEATH_NEWS_MS = 60_000;

type Check = (seen: Seen) => readonly Finding[];

/** The order is that of importance to users: not served, failing, waiting; then what may come to that. */
export const CHECKS: Readonly<Record<string, Check>> = {
  off: checkOff,
  silent: checkSilent,
  leaving: checkLeaving,
  noProcess: checkNoProcess,
  manyErrors: (seen) => checkErrors(seen, ERRORS_MANY, 1),
  waiting: checkWaiting,
  problems: checkProblems,
  refused: checkRefusedConfiguration,
  fewerProcesses: checkFewerProcesses,
  deaths: checkDeaths,
  endpoints: checkEndpoints,
  someErrors: (seen) => checkErrors(seen, ERRORS_SOME, ERRORS_MANY),
  partlySilent: checkPartlySilent,
  progress: checkProgress,
};

/** @returns the most important first; never empty */
export function makeFindings(seen: Seen): [Finding, ...Finding[]] {
  const [first, ...more] = Object.values(CHECKS).flatMap((check) => check(seen));
  if (first === undefined) return [allIsWell(seen)];
  return [isServed(seen) && first.tone === 'warning' ? served(first) : first, ...more];
}

/** A verdict says first how users fare. */
function served(finding: Finding): Finding {
  return /^(Users|It) /.test(finding.text) ? finding : { ...finding, text: `Users are served. ${finding.text}` };
}

/** A row of the list: what is known without samples. */
export function listedOf(documents: WebAppDocuments, at: number): Listed {
  const { namespace, name, url } = documents;
  const [{ kind, tone, text }] = makeFindings({ at, documents, recent: NO_TRAFFIC });
  const { ready, desired } = processesOf(documents);
  const said = kind === 'idle' ? `${ready} of ${count(desired, 'process')} ready.` : text;
  return { namespace, name, ...(url !== undefined && { url }), tone, text: said };
}

function isServed({ documents }: Seen): boolean {
  return documents.workers.some(({ status }) => (status?.processes.ready ?? 0) > 0);
}

function checkOff({ documents }: Seen): Finding[] {
  const off = documents.conditions.find(
    ({ type, reason }) => type === 'Ready' && (reason === 'Suspended' || reason === 'ScaledToZero'),
  );
  return off ? [{ kind: 'off', tone: 'unknown', text: off.message }] : [];
}

function checkSilent({ documents }: Seen): Finding[] {
  const told = [...documents.proxies, ...documents.workers];
  if (told.some(({ status }) => status !== undefined)) return [];
  const notReady = documents.conditions.find(({ type, status }) => type === 'Ready' && status === 'False');
  if (notReady) return [{ kind: 'silent', tone: 'bad', text: notReady.message }];
  const why = told.find((one) => one.why !== undefined)?.why;
  const text = `Nobody can tell: neither a proxy nor a worker answers${why === undefined ? '' : ` (${why})`}.`;
  return [{ kind: 'silent', tone: 'unknown', text }];
}

function checkLeaving({ documents }: Seen): Finding[] {
  const states = [...documents.proxies, ...documents.workers].flatMap(({ status }) => status?.state ?? []);
  if (states.length === 0 || states.some((state) => state !== 'draining')) return [];
  const left = documents.workers.reduce((sum, { status }) => sum + (status?.requests.inFlight ?? 0), 0);
  return [{ kind: 'leaving', tone: 'unknown', text: `It is stopping: ${count(left, 'request')} still being served.` }];
}

function checkNoProcess(seen: Seen): Finding[] {
  const { workers } = seen.documents;
  if (isServed(seen) || workers.every(({ status }) => status === undefined)) return [];
  const death = latestDeath(seen.documents);
  if (death === undefined)
    return [
      { kind: 'starting', tone: 'warning', text: 'It is starting: requests wait until the first process is ready.' },
    ];
  const text = `Users are not served. ${TROUBLES.noProcess.words} ${death.message}`;
  return [{ kind: 'no-process', tone: 'bad', text, ...DEATH_MENDS[death.cause] }];
}

function checkErrors({ recent }: Seen, from: number, below: number): Finding[] {
  const { requests, errors } = recent;
  const share = errors / Math.max(1, requests, errors);
  if (errors === 0 || share < from || (share >= below && below < 1)) return [];
  const tone = share >= ERRORS_MANY ? 'bad' : 'warning';
  const of = `${formatNumber(errors)} of ${count(Math.round(requests), 'request')} in the last ${RECENT_SECONDS} s`;
  const { words, mend } = TROUBLES.errors;
  return [{ kind: `errors-${tone}`, tone, text: `${words} ${of} failed. ${mostlyBecause(recent)}`, mend }];
}

function mostlyBecause({ faults, errors }: Recent): string {
  const [most] = Object.entries(faults)
    .filter(([code]) => (faultWords(code)?.status ?? 0) >= 500)
    .sort((a, b) => b[1] - a[1]);
  if (most === undefined || most[1] < errors / 2) return ANSWERED_SO;
  return faultWords(most[0])?.message ?? '';
}

function checkWaiting({ documents, recent }: Seen): Finding[] {
  const { length, oldestMs } = waitingIn(documents);
  const wait = (quantileOf(recent.proxyQueue, 0.95) ?? 0) + (quantileOf(recent.workerQueue, 0.95) ?? 0);
  const longest = Math.max(wait, length > 0 ? oldestMs : 0);
  if (longest <= LONG_WAIT_MS) return [];
  const { busy, free } = slotsOf(documents);
  const now = length > 0 ? `${count(length, 'request')} waiting now, the first for ${formatMs(oldestMs)}` : '';
  const lately = `Of the last ${RECENT_SECONDS} s, 5 of 100 waited longer than ${formatMs(wait)}`;
  const { words, mend, field } = TROUBLES.wait;
  const text = `${words} ${now || lately}; ${busy} of ${count(busy + free, 'slot')} busy.`;
  return [{ kind: 'waiting', tone: longest < UNBEARABLE_WAIT_MS ? 'warning' : 'bad', text, mend, field }];
}

/** That requests wait is told with its numbers by checkWaiting, while they do. */
function checkProblems(seen: Seen): Finding[] {
  const known = checkWaiting(seen).length > 0 ? TROUBLES.wait.words : '';
  return seen.documents.problems
    .filter(({ message }) => message !== known)
    .map(({ type, message, mend, field }) => ({
      kind: `problem-${type}-${field}`,
      tone: 'warning',
      text: message,
      mend,
      field,
    }));
}

function checkRefusedConfiguration({ documents }: Seen): Finding[] {
  const refusals = [...documents.workers, ...documents.proxies].flatMap(({ place, status }) =>
    status?.config.error === undefined ? [] : { place, kind: status.kind, error: status.config.error },
  );
  const [first] = refusals;
  if (first === undefined) return [];
  const program = first.kind === 'ProxyStatus' ? 'proxy' : 'worker';
  const { words, mend } = TROUBLES.refused;
  const text = `${words} It is the ${program} (${first.place}): ${first.error}`;
  return [{ kind: 'refused', tone: 'warning', text, mend }];
}

function checkFewerProcesses(seen: Seen): Finding[] {
  const { desired, ready, starting } = processesOf(seen.documents);
  if (ready >= desired || ready === 0) return [];
  const death = latestDeath(seen.documents);
  const why = death !== undefined && seen.at - death.at < DEATH_NEWS_MS ? death : undefined;
  const coming = starting > 0 ? `${starting} starting` : 'the others are started again after a pause';
  const text = `Users are served by ${ready} of ${count(desired, 'process')}; ${coming}.${why ? ` ${why.message}` : ''}`;
  return [{ kind: 'fewer', tone: 'warning', text, ...(why && DEATH_MENDS[why.cause]) }];
}

/** One for each cause: each has another mend. */
function checkDeaths({ documents, at }: Seen): Finding[] {
  return deathsByCause(documents, at - DEATH_NEWS_MS).map(({ latest, count: deaths }) => {
    const others = deaths > 1 ? ` It was the ${ordinal(deaths)} in a minute.` : '';
    const text = `${latest.message} That was ${formatAgo(at - latest.at)}.${others}`;
    return { kind: `death-${latest.cause}-${latest.id}`, tone: 'warning', text, ...DEATH_MENDS[latest.cause] };
  });
}

function checkEndpoints({ documents }: Seen): Finding[] {
  const endpoints = documents.proxies.flatMap(({ status }) => status?.groups.flatMap((group) => group.endpoints) ?? []);
  const failing = endpoints.filter(({ state }) => state === 'failing');
  if (failing.length === 0) return [];
  const { words, mend } = TROUBLES.unreached;
  const text = `${words} ${failing.length} of ${endpoints.length} cannot be reached, such as ${failing[0]?.address}.`;
  return [{ kind: 'endpoints', tone: 'warning', text, mend }];
}

function checkPartlySilent({ documents }: Seen): Finding[] {
  const all = [...documents.proxies, ...documents.workers];
  const silent = all.filter(({ status }) => status === undefined);
  const [first] = silent;
  if (first === undefined || silent.length === all.length) return [];
  const why = first.why === undefined ? '' : `: ${first.why}`;
  const text = `${silent.length} of ${count(all.length, 'program')} does not tell how it is, such as ${first.place}${why}.`;
  return [{ kind: 'partly-silent', tone: 'warning', text }];
}

function checkProgress({ documents }: Seen): Finding[] {
  const progress = documents.conditions.find(({ type, status }) => type === 'Progressing' && status === 'True');
  return progress ? [{ kind: `progress-${progress.reason}`, tone: 'good', text: progress.message }] : [];
}

function allIsWell({ documents, recent }: Seen): Finding {
  const { ready } = processesOf(documents);
  const [half, most] = [quantileOf(recent.request, 0.5), quantileOf(recent.request, 0.99)];
  if (recent.requests === 0) {
    const free = `${count(ready, 'process')} ${ready === 1 ? 'is' : 'are'} free`;
    return { kind: 'idle', tone: 'good', text: `All is well: nobody asks at the moment, ${free}.` };
  }
  const rate = `${formatNumber(rateOf(recent))} requests a second`;
  const times =
    half === undefined || most === undefined
      ? ''
      : `, half of them answered within ${formatMs(half)}, 99 of 100 within ${formatMs(most)}`;
  return { kind: 'well', tone: 'good', text: `Users are well served: ${rate}${times}.` };
}

/** Requests a second. */
export function rateOf({ requests, seconds }: Recent): number {
  return requests / Math.max(1, seconds);
}

function processesOf({ workers }: WebAppDocuments): { desired: number; ready: number; starting: number } {
  const sum = (of: (processes: WorkerStatus['processes']) => number): number =>
    workers.reduce((total, { status }) => total + (status ? of(status.processes) : 0), 0);
  return { desired: sum((p) => p.desired), ready: sum((p) => p.ready), starting: sum((p) => p.starting) };
}

function ordinal(number: number): string {
  const ending = ['th', 'st', 'nd', 'rd'][number % 100 > 10 && number % 100 < 14 ? 0 : number % 10] ?? 'th';
  return `${number}${ending}`;
}
