// Finds the lines of a message head or trailer section in one pass over its octets, refusing what is not strictly RFC 9112:
// bare CR or LF, obs-fold, a space before the colon, a name that is no token, control octets. Resumable at every octet: a head
// that came in pieces is gathered, one that came whole is never copied. Used by the response parser and the chunked decoder.
import { COLON, CR, FIELD_TEXT, HTAB, LF, SP, TOKEN } from './octets.ts';

/** Answers of `scan` besides a position. */
export const MORE = -1;
export const INVALID = -2;

/** Of `HTTP/`: the start line is a status line. */
const CAPITAL_H = 72;

const STATUS_LINE = 0;
const STATUS_LF = 1;
const LINE = 2;
const NAME = 3;
const BEFORE_VALUE = 4;
const VALUE = 5;
const VALUE_LF = 6;
const END_LF = 7;

/** Offsets kept per field: name start, name end, value start, value end. */
const MARKS = 4;

export class HeadScanner {
  readonly #maxBytes: number;
  readonly #statusLine: boolean;
  #state: number;
  readonly #marks: Int32Array;
  #fields = 0;
  #statusLineEnd = 0;
  /** Octets of this head from earlier chunks; grows, and is dropped at the end. */
  #kept: Buffer | null = null;
  #keptBytes = 0;
  #text = '';

  /** @param statusLine whether a status line comes before the fields: false for trailers */
  constructor(statusLine: boolean, maxBytes: number, maxFields: number) {
    this.#statusLine = statusLine;
    this.#state = statusLine ? STATUS_LINE : LINE;
    this.#maxBytes = maxBytes;
    this.#marks = new Int32Array(maxFields * MARKS);
  }

  /** Number of fields. Valid, like all that follows, once `scan` has answered with a position. */
  get fields(): number {
    return this.#fields;
  }
  /** The head as latin1, with its final CRLF CRLF. */
  get text(): string {
    return this.#text;
  }
  get statusLine(): string {
    return this.#text.substring(0, this.#statusLineEnd);
  }
  nameStart(field: number): number {
    return this.#marks[field * MARKS] as number;
  }
  nameEnd(field: number): number {
    return this.#marks[field * MARKS + 1] as number;
  }
  name(field: number): string {
    return this.#text.substring(this.nameStart(field), this.nameEnd(field));
  }
  /** Without the whitespace around it. */
  value(field: number): string {
    const start = this.#marks[field * MARKS + 2] as number;
    let end = this.#marks[field * MARKS + 3] as number;
    while (end > start && isBlank(this.#text.charCodeAt(end - 1))) end--;
    return this.#text.substring(start, end);
  }

  /** Forgets the head, to scan the next one. */
  reset(): void {
    this.#state = this.#statusLine ? STATUS_LINE : LINE;
    this.#fields = 0;
    this.#text = '';
    this.#kept = null;
    this.#keptBytes = 0;
  }

  /** @returns where in `bytes` the head has ended, MORE or INVALID */
  scan(bytes: Buffer, from: number, end: number): number {
    const after = this.#walk(bytes, from, end);
    if (after === INVALID) return INVALID;
    const headBytes = this.#keptBytes + (after === MORE ? end : after) - from;
    if (headBytes > this.#maxBytes) return INVALID;
    if (after === MORE) {
      this.#keep(bytes, from, end);
      return MORE;
    }
    if (this.#kept === null) {
      this.#text = bytes.toString('latin1', from, after);
    } else {
      this.#keep(bytes, from, after);
      this.#text = this.#kept.toString('latin1', 0, this.#keptBytes);
      this.#kept = null;
    }
    return after;
  }

  /** One function on purpose: its loops stay within registers, where a call per state costs as much as the state's octets. */
  #walk(bytes: Buffer, from: number, end: number): number {
    const marks = this.#marks;
    /** Position in `bytes` + shift = offset in the head. */
    const shift = this.#keptBytes - from;
    let state = this.#state;
    let mark = this.#fields * MARKS;
    let at = from;
    while (at < end) {
      switch (state) {
        case LINE:
          if (bytes[at] === CR) {
            at++;
            state = END_LF;
            break;
          }
          if (mark === marks.length) return INVALID;
          marks[mark] = at + shift;
          state = NAME;
          // An empty name and obs-fold end here: neither begins with a token octet. A space before the colon ends in NAME.
          if (TOKEN[bytes[at] as number] === 0) return INVALID;
          break;
        case NAME:
          while (at < end && TOKEN[bytes[at] as number] === 1) at++;
          if (at === end) break;
          if (bytes[at] !== COLON) return INVALID;
          marks[mark + 1] = at + shift;
          at++;
          state = BEFORE_VALUE;
          break;
        case BEFORE_VALUE:
          while (at < end && isBlank(bytes[at] as number)) at++;
          if (at === end) break;
          marks[mark + 2] = at + shift;
          state = VALUE;
          break;
        case VALUE:
        case STATUS_LINE:
          // Another protocol's greeting may never end in an empty line: it is refused at once.
          if (at + shift === 0 && bytes[at] !== CAPITAL_H) return INVALID;
          while (at < end && FIELD_TEXT[bytes[at] as number] === 1) at++;
          if (at === end) break;
          if (bytes[at] !== CR) return INVALID;
          if (state === VALUE) marks[mark + 3] = at + shift;
          else this.#statusLineEnd = at + shift;
          at++;
          state = state === VALUE ? VALUE_LF : STATUS_LF;
          break;
        default:
          if (bytes[at] !== LF) return INVALID;
          at++;
          if (state === END_LF) {
            this.#fields = mark / MARKS;
            return at;
          }
          if (state === VALUE_LF) mark += MARKS;
          state = LINE;
      }
    }
    this.#state = state;
    this.#fields = mark / MARKS;
    return MORE;
  }

  #keep(bytes: Buffer, from: number, end: number): void {
    const needed = this.#keptBytes + end - from;
    if (this.#kept === null || this.#kept.length < needed) {
      const grown = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(1024, needed * 2)));
      this.#kept?.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    bytes.copy(this.#kept, this.#keptBytes, from, end);
    this.#keptBytes = needed;
  }
}

function isBlank(octet: number): boolean {
  return octet === SP || octet === HTAB;
}
