// How much room text takes on a terminal, and how it is cut to fit. Pure.
import { stripVTControlCharacters } from 'node:util';

/** East Asian wide characters and emoji: two columns. Combining marks and joiners: none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u;
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** @returns columns of the text, escape sequences not counted */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += columnsOf(char);
  return width;
}

function columnsOf(char: string): number {
  if (char < '\u0300') return 1;
  return NONE.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
}

/** @returns `text`, cut with … to `columns` when it is wider; escape sequences stay whole, and are ended when it is cut */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const [part] of text.matchAll(/\x1b\[[0-9;]*m|[\s\S]/gu)) {
    const isEscape = part.length > 1 && part.startsWith('\x1b');
    if (!isEscape && width + columnsOf(part) > columns - 1) break;
    if (!isEscape) width += columnsOf(part);
    kept += part;
  }
  return `${kept}…${kept.includes('\x1b') ? '\x1b[0m' : ''}`;
}

/** @returns `text` with spaces behind it to be `columns` wide */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}
