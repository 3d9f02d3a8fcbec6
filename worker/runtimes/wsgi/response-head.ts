// The head of a response as a process sends it, checked: a process is not trusted to be well.
import type { RawHeaders } from '../../../http/exchange.ts';

export interface StatusLine {
  readonly status: number;
  readonly reason: string;
}

/** Control characters but NUL, which parts, and the tab. RFC 9110 §5.5 */
const CONTROL = /[\x01-\x08\x0a-\x1f\x7f]/;
const STATUS_LINE = /^([1-9][0-9]{2})(?: (.*))?$/;

/** An application has few statuses; one that makes them up must not make us grow. */
const MAX_KNOWN = 1000;
const known = new Map<string, StatusLine>();

export interface ResponseHead extends StatusLine {
  readonly headers: RawHeaders;
}

/** @returns null when it is not well-formed */
export function parseHead(data: Buffer, at: number, end: number): ResponseHead | null {
  const text = data.toString('latin1', at, end);
  if (CONTROL.test(text)) return null;
  const headers = text.split('\0');
  const line = statusLine(headers[0] as string);
  if (line === null || headers.length % 2 === 0) return null;
  headers.shift();
  return { status: line.status, reason: line.reason, headers };
}

function statusLine(text: string): StatusLine | null {
  const seen = known.get(text);
  if (seen !== undefined) return seen;
  const match = STATUS_LINE.exec(text);
  if (match === null) return null;
  const line = { status: Number(match[1]), reason: match[2] ?? '' };
  if (known.size < MAX_KNOWN) known.set(text, line);
  return line;
}
