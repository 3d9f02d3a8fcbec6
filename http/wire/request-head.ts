// The head of a request as the text that goes onto the wire. Whatever came from a client is checked once more here: this is the
// last place before another program reads it.
import { CodedError } from '../../core/errors.ts';
import type { WireRequest } from './connection.ts';
import { FIELD_TEXT, isName, TARGET, TOKEN } from './octets.ts';

export type RequestHeadError = CodedError<'REQUEST_INVALID'>;

/**
 * @returns start line, fields and the framing field that `length` asks for (none for undefined), as latin1 text
 * @throws RequestHeadError when a part could be read as something else, or when `headers` hold a framing field: nothing has
 * been sent then
 */
export function makeRequestHead(request: WireRequest): string {
  const { method, target, headers, length } = request;
  if (!isAll(method, TOKEN) || method === 'CONNECT') throw invalid('method', method);
  if (!isAll(target, TARGET)) throw invalid('target', target);
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1];
    if (!isAll(name, TOKEN) || isFraming(name)) throw invalid('header name', name);
    if (value === undefined || !isFieldText(value)) throw invalid(`value of ${name}`, value ?? '');
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

/** Not empty and made of nothing but members of `table`. An octet past latin1 is no member of any. */
function isAll(text: string, table: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) {
    if (table[text.charCodeAt(index)] !== 1) return false;
  }
  return text.length > 0;
}

function isFieldText(text: string): boolean {
  return text.length === 0 || isAll(text, FIELD_TEXT);
}

function invalid(part: string, value: string): RequestHeadError {
  const shown = JSON.stringify(value.slice(0, 64));
  return new CodedError('REQUEST_INVALID', `The ${part} ${shown} cannot be sent in an HTTP/1.1 request.`);
}
