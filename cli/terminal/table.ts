// A table for a terminal: columns as wide as what is in them, and when that is more than there is room for, the least important columns go and the last is cut.
// Pure; what is in the cells may come from anywhere.
import type { Paint, Style } from './paint.ts';
import { plainText } from './plain.ts';
import { cutTo, pad, widthOf } from './width.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Columns with the highest number go first when there is no room; without: it stays. */
  readonly dispensable?: number;
}

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

const GAP = '  ';
/** The last column is readable down to this. */
const LEAST_LAST = 24;
/** Of a column that is not the last: a share of the width, but readable. */
const CELL_SHARE = 1 / 3;
const LEAST_CELL = 12;

/**
 * @param rows as many cells as there are columns
 * @param width of the terminal; Infinity: as wide as it must be
 * @returns lines, the titles first
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paint: Paint,
): string[] {
  const shown = shownColumns(columns, rows, width);
  const last = shown.at(-1);
  const titles = columns.map(({ title }): Cell => ({ text: title, style: 'dim' }));
  return [titles, ...rows].map((cells) => {
    const texts = shown.map(({ index, room }) => {
      const cell = cells[index];
      const text = cutTo(cleanOf(cell), Math.max(1, room));
      const filled = columns[index]?.align === 'right' ? ' '.repeat(room - widthOf(text)) + text : pad(text, room);
      return paint(cell?.style ?? 'plain', index === last?.index ? filled.trimEnd() : filled);
    });
    return cutTo(texts.join(GAP).trimEnd(), width);
  });
}

interface Shown {
  readonly index: number;
  readonly room: number;
}

function shownColumns(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): Shown[] {
  const all = columns.map(({ title }, index) => {
    const content = Math.max(0, ...rows.map((cells) => widthOf(cleanOf(cells[index]))));
    const most = index === columns.length - 1 ? content : Math.min(content, Math.max(LEAST_CELL, width * CELL_SHARE));
    return { index, room: Math.max(title.length, Math.floor(most)) };
  });
  let shown = all.filter(({ index }) => rows.some((cells) => cleanOf(cells[index]) !== '') || rows.length === 0);
  for (;;) {
    const before = shown.slice(0, -1).reduce((sum, { room }) => sum + room + GAP.length, 0);
    const last = shown.at(-1);
    if (last === undefined) return [];
    const room = Math.min(last.room, width - before);
    if (room >= Math.min(last.room, LEAST_LAST)) return [...shown.slice(0, -1), { ...last, room }];
    const least = leastImportant(columns, shown);
    if (least === undefined) return [...shown.slice(0, -1), { ...last, room: Math.max(1, room) }];
    shown = shown.filter(({ index }) => index !== least);
  }
}

function leastImportant(columns: readonly Column[], shown: readonly Shown[]): number | undefined {
  const ranked = shown
    .filter(({ index }) => columns[index]?.dispensable !== undefined)
    .toSorted((a, b) => (columns[b.index]?.dispensable ?? 0) - (columns[a.index]?.dispensable ?? 0));
  return ranked[0]?.index;
}

const cleanOf = (cell: Cell | undefined): string => plainText(cell?.text ?? '');
