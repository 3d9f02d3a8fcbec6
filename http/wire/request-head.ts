// The head of a request as the text that goes onto the wire. Whatever came from a client is checked once more here: this is the
// last place before another program reads it.
import { CodedError } from '../../core/errors.ts';
import type { WireRequest } from './connection.ts';
import { isName } from './octets.ts';

// Compiled expressions, because they test a string in half the time of a loop over its characters. None of them lets a
// character past latin1 through: its low octet would be what is written.
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** No space and no control octet; octets beyond ASCII pass, as browsers send them. */
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;
/** What field values must not hold, RFC 9110 §5.5. */
const NOT_FIELD_TEXT = /[^\t\x20-\x7e\x80-\xff]/;

export type RequestHeadError = CodedError<'REQUEST_INVALID'>;

/**
 * @returns start line, fields and the framing field that `length` asks for (none for undefined), as latin1 text
 * @throws RequestHeadError when a part could be read as something else, or when `headers` hold a framing field: nothing has
 * been sent then
 */
export function makeRequestHead(request: WireRequest): string {
  const { method, target, headers, length } = request;
  if (!TOKEN.test(method) || method === 'CONNECT') throw invalid('method', method);
  if (!TARGET.test(target)) throw invalid('target', target);
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1];
    if (!TOKEN.test(name) || isFraming(name)) throw invalid('header name', name);
    if (value === undefined || NOT_FIELD_TEXT.test(value)) throw invalid(`value of ${name}`, value ?? '');
    head += `${name}: ${value}\r\n`;
  }
  if (length === null) return `${head}Transfer-Encoding: chunked\r\n\r\n`;
  if (length === undefined) return `${head}\r\n`;
  if (!Number.isSafeInteger(length) || length < 0) throw invalid('length', String(length));
  return `${head}Content-Length: ${length}\r\n\r\n`;
}

/** Whether the request asks to leave HTTP, so that a 101 is an answer to it. */
export function asksForUpgrade(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length === 7 && isName(name, 0, 'upgrade')) return true;
  }
  return false;
}

function isFraming(name: string): boolean {
  return (
    (name.length === 14 && isName(name, 0, 'content-length')) ||
    (name.length === 17 && isName(name, 0, 'transfer-encoding'))
  );
}

function invalid(part: string, value: string): RequestHeadError {
  const shown = JSON.stringify(value.slice(0, 64));
  return new CodedError('REQUEST_INVALID', `The ${part} ${shown} cannot be sent in an HTTP/1.1 request.`);
}
