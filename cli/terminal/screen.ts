// The terminal while `webapp up` runs: lines scroll by, and below them a few rows stay and are redrawn in place. Where nobody
// looks (a pipe, a file) only the lines are written. The only writer of standard output while it is open.
import { cutTo } from './width.ts';

/** What of a TTY's write stream is used. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** Lines are gathered for so long and written at once with the rows: a flood of lines must not flicker. */
const GATHER_MS = 30;
/** Gathered at most: beyond it they are written at once. */
const GATHER_CHARS = 64 * 1024;

/** Of a terminal that does not tell its size, or as 0: a serial line, or `script` with nobody at it. */
export const SIZE = { columns: 80, rows: 24 } as const;

export class Screen {
  readonly isTerminal: boolean;
  readonly #output: Output;
  #rows: readonly string[] = [];
  #drawn = 0;
  #gathered = '';
  #timer: NodeJS.Timeout | undefined;
  #dirty = false;
  #closed = false;
  readonly #onResize = (): void => this.#soon();

  constructor(output: Output, isTerminal: boolean) {
    this.#output = output;
    this.isTerminal = isTerminal;
  }

  start(): void {
    if (this.isTerminal) this.#output.on('resize', this.#onResize);
  }

  /** Room in a row. */
  get columns(): number {
    return this.isTerminal ? this.#output.columns || SIZE.columns : Number.POSITIVE_INFINITY;
  }

  /** Writes a line, or several. */
  line(text: string): void {
    if (this.#closed) return;
    this.#gathered += `${text}\n`;
    if (this.#gathered.length > GATHER_CHARS) this.flush();
    else this.#soon();
  }

  /** The rows that stay below the lines. Without a terminal they are not shown. */
  stay(rows: readonly string[]): void {
    if (!this.isTerminal || this.#closed) return;
    if (rows.length === this.#rows.length && rows.every((row, index) => row === this.#rows[index])) return;
    this.#rows = rows;
    this.#soon();
  }

  #soon(): void {
    this.#dirty = true;
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Writes out what is there. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#dirty) return;
    this.#dirty = false;
    const rows = this.#shownRows();
    const text = `${this.#erase()}${this.#gathered}${rows.map((row) => `${row}\n`).join('')}`;
    this.#gathered = '';
    this.#drawn = rows.length;
    if (text !== '') this.#output.write(text);
  }

  /** The cursor stands in the row below the last: up, and clear from there to the end of the screen. */
  #erase(): string {
    return this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\r\x1b[J`;
  }

  /** What has scrolled off the screen cannot be redrawn: never more rows than there is room for. */
  #shownRows(): string[] {
    const room = Math.max(1, (this.#output.rows || SIZE.rows) - 2);
    const rows = this.#rows.map((row) => cutTo(row, this.columns - 1));
    if (rows.length <= room) return rows;
    return [...rows.slice(0, room - 1), `… and ${rows.length - room + 1} more`];
  }

  /** Removes the rows; the lines stay. Twice is safe. */
  close(): void {
    if (this.#closed) return;
    this.#rows = [];
    this.#dirty = true;
    this.flush();
    this.#closed = true;
    this.#output.off('resize', this.#onResize);
  }
}
