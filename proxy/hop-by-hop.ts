// Which header fields belong to one connection only and must not be passed on (RFC 9110 §7.6.1). Pure, and on the hot path:
// a name is told by first letter and length, and compared letter by letter only where those fit.
import type { RawHeaders } from '../http/exchange.ts';

/** Fields that a Connection header cannot name away: without them the message is another one, or we wrote them (CVE-2024-45410). */
const PROTECTED = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expires',
  'forwarded',
  'host',
  'last-modified',
  'location',
  'server',
  'set-cookie',
  'vary',
  'via',
  'www-authenticate',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
]);

const LOWER = 0x20;

/** @param lower a token in lower case, of the same length as `name` */
export function isSameName(name: string, lower: string): boolean {
  if (name === lower) return true;
  for (let i = 0; i < lower.length; i++) {
    const code = name.charCodeAt(i);
    const want = lower.charCodeAt(i);
    if (code !== want && (code < 65 || code > 90 || (code | LOWER) !== want)) return false;
  }
  return true;
}

export function isConnection(name: string): boolean {
  return name.length === 10 && isSameName(name, 'connection');
}

/**
 * Whether the field ends at this hop. Content-Length is none of them, but Transfer-Encoding is: framing is written anew on
 * each side. `Proxy` goes too: CGI-like adapters turn it into HTTP_PROXY (httpoxy, CVE-2016-5385).
 */
export function isHopByHop(name: string): boolean {
  switch (name.charCodeAt(0) | LOWER) {
    case 0x63: // c
      return isConnection(name);
    case 0x6b: // k
      return name.length === 10 && isSameName(name, 'keep-alive');
    case 0x70: // p
      if (name.length === 5) return isSameName(name, 'proxy');
      return name.length > 5 && name.charCodeAt(5) === 0x2d && isSameName(name.slice(0, 5), 'proxy');
    case 0x74: // t
      if (name.length === 2) return isSameName(name, 'te');
      if (name.length === 7) return isSameName(name, 'trailer');
      return name.length === 17 && isSameName(name, 'transfer-encoding');
    case 0x75: // u
      return name.length === 7 && isSameName(name, 'upgrade');
    default:
      return false;
  }
}

/** Whether a Connection value names nothing but how the connection goes on, as nearly all do. */
export function isPlainConnection(value: string): boolean {
  switch (value.length) {
    case 5:
      return isSameName(value, 'close');
    case 7:
      return isSameName(value, 'upgrade');
    case 10:
      return isSameName(value, 'keep-alive');
    default:
      return false;
  }
}

/**
 * @param connection value of a Connection field: a list of field names
 * @returns `headers` without the fields it names, those that must stay excepted
 */
export function withoutListed(headers: RawHeaders, connection: string): string[] {
  const listed = new Set<string>();
  for (const option of connection.split(',')) {
    const name = option.trim().toLowerCase();
    if (!PROTECTED.has(name)) listed.add(name);
  }
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!listed.has(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}
