// What the worker is told of the client: X-Forwarded-* and Forwarded (RFC 7239), written by us alone. Pure. Whatever the client
// sent under these names is dropped, so that an application that trusts its proxy is never told a lie by the client.
import type { Peer } from '../http/exchange.ts';
import { isSameName } from './hop-by-hop.ts';

const LOWER = 0x20;
const X = 0x78;
const FORWARDED = 'forwarded';

/**
 * Whether applications may take the field for the proxy's word on the client: Forwarded, X-Forwarded and all that begins so,
 * and the address fields that common middleware reads. The byte behind `X` may be any separator: CGI-like adapters map several
 * to one (CVE-2026-39858).
 */
export function isForwardedName(name: string): boolean {
  switch (name.charCodeAt(0) | LOWER) {
    case X:
      return isForwardedAlias(name) || isAddressAlias(name);
    case 0x66: // f
      if (name.length === 9) return isSameName(name, FORWARDED);
      return name.length === 13 && isSameName(name.slice(0, 9), FORWARDED) && isSameName(name.slice(10), 'for');
    case 0x63: // c
      return name.length === 9 && isSameName(name, 'client-ip');
    default:
      return false;
  }
}

function isForwardedAlias(name: string): boolean {
  if (name.length < 11 || (name.charCodeAt(2) | LOWER) !== 0x66) return false;
  return isSameName(name.slice(2, 11), FORWARDED);
}

function isAddressAlias(name: string): boolean {
  switch (name.length) {
    case 9:
      return isSeparated(name, 'real', 'ip');
    case 11:
      return isSeparated(name, 'client', 'ip');
    default:
      return name.length === 19 && isSameName(name, 'x-cluster-client-ip');
  }
}

/** `x?first?second` with any separators. */
function isSeparated(name: string, first: string, second: string): boolean {
  const middle = 2 + first.length;
  return isSameName(name.slice(2, middle), first) && isSameName(name.slice(middle + 1), second);
}

/**
 * Adds the fields to `headers`. `host` is the authority the client asked for, '' when it gave none; the port is the one in it,
 * or the scheme's: the port we listen on may be another behind a Service, and applications build URLs from this.
 * Over a Unix socket nobody knows the client: no X-Forwarded-For, and `for=unknown`.
 */
export function addForwarded(headers: string[], peer: Peer, host: string): void {
  const address = plainAddress(peer.address);
  const proto = peer.encrypted ? 'https' : 'http';
  if (address !== '') headers.push('X-Forwarded-For', address);
  headers.push('X-Forwarded-Proto', proto);
  if (host !== '') headers.push('X-Forwarded-Host', host, 'X-Forwarded-Port', portOf(host, peer.encrypted));
  headers.push('Forwarded', makeForwarded(address, host, proto));
}

function makeForwarded(address: string, host: string, proto: string): string {
  const forPart = address === '' ? 'for=unknown' : `for=${nodeOf(address)}`;
  const hostPart = host === '' ? '' : `;host=${isToken(host) ? host : `"${host}"`}`;
  return `${forPart}${hostPart};proto=${proto}`;
}

/** RFC 7239 §6: an IPv6 address stands in brackets, and therefore in quotes. */
function nodeOf(address: string): string {
  return address.indexOf(':') === -1 ? address : `"[${address}]"`;
}

/** An authority has passed the guard, so that `:`, `[` and `]` are what may need quotes (RFC 7239 §4), never `"` or `\`. */
function isToken(host: string): boolean {
  return host.indexOf(':') === -1 && !/[^A-Za-z0-9._~!$&'*+-]/.test(host);
}

/** An IPv4 address on an IPv6 socket is written as IPv4, and a zone (`fe80::1%eth0`) says nothing to others. */
function plainAddress(address: string): string {
  const mapped = address.length > 7 && address.startsWith('::ffff:') && address.indexOf('.') !== -1;
  if (mapped) return address.slice(7);
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

function portOf(host: string, encrypted: boolean): string {
  const colon = host.lastIndexOf(':');
  if (colon !== -1 && colon > host.indexOf(']') && colon < host.length - 1) return host.slice(colon + 1);
  return encrypted ? '443' : '80';
}
