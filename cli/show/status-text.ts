// `webapp status NAME` for people: first how users fare and what to do, then what is behind it. The words are those of the live page. Pure.

import type { ConfigPicture, Picture } from '../../live/picture.ts';
import type { Finding } from '../../live/verdict.ts';
import { count, formatAgo, formatMs, formatNumber } from '../../live/words.ts';
import { plainLines, plainText } from '../terminal/plain.ts';
import { type Cell, type Column, tableLines } from '../terminal/table.ts';
import { type ResourceSight, type Sight, TONE_STYLES } from './sight.ts';
import { podLines, processLines, type Room } from './tables.ts';

/** Of errors, deaths and events each. */
const MAX_SHOWN = 10;
/** Lines of a traceback: its end says what was raised. */
const MAX_TRACEBACK = 20;

/** @returns lines */
export function statusLines(sight: Sight, room: Room): string[] {
  const { picture, resource } = sight;
  const parts: [title: string, lines: string[]][] = [
    ['', headLines(sight, room)],
    ['Problems', problemLines(resource, picture.findings, room)],
    ['Conditions', conditionLines(picture, room)],
    ['Pods', podLines(resource?.podList ?? [], room)],
    [processTitle(picture), processPart(sight, room)],
    ['Processes that died', deathLines(picture, room)],
    ['Requests that failed', errorLines(picture, room)],
    ['Events', eventLines(resource, room)],
    ['Configuration in force', configurationLines(picture, room)],
  ];
  return parts
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([title, lines], index) =>
      index === 0 ? lines : ['', room.paint('strong', title), ...lines.map((line) => `  ${line}`)],
    );
}

function headLines({ picture, run, resource, sample }: Sight, { paint }: Room): string[] {
  const { namespace, name, url, verdict, now } = picture;
  const where = run ? `webapp up, process ${run.pid}, in ${run.cwd}` : `namespace ${namespace}`;
  const facts = [
    resource?.state,
    url,
    resource && `image ${resource.image}`,
    resource?.revision && `version ${resource.revision}`,
  ];
  const traffic = sample
    ? `${formatNumber(sample.requests)} requests a second, ${count(now.inFlight, 'request')} being served, ${now.waiting} waiting; ` +
      `in the last minute ${formatNumber(now.errors)} of ${formatNumber(now.requests)} failed${quantiles(picture)}`
    : '';
  return [
    `${paint('strong', plainText(name))}  ${paint('dim', plainText(where))}`,
    ...findingLines(verdict, paint),
    ...[facts.filter(Boolean).join('  '), traffic]
      .filter((line) => line !== '')
      .map((line) => paint('dim', plainText(line))),
  ];
}

function quantiles({ now: { p50, p95, p99 } }: Picture): string {
  if (p50 === null || p95 === null || p99 === null) return '';
  return `; half answered within ${formatMs(p50)}, 95 of 100 within ${formatMs(p95)}, 99 within ${formatMs(p99)}`;
}

function findingLines({ tone, text, mend, field }: Finding, paint: Room['paint']): string[] {
  const mark = tone === 'good' ? '✓' : tone === 'bad' ? '✗' : tone === 'warning' ? '!' : '·';
  return [
    paint(TONE_STYLES[tone], `${mark} ${plainText(text)}`),
    ...(mend === undefined ? [] : [`  → ${plainText(mend)}${field === undefined ? '' : ` (${plainText(field)})`}`]),
  ];
}

/** What the operator tells, and what else is to be known; the verdict has the first already. */
function problemLines(resource: ResourceSight | undefined, findings: readonly Finding[], { paint }: Room): string[] {
  const told = new Set((resource?.problems ?? []).map(({ message }) => message));
  const problems = (resource?.problems ?? []).map(
    ({ message, mend, field }): Finding => ({ kind: '', tone: 'warning', text: message, mend, field }),
  );
  return [...problems, ...findings.filter(({ text }) => !told.has(text))].flatMap((one) => findingLines(one, paint));
}

const CONDITIONS: readonly Column[] = [{ title: 'TYPE' }, { title: 'IS' }, { title: 'REASON' }, { title: 'MESSAGE' }];

function conditionLines({ conditions }: Picture, { width, paint }: Room): string[] {
  const rows = conditions.map(({ type, status, reason, message }): Cell[] => [
    { text: type },
    { text: status },
    { text: reason },
    { text: message },
  ]);
  return rows.length === 0 ? [] : tableLines(CONDITIONS, rows, width - 2, paint);
}

function processTitle({ now: { processes }, notAsked }: Picture): string {
  const { ready, desired, starting } = processes;
  const coming = starting > 0 ? `, ${starting} starting` : '';
  const more = notAsked > 0 ? `; ${count(notAsked, 'pod')} more are not asked` : '';
  return `Processes: ${ready} of ${desired} ready${coming}${more}`;
}

function processPart(sight: Sight, room: Room): string[] {
  const silent = sight.resource?.silent ?? '';
  const said = silent === '' ? [] : [room.paint('warning', `! ${plainText(silent)}`)];
  const told =
    silent === '' || !sight.resource?.processes
      ? []
      : [`The operator tells of ${plainText(sight.resource.processes)} processes ready.`];
  return [...said, ...told, ...processLines([sight], false, { ...room, width: room.width - 2 })];
}

function deathLines({ deaths }: Picture, { paint }: Room): string[] {
  const lines = deaths.slice(0, MAX_SHOWN).map(({ agoMs, message, worker, place }) => {
    const seat = place === undefined ? '' : `, place ${place}`;
    const pod = worker === 'here' ? '' : ` (${worker}${seat})`;
    return `${formatAgo(agoMs)}: ${plainText(message)}${plainText(pod)}`;
  });
  const traceback = deaths.find((death) => death.traceback !== undefined)?.traceback;
  if (traceback === undefined) return lines;
  return [
    ...lines,
    ...plainLines(traceback)
      .slice(-MAX_TRACEBACK)
      .map((line) => paint('dim', `  ${line}`)),
  ];
}

const ERRORS: readonly Column[] = [
  { title: 'WHEN' },
  { title: 'REQUEST ID', dispensable: 1 },
  { title: 'REQUEST' },
  { title: 'ANSWER' },
  { title: 'TOOK', align: 'right', dispensable: 2 },
  { title: 'WHY' },
];

function errorLines({ errors }: Picture, { width, paint }: Room): string[] {
  const rows = errors
    .slice(0, MAX_SHOWN)
    .map(({ agoMs, id, method, path, status, ms, text, fault }): Cell[] => [
      { text: formatAgo(agoMs) },
      { text: id },
      { text: `${method} ${path}` },
      { text: status === 0 ? 'none: the client left' : String(status), style: 'bad' },
      { text: formatMs(ms) },
      { text: fault === '' ? text : `${text} ${fault}` },
    ]);
  return rows.length === 0 ? [] : tableLines(ERRORS, rows, width - 2, paint);
}

const EVENTS: readonly Column[] = [
  { title: 'LAST' },
  { title: 'TYPE', dispensable: 1 },
  { title: 'REASON' },
  { title: 'MESSAGE' },
];

function eventLines(resource: ResourceSight | undefined, { width, paint }: Room): string[] {
  const rows = (resource?.events ?? [])
    .slice(0, MAX_SHOWN)
    .map(({ agoMs, type, reason, message, times }): Cell[] => [
      { text: formatAgo(agoMs) },
      { text: type, style: type === 'Warning' ? 'warning' : 'plain' },
      { text: reason },
      { text: times > 1 ? `${message} (${times} times)` : message },
    ]);
  return rows.length === 0 ? [] : tableLines(EVENTS, rows, width - 2, paint);
}

function configurationLines({ workers, proxies }: Picture, { paint }: Room): string[] {
  const programs = [
    ...proxies.map(({ place, config }) => ({ program: 'proxy', place, config })),
    ...workers.map(({ place, config }) => ({ program: 'worker', place, config })),
  ];
  return programs.flatMap(({ program, place, config }) => {
    if (config === undefined) return [];
    const name = place === 'here' ? program : `${program} ${place}`;
    return [
      `${plainText(name)}: ${plainText(config.hash)}, applied ${formatAgo(config.appliedAgoMs)}`,
      ...refusal(config, paint),
    ];
  });
}

function refusal({ error }: ConfigPicture, paint: Room['paint']): string[] {
  return error === undefined ? [] : [paint('warning', `! it refused the newest: ${plainText(error)}`)];
}
