// Which header fields of a request go to a Node application process. Pure. What of a response goes to the client is the
// front's business, whatever the runtime.
import type { RawHeaders } from '../../../http/exchange.ts';

/**
 * @returns `headers` without framing and hop-by-hop fields (RFC 9110 §7.6.1), and without Expect: the body is here already,
 * so a second 100 Continue would be one too many
 */
export function requestHeaders(headers: RawHeaders): RawHeaders {
  const listed = connectionOptions(headers);
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (listed !== null || mayBeDropped(name.length)) {
      const lower = name.toLowerCase();
      if (isDropped(lower) || listed?.has(lower)) continue;
    }
    kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}

/**
 * By length first: nearly all fields differ from the few that matter in that already. Lengths of: te; expect; upgrade and
 * trailer; connection and keep-alive; content-length; proxy-connection; transfer-encoding.
 */
function mayBeDropped(length: number): boolean {
  return (
    length === 10 || length === 17 || length === 14 || length === 7 || length === 2 || length === 6 || length === 16
  );
}

function isDropped(lower: string): boolean {
  switch (lower) {
    case 'connection':
    case 'content-length':
    case 'expect':
    case 'keep-alive':
    case 'proxy-connection':
    case 'te':
    case 'trailer':
    case 'transfer-encoding':
    case 'upgrade':
      return true;
    default:
      return false;
  }
}

/** Fields that only the connection's two ends may see, by name in Connection. */
function connectionOptions(headers: RawHeaders): Set<string> | null {
  let listed: Set<string> | null = null;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.length !== 10 || headers[index]?.toLowerCase() !== 'connection') continue;
    const value = (headers[index + 1] ?? '').toLowerCase();
    if (value === 'keep-alive' || value === 'close') continue;
    listed ??= new Set();
    for (const option of value.split(',')) listed.add(option.trim());
    // A client must not take these away from the application (Traefik's CVE-2024-45410 was of this kind).
    for (const name of ['host', 'content-length', 'close', 'keep-alive']) listed.delete(name);
  }
  return listed;
}
