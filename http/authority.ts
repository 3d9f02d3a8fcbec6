// `host [":" port]` as the Host field and absolute-form targets carry it: RFC 3986 §3.2.2 and §3.2.3, without userinfo, which
// RFC 9110 §4.2.4 forbids.
import { isIPv6 } from 'node:net';

const COLON = 0x3a;
const PERCENT = 0x25;
const OPEN_BRACKET = 0x5b;

/** reg-name = *( unreserved / pct-encoded / sub-delims ), by character code. */
const IN_REG_NAME = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=") {
  IN_REG_NAME[char.charCodeAt(0)] = 1;
}

/** @returns whether `text` is a host that is not empty, with or without a port from 0 to 65535 */
export function isAuthority(text: string): boolean {
  if (text.charCodeAt(0) === OPEN_BRACKET) return isLiteral(text);
  const end = endOfRegName(text);
  return end > 0 && isPortSuffix(text, end);
}

/** IPv6 only: no zone (RFC 9844 takes it out of URIs), no IPvFuture, which nobody has registered. */
function isLiteral(text: string): boolean {
  const close = text.indexOf(']');
  if (close < 0) return false;
  const inner = text.slice(1, close);
  return !inner.includes('%') && isIPv6(inner) && isPortSuffix(text, close + 1);
}

/** @returns the index behind the reg-name that `text` begins with, -1 when a character is in no host at all */
function endOfRegName(text: string): number {
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (IN_REG_NAME[code] === 1) at++;
    else if (code === COLON) return at;
    else if (code === PERCENT && isHexDigit(text.charCodeAt(at + 1)) && isHexDigit(text.charCodeAt(at + 2))) at += 3;
    else return -1;
  }
  return at;
}

function isPortSuffix(text: string, from: number): boolean {
  if (from === text.length) return true;
  if (text.charCodeAt(from) !== COLON || text.length - from > 6) return false;
  let port = 0;
  for (let at = from + 1; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65_535;
}

function isHexDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}
