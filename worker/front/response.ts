// What of an application's response head goes on to the client. Pure. Nothing is added: X-Request-Id is the proxy's to tell.
import type { RawHeaders } from '../../http/exchange.ts';

/**
 * @returns `headers` without the fields that belong to one connection (RFC 9110 §7.6.1), those that `Connection` names
 *   included; the same array when there are none, which is the rule
 */
export function endToEndHeaders(headers: RawHeaders): RawHeaders {
  for (let i = 0; i < headers.length; i += 2) {
    if (isHopByHop(headers[i] ?? '')) return withoutHopByHop(headers);
  }
  return headers;
}

function withoutHopByHop(headers: RawHeaders): string[] {
  const listed = connectionOptions(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!isHopByHop(name) && !listed.has(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

/** Content-Length cannot be named away: the response's framing rests on it. */
function connectionOptions(headers: RawHeaders): Set<string> {
  const listed = new Set<string>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'connection') continue;
    for (const option of (headers[i + 1] ?? '').split(',')) listed.add(option.trim().toLowerCase());
  }
  listed.delete('content-length');
  return listed;
}

/** By length first: nearly all names are told apart without lower-casing them. */
function isHopByHop(name: string): boolean {
  switch (name.length) {
    case 2:
      return name.toLowerCase() === 'te';
    case 7:
      return isOneOf(name, 'upgrade', 'trailer');
    case 10:
      return isOneOf(name, 'connection', 'keep-alive');
    case 16:
      return name.toLowerCase() === 'proxy-connection';
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    case 18:
      return name.toLowerCase() === 'proxy-authenticate';
    case 19:
      return name.toLowerCase() === 'proxy-authorization';
    default:
      return false;
  }
}

function isOneOf(name: string, a: string, b: string): boolean {
  const lower = name.toLowerCase();
  return lower === a || lower === b;
}

/** @returns whether the response is one that may be silent for as long as it likes: server-sent events */
export function isEventStream(headers: RawHeaders): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length === 12 && name.toLowerCase() === 'content-type') {
      return (headers[i + 1] ?? '').toLowerCase().startsWith('text/event-stream');
    }
  }
  return false;
}

/** @returns bytes that Content-Length promises; -1 when there is none */
export function contentLength(headers: RawHeaders): number {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(headers[i + 1]);
  }
  return -1;
}

/** @returns the reason phrase (RFC 9112 §4), or undefined for one that cannot stand in a status line */
export function cleanReason(reason: string): string | undefined {
  return /^[\t\x20-\x7e\x80-\xff]+$/.test(reason) ? reason : undefined;
}

/** A final status that HTTP can carry. An application's 1xx comes as onInform; here it would leave the client waiting. */
export function isFinalStatus(status: number): boolean {
  return status >= 200 && status <= 999;
}
