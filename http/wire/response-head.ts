// What a response's head says of its message: status line (RFC 9112 §4) and framing (§6). Anything that two readers could
// understand differently is refused, because the reader behind us may be a cache or another client.
import type { HeadScanner } from './head-scanner.ts';
import { isName, SP } from './octets.ts';

/** How the end of the body is found. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** One response head, overwritten by the next: a connection has one. */
export class ResponseHead {
  status = 0;
  reason = '';
  headers: string[] = [];
  framing: Framing = 'none';
  /** Of framing 'length'; 0 for 'none'. */
  length = 0;
  /** Whether the connection may carry another exchange once this one has ended. */
  persistent = false;

  #minor = 0;
  #contentLength = -1;
  #chunked = false;
  #close = false;

  /** @returns false when the head is not a well-formed, unambiguous answer to `method` */
  read(scanner: HeadScanner, method: string): boolean {
    this.#contentLength = -1;
    this.#chunked = false;
    this.#close = false;
    return this.#readStatusLine(scanner.statusLine) && this.#readFields(scanner) && this.#frame(method);
  }

  /** `HTTP/1.x SP 3DIGIT [SP reason]`. The last space is missing from many servers, without any doubt about what is meant. */
  #readStatusLine(line: string): boolean {
    if (!line.startsWith('HTTP/1.') || line.charCodeAt(8) !== SP) return false;
    this.#minor = line.charCodeAt(7) - 48;
    if (this.#minor !== 0 && this.#minor !== 1) return false;
    this.status = decimal(line, 9, 12);
    if (this.status < 100 || this.status > 999) return false;
    if (line.length > 12 && line.charCodeAt(12) !== SP) return false;
    this.reason = line.substring(13);
    return true;
  }

  #readFields(scanner: HeadScanner): boolean {
    const count = scanner.fields;
    const headers = new Array<string>(count * 2);
    for (let field = 0; field < count; field++) {
      headers[field * 2] = scanner.name(field);
      headers[field * 2 + 1] = scanner.value(field);
      if (!this.#note(scanner, field, headers)) return false;
    }
    this.headers = headers;
    return true;
  }

  /** Framing fields are told apart by the length of their name first: hardly any other field is looked at twice. */
  #note(scanner: HeadScanner, field: number, headers: readonly string[]): boolean {
    const start = scanner.nameStart(field);
    const value = headers[field * 2 + 1] as string;
    switch (scanner.nameEnd(field) - start) {
      case 10:
        if (isName(scanner.text, start, 'connection')) this.#close ||= hasToken(value, 'close');
        return true;
      case 14:
        return !isName(scanner.text, start, 'content-length') || this.#noteLength(value);
      case 17:
        return !isName(scanner.text, start, 'transfer-encoding') || this.#noteCoding(value);
      default:
        return true;
    }
  }

  /**
   * Repeats are refused even when they agree: RFC 9112 §6.3 allows to fold them, but no server that we are put before sends
   * them, and a reader behind us may take them otherwise.
   */
  #noteLength(value: string): boolean {
    if (this.#contentLength !== -1) return false;
    this.#contentLength = decimal(value, 0, value.length);
    return this.#contentLength !== -1;
  }

  /** The one coding understood is a single final `chunked`. */
  #noteCoding(value: string): boolean {
    if (this.#chunked || value.length !== 7 || !isName(value, 0, 'chunked')) return false;
    this.#chunked = true;
    return true;
  }

  /** RFC 9112 §6.3, in its order. */
  #frame(method: string): boolean {
    if (this.#chunked && (this.#contentLength !== -1 || this.#minor === 0)) return false;
    this.persistent = this.#minor === 1 && !this.#close;
    this.length = 0;
    this.framing = 'none';
    if (this.status < 200) return !this.#chunked && this.#contentLength <= 0;
    if (this.status === 204) {
      // A server that frames a 204 may believe that it has sent a body (RFC 9110 §8.6 forbids both fields).
      if (this.#chunked || this.#contentLength > 0) this.persistent = false;
    } else if (method !== 'HEAD' && this.status !== 304) {
      this.#frameBody();
    }
    return true;
  }

  #frameBody(): void {
    if (this.#chunked) {
      this.framing = 'chunked';
    } else if (this.#contentLength === -1) {
      this.framing = 'close';
      this.persistent = false;
    } else if (this.#contentLength > 0) {
      this.framing = 'length';
      this.length = this.#contentLength;
    }
  }
}

/** @returns the decimal number that is all of `text` from `start` to `end`, -1 when it is none or not a safe integer */
function decimal(text: string, start: number, end: number): number {
  if (end === start || end - start > 16 || end > text.length) return -1;
  let number = 0;
  for (let index = start; index < end; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : -1;
}

/** Whether `list`, comma-separated, holds `token` in any case (RFC 9110 §5.6.1). */
function hasToken(list: string, token: string): boolean {
  if (list.length === token.length) return list.toLowerCase() === token;
  return (
    list.length > token.length &&
    list
      .toLowerCase()
      .split(',')
      .some((member) => member.trim() === token)
  );
}
