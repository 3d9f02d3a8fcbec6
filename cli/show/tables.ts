// The tables of `webapp top` and `webapp status`: WebApps, application processes, pods. Numbers and words are those of the live page. Pure.
import type { Tile, WorkerPicture } from '../../live/picture.ts';
import { formatBytes, formatMs, formatNumber, STATE_WORDS } from '../../live/words.ts';
import type { Paint, Style } from '../terminal/paint.ts';
import { type Cell, type Column, tableLines } from '../terminal/table.ts';
import { type PodSight, type Sight, TONE_STYLES } from './sight.ts';

/** Of the terminal. */
export interface Room {
  readonly width: number;
  readonly paint: Paint;
}

const WEBAPPS: readonly Column[] = [
  { title: 'NAMESPACE', dispensable: 1 },
  { title: 'NAME' },
  { title: 'PROCESSES', align: 'right' },
  { title: 'PODS', align: 'right', dispensable: 3 },
  { title: 'BUSY', align: 'right', dispensable: 4 },
  { title: 'WAITING', align: 'right', dispensable: 2 },
  { title: 'REQ/S', align: 'right', dispensable: 2 },
  { title: 'ERRORS/MIN', align: 'right', dispensable: 5 },
  { title: 'P95', align: 'right', dispensable: 4 },
  { title: 'HOW IT IS' },
];

/** @param withNamespaces when they may differ */
export function webAppLines(sights: readonly Sight[], withNamespaces: boolean, { width, paint }: Room): string[] {
  return tableLines(
    WEBAPPS,
    sights.map((sight) => webAppCells(sight, withNamespaces)),
    width,
    paint,
  );
}

function webAppCells({ picture, sample, resource }: Sight, withNamespaces: boolean): Cell[] {
  const { namespace, name, now, verdict } = picture;
  const isAsked = picture.workers.some(({ state }) => state !== 'silent');
  const asked = (text: string): string => (isAsked ? text : '');
  const { ready, desired } = now.processes;
  return [
    { text: withNamespaces ? namespace : '' },
    { text: name, style: 'strong' },
    {
      text: isAsked ? `${ready}/${desired}` : (resource?.processes ?? ''),
      style: ready < desired ? 'warning' : 'plain',
    },
    { text: resource?.pods ?? '' },
    { text: asked(`${now.busy}/${now.busy + now.free}`) },
    { text: asked(String(now.waiting)), style: now.waiting > 0 ? 'warning' : 'plain' },
    { text: sample ? formatNumber(sample.requests) : '' },
    { text: sample ? formatNumber(now.errors) : '', style: now.errors > 0 ? 'bad' : 'plain' },
    { text: now.p95 === null ? '' : formatMs(now.p95) },
    { text: verdict.text, style: TONE_STYLES[verdict.tone] },
  ];
}

const PROCESSES: readonly Column[] = [
  { title: 'NAME' },
  { title: 'POD', dispensable: 4 },
  { title: 'PLACE', align: 'right', dispensable: 3 },
  { title: 'PID', align: 'right', dispensable: 2 },
  { title: 'STATE' },
  { title: 'AGE', align: 'right', dispensable: 5 },
  { title: 'SERVED', align: 'right', dispensable: 6 },
  { title: 'MEMORY', align: 'right', dispensable: 1 },
  { title: 'SERVES NOW, OR WHY ITS PREDECESSOR DIED' },
];

const TILE_STYLES: Readonly<Record<Tile['state'], Style>> = {
  starting: 'warning',
  free: 'dim',
  busy: 'good',
  draining: 'warning',
  gone: 'bad',
};

/** @param withNames when the processes are of several WebApps. @returns [] when there is none */
export function processLines(sights: readonly Sight[], withNames: boolean, { width, paint }: Room): string[] {
  const rows = sights.flatMap(({ picture }) =>
    picture.workers.flatMap((worker) =>
      worker.tiles.map((tile) => processCells(withNames ? picture.name : '', worker, tile)),
    ),
  );
  return rows.length === 0 ? [] : tableLines(PROCESSES, rows, width, paint);
}

function processCells(name: string, { place }: WorkerPicture, tile: Tile): Cell[] {
  const { pid, state, ageMs, served, residentBytes, died } = tile;
  const word = state === 'gone' && died ? 'died' : STATE_WORDS[state];
  return [
    { text: name },
    { text: place === HERE ? '' : place },
    { text: String(tile.place) },
    { text: pid === undefined ? '' : String(pid) },
    { text: word, style: TILE_STYLES[state] },
    { text: ageMs === undefined ? '' : formatMs(Math.max(1_000, ageMs)) },
    { text: served === undefined ? '' : String(served) },
    { text: residentBytes === undefined ? '' : formatBytes(residentBytes) },
    doing(tile),
  ];
}

/** A worker that is one of a kind has no pod to name. */
const HERE = 'here';

function doing({ serving, more, died }: Tile): Cell {
  const texts = serving.map(({ method, path, ms }) => `${method} ${path} for ${formatMs(ms)}`);
  if (more > 0) texts.push(`${more} more`);
  if (texts.length > 0) return { text: texts.join(', ') };
  return died ? { text: `died here ${formatMs(died.agoMs)} ago: ${died.message}`, style: 'bad' } : { text: '' };
}

const PODS: readonly Column[] = [
  { title: 'POD' },
  { title: 'IS', dispensable: 1 },
  { title: 'STATE' },
  { title: 'RESTARTS', align: 'right', dispensable: 4 },
  { title: 'AGE', align: 'right', dispensable: 3 },
  { title: 'VERSION', dispensable: 2 },
  { title: 'NODE', dispensable: 5 },
];

export function podLines(pods: readonly PodSight[], { width, paint }: Room): string[] {
  const rows = pods.map(({ name, component, state, isReady, restarts, ageMs, revision, node }): Cell[] => [
    { text: name },
    { text: component },
    { text: state, style: isReady ? 'good' : 'warning' },
    { text: String(restarts), style: restarts > 0 ? 'warning' : 'plain' },
    { text: formatMs(ageMs) },
    { text: revision },
    { text: node },
  ]);
  return rows.length === 0 ? [] : tableLines(PODS, rows, width, paint);
}
