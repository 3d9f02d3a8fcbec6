// Addresses as people write them (`host:port`, `[ipv6]:port`, `unix:/path`), and what can be wrong with them. Used by the front
// door, the admin port and the programs' command lines.
import { isIPv6 } from 'node:net';
import { CodedError } from '../core/errors.ts';

/** Where to listen. */
export type ListenAddress =
  | {
      readonly host: string;
      readonly port: number;
      /** File descriptor of a socket that whoever started this program has bound to it. */
      readonly fd?: number;
    }
  | { readonly path: string };

export type AddressErrorCode = 'ADDRESS_IN_USE' | 'ADDRESS_DENIED' | 'ADDRESS_INVALID';

/** An address that cannot be listened on; `message` is `reason` and `mend` in one. */
export class AddressError extends CodedError<AddressErrorCode> {
  readonly reason: string;
  readonly mend: string;
  constructor(code: AddressErrorCode, reason: string, mend: string, options?: ErrorOptions) {
    super(code, `${reason} ${mend}`, options);
    this.reason = reason;
    this.mend = mend;
  }
}

const FORMS = 'Write host:port (port 0: any free one), [ipv6]:port or unix:/path.';
/** Linux's sun_path holds 108 bytes with the closing NUL (unix(7)). */
const MAX_SOCKET_PATH = 107;

/**
 * @param text such as `127.0.0.1:8000`, `[::1]:8000`, `:8000` (all IPv4 interfaces, as gunicorn takes it) or `unix:/run/a.sock`
 * @throws AddressError 'ADDRESS_INVALID'
 */
export function parseAddress(text: string): ListenAddress {
  if (text.startsWith('unix:')) return { path: parseSocketPath(text) };
  const colon = text.lastIndexOf(':');
  if (colon < 0) throw invalid(text, 'it has no port');
  return { host: parseHost(text, text.slice(0, colon)), port: parsePort(text, text.slice(colon + 1)) };
}

function parseSocketPath(text: string): string {
  const path = text.slice('unix:'.length);
  if (!path.startsWith('/')) throw invalid(text, 'the path of a Unix socket begins with /');
  if (path.includes('\0')) throw invalid(text, 'the path holds a NUL');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw invalid(text, `the path of a Unix socket is at most ${MAX_SOCKET_PATH} bytes long`);
  }
  return path;
}

function parseHost(text: string, host: string): string {
  if (host.startsWith('[') && host.endsWith(']')) {
    const inner = host.slice(1, -1);
    if (!isIPv6(inner)) throw invalid(text, `${host} is not an IPv6 address in brackets`);
    return inner;
  }
  if (host.includes(':')) throw invalid(text, 'an IPv6 address stands in brackets');
  if (/[^0-9A-Za-z._-]/.test(host)) throw invalid(text, 'the host holds a character that no host name has');
  return host === '' ? '0.0.0.0' : host;
}

function parsePort(text: string, digits: string): number {
  const port = Number(digits);
  if (!/^[0-9]{1,5}$/.test(digits) || port > 65_535) throw invalid(text, 'the port is a number from 0 to 65535');
  return port;
}

function invalid(text: string, what: string): AddressError {
  const shown = JSON.stringify(text.length > 128 ? `${text.slice(0, 128)}…` : text);
  return new AddressError('ADDRESS_INVALID', `The address ${shown} is not valid: ${what}.`, FORMS);
}

/** @returns the form that `parseAddress` reads */
export function formatAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
