// Every application process as a tile at its place: what it is, with what and for how long, and who died there.
import type { Picture, Tile, TileState, WorkerPicture } from '../picture.ts';
import { count, formatAgo, formatBytes, formatMs, STATE_WORDS } from '../words.ts';
import { byId, fill, fillTexts, make, setData, setShown, setText } from './dom.ts';

export function drawProcesses({ workers, now, notAsked }: Picture): void {
  const { ready, desired, starting } = now.processes;
  const coming = starting > 0 ? `, ${starting} starting` : '';
  const more = notAsked > 0 ? `; ${count(notAsked, 'pod')} more are not asked` : '';
  setText(byId('processes-summary'), `${ready} of ${desired} ready${coming}${more}`);
  fill(byId('workers'), workers, {
    key: ({ place }) => place,
    make: makeWorker,
    update: (element, worker) => updateWorker(element, worker, workers.length > 1),
  });
}

function makeWorker({ place }: WorkerPicture): HTMLDivElement {
  const box = make('div', 'worker');
  const tiles = make('ul', 'tiles');
  tiles.setAttribute('aria-label', place === 'here' ? 'Processes' : `Processes of ${place}`);
  box.append(make('h3'), make('p', 'quiet'), tiles);
  return box;
}

function updateWorker(
  box: HTMLDivElement,
  { place, state, why, waiting, tiles }: WorkerPicture,
  isOneOfMany: boolean,
): void {
  const [title, remark, list] = box.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
  setShown(title, isOneOfMany);
  setText(title, place);
  const said = state === 'silent' ? `The worker does not answer${why === undefined ? '.' : `: ${why}`}` : '';
  const leaving = state === 'draining' ? 'It finishes what it has and stops.' : '';
  const queued = waiting > 0 ? `${count(waiting, 'request')} waiting for one of these.` : '';
  const text = [said, leaving, queued].filter(Boolean).join(' ');
  setShown(remark, text !== '');
  setText(remark, text);
  fill(list, tiles, { key: (tile) => String(tile.place), make: makeTile, update: updateTile });
}

function makeTile({ place }: Tile): HTMLLIElement {
  const item = make('li', 'tile');
  const head = make('p', 'head');
  head.append(make('span', 'seat', String(place)), make('strong'), make('span', 'since'));
  item.append(head, make('ul', 'serving'), make('p', 'died'), make('ul', 'facts'));
  return item;
}

function updateTile(item: HTMLLIElement, tile: Tile): void {
  const { state, serving, more, died } = tile;
  const [head, requests, death, facts] = item.children as unknown as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
    HTMLElement,
  ];
  const [, word, since] = head.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
  setData(item, 'state', state);
  setText(word, state === 'gone' && died ? 'died' : STATE_WORDS[state]);
  const [longest] = serving;
  setText(since, state === 'busy' && longest ? `for ${formatMs(longest.ms)}` : '');
  const lines = serving.map(({ method, path, ms }) =>
    serving.length > 1 ? `${method} ${path}, ${formatMs(ms)}` : `${method} ${path}`,
  );
  setShown(requests, lines.length > 0);
  fillTexts(requests, 'request', more > 0 ? [...lines, `and ${more} more`] : lines);
  setShown(death, died !== undefined);
  setText(death, died ? `${diedText(state, died.agoMs)} ${died.message}` : '');
  fillTexts(facts, '', factsOf(tile));
}

function diedText(state: TileState, agoMs: number): string {
  const ago = formatAgo(agoMs);
  return state === 'gone' ? `Died ${ago}.` : `Took over ${ago} from one that died.`;
}

function factsOf({ pid, ageMs, served, residentBytes }: Tile): string[] {
  return [
    pid === undefined ? '' : `process ${pid}`,
    ageMs === undefined ? '' : `${formatMs(Math.max(1_000, ageMs))} old`,
    served === undefined ? '' : `${served} served`,
    residentBytes === undefined ? '' : formatBytes(residentBytes),
  ].filter(Boolean);
}
