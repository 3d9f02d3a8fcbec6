// What failed lately: requests with their ids, and processes with their last words.
import type { DeathPicture, ErrorPicture } from '../picture.ts';
import { formatAgo, formatMs } from '../words.ts';
import { byId, fill, make, setShown, setText } from './dom.ts';

const COLUMNS = ['When', 'Request', 'Answer', 'Took', 'Why', 'Request id'] as const;

export function drawErrors(errors: readonly ErrorPicture[]): void {
  setShown(byId('errors-none'), errors.length === 0);
  setShown(byId('errors-table'), errors.length > 0);
  fill(byId('errors'), errors, {
    key: ({ id, method, path, status }) => (id === '' ? `${method} ${path} ${status}` : id),
    make: makeRow,
    update: (row, error) => {
      const texts = textsOf(error);
      for (const [index, cell] of [...row.cells].entries()) setText(cell.firstElementChild ?? cell, texts[index] ?? '');
    },
  });
}

function textsOf({ agoMs, method, path, status, ms, text, fault, id }: ErrorPicture): string[] {
  const answer = status === 0 ? 'none: the client left' : String(status);
  return [formatAgo(agoMs), `${method} ${path}`, answer, formatMs(ms), fault === '' ? text : `${text} ${fault}`, id];
}

function makeRow(): HTMLTableRowElement {
  const row = make('tr');
  for (const column of COLUMNS) {
    const cell = row.insertCell();
    cell.dataset['label'] = column; // shown on a phone, where there are no columns
    cell.append(make(column === 'Request id' || column === 'Request' ? 'code' : 'span'));
  }
  return row;
}

export function drawDeaths(deaths: readonly DeathPicture[]): void {
  setShown(byId('deaths-section'), deaths.length > 0);
  fill(byId('deaths'), deaths, {
    key: ({ worker, pid, cause }) => `${worker} ${pid} ${cause}`,
    make: makeDeath,
    update: (item, { agoMs, place }) => {
      const when = item.querySelector('.when');
      const seat = place === undefined ? '' : `, place ${place}`;
      if (when) setText(when, `${formatAgo(agoMs)}${seat}`);
    },
  });
}

function makeDeath({ cause, message, traceback }: DeathPicture): HTMLLIElement {
  const item = make('li');
  const line = make('p');
  line.append(make('span', 'when'), make('span', 'cause', cause), make('span', '', message));
  item.append(line);
  if (traceback === undefined) return item;
  const details = make('details');
  const text = make('pre', '', traceback);
  text.tabIndex = 0;
  details.append(make('summary', '', 'Its traceback'), text);
  item.append(details);
  return item;
}
