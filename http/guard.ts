// The guard: what is not well-formed HTTP, or could be read in two ways by two programs, goes no further. Pure; called by the
// front door for each request head, upgrades included. It takes what llhttp lets through, and does not rely on llhttp.
import type { FaultCode } from '../core/errors.ts';
import { isAuthority } from './authority.ts';
import type { RawHeaders } from './exchange.ts';

/** A judged head. With `fault` set the rest says only how far the guard came. */
export class GuardedRequest {
  /** Why the request is refused; null: it may go on. */
  fault: FaultCode | null = null;
  /** For the log: which field, where the code does not say. A token. */
  detail = '';
  /** Origin-form, or `*`. */
  target: string;
  host = '';
  /** As received, without names that hold `_`, and with Host as `host` says it. */
  headers: RawHeaders;
  /** Bytes of the body: 0 when there is none, null when it is chunked. */
  length: number | null = 0;
  /** The client waits for a 100-continue. */
  expectsContinue = false;
  /** How many fields were dropped because their name holds `_`. */
  dropped = 0;
  /** Bytes of the head, as its sender wrote it at the least. */
  headBytes: number;

  // What the fields said, until framing and host are judged.
  hosts = 0;
  lengths = 0;
  contentTypes = 0;
  transferCodings = 0;
  expects = false;

  constructor(target: string, headers: RawHeaders) {
    this.target = target;
    this.headers = headers;
    this.headBytes = target.length;
  }
}

/**
 * @param version such as '1.1'
 * @param raw name, value, name, value, … as received, values trimmed, bytes as latin-1
 */
export function guardRequest(method: string, target: string, version: string, raw: RawHeaders): GuardedRequest {
  const request = new GuardedRequest(target, raw);
  request.fault =
    versionFault(version) ??
    methodFault(method) ??
    fieldsFault(raw, request) ??
    framingFault(version, request) ??
    hostFault(version, request) ??
    targetFault(method, request);
  // RFC 9110 §10.1.1: HTTP/1.0 does not know it, and without a body there is nothing to wait for.
  request.expectsContinue = request.expects && version === '1.1' && request.length !== 0;
  return request;
}

/** RFC 9110 §15.6.6. */
function versionFault(version: string): FaultCode | null {
  return version === '1.1' || version === '1.0' ? null : 'VERSION_UNSUPPORTED';
}

function methodFault(method: string): FaultCode | null {
  switch (method) {
    case 'GET':
    case 'POST':
    case 'HEAD':
    case 'PUT':
    case 'PATCH':
    case 'DELETE':
    case 'OPTIONS':
      return null;
    // A tunnel (RFC 9110 §9.3.6) is a forward proxy's. TRACE (§9.3.8) shows a client's secrets to whoever can make it ask.
    // SOURCE is Icecast's: with it llhttp takes `ICE/1.1` for `HTTP/1.1`.
    case 'CONNECT':
    case 'TRACE':
    case 'SOURCE':
      return 'METHOD_UNSUPPORTED';
    default:
      return nameKind(method) === INVALID ? 'METHOD_INVALID' : null;
  }
}

/** RFC 9110 §5.1, §5.5. */
function fieldsFault(raw: RawHeaders, request: GuardedRequest): FaultCode | null {
  let kept: string[] | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    request.headBytes += name.length + value.length + 4;
    const kind = nameKind(name);
    if (kind === INVALID) return 'HEADER_NAME_INVALID';
    if (!isFieldValue(value)) {
      request.detail = name;
      return 'HEADER_VALUE_INVALID';
    }
    if (kind === UNDERSCORED) {
      // CGI and WSGI spell `-` and `_` alike, so X_Forwarded_For would pass for X-Forwarded-For.
      kept ??= raw.slice(0, i);
      request.dropped++;
      continue;
    }
    kept?.push(name, value);
    const fault = noteField(name, value, request);
    if (fault !== null) return fault;
  }
  if (kept !== null) request.headers = kept;
  return null;
}

/** Remembers the fields that framing and routing hang on. By length first: most names are none of them. */
function noteField(name: string, value: string, request: GuardedRequest): FaultCode | null {
  switch (name.length) {
    case 4:
      return isName(name, 'Host', 'host') ? noteHost(value, request) : null;
    case 6:
      return isName(name, 'Expect', 'expect') ? noteExpect(value, request) : null;
    case 12:
      return isName(name, 'Content-Type', 'content-type') ? noteContentType(request) : null;
    case 14:
      return isName(name, 'Content-Length', 'content-length') ? noteLength(value, request) : null;
    case 17:
      return isName(name, 'Transfer-Encoding', 'transfer-encoding') ? noteTransferCoding(value, request) : null;
    default:
      return null;
  }
}

function isName(name: string, usual: string, lower: string): boolean {
  return name === usual || name === lower || name.toLowerCase() === lower;
}

/** RFC 9112 §3.2: more than one, or one that is not valid, is refused. */
function noteHost(value: string, request: GuardedRequest): FaultCode | null {
  if (request.hosts++ > 0) return 'HOST_REPEATED';
  request.host = value;
  return null;
}

/** A field of one member; two readers would take two of them (RFC 9110 §8.3). */
function noteContentType(request: GuardedRequest): FaultCode | null {
  return request.contentTypes++ > 0 ? 'CONTENT_TYPE_REPEATED' : null;
}

/** RFC 9112 §6.3: equal repeats may be refused as well as joined; refusing leaves nothing to agree on. */
function noteLength(value: string, request: GuardedRequest): FaultCode | null {
  if (request.lengths++ > 0) return 'CONTENT_LENGTH_REPEATED';
  request.length = parseLength(value);
  return request.length < 0 ? 'CONTENT_LENGTH_INVALID' : null;
}

/** RFC 9112 §6.1: `chunked` once, alone, is all that is understood. */
function noteTransferCoding(value: string, request: GuardedRequest): FaultCode | null {
  if (request.transferCodings++ > 0) return 'TRANSFER_ENCODING_UNKNOWN';
  return value === 'chunked' || value.toLowerCase() === 'chunked' ? null : 'TRANSFER_ENCODING_UNKNOWN';
}

function noteExpect(value: string, request: GuardedRequest): FaultCode | null {
  request.expects = true;
  return value.toLowerCase() === '100-continue' ? null : 'EXPECTATION_UNKNOWN';
}

/** RFC 9112 §6.1, §6.3. */
function framingFault(version: string, request: GuardedRequest): FaultCode | null {
  if (request.transferCodings === 0) return null;
  if (version === '1.0') return 'TRANSFER_ENCODING_IN_1_0';
  if (request.lengths > 0) return 'TRANSFER_ENCODING_WITH_LENGTH';
  request.length = null;
  return null;
}

/** RFC 9110 §7.2, RFC 9112 §3.2. */
function hostFault(version: string, request: GuardedRequest): FaultCode | null {
  if (version === '1.0' && request.host === '') return null;
  if (request.hosts === 0) return 'HOST_MISSING';
  return isAuthority(request.host) ? null : 'HOST_INVALID';
}

/** RFC 9112 §3.2. */
function targetFault(method: string, request: GuardedRequest): FaultCode | null {
  const { target } = request;
  if (!isVisible(target)) return 'TARGET_INVALID';
  if (target.charCodeAt(0) === SLASH) return null;
  if (target === '*') return method === 'OPTIONS' ? null : 'TARGET_ASTERISK';
  return splitAbsolute(method, request) ? null : 'TARGET_INVALID';
}

/** RFC 9112 §3.2.2: the authority in the target replaces Host. §3.2.4: OPTIONS of nothing below it is `*`. */
function splitAbsolute(method: string, request: GuardedRequest): boolean {
  const { target } = request;
  const scheme = /^https?:\/\//i.exec(target)?.[0];
  if (scheme === undefined) return false;
  const authority = target.slice(scheme.length).split(/[/?]/, 1)[0] ?? '';
  if (!isAuthority(authority)) return false;
  const rest = target.slice(scheme.length + authority.length);
  if (rest === '') request.target = method === 'OPTIONS' ? '*' : '/';
  else request.target = rest.startsWith('?') ? `/${rest}` : rest;
  request.headers = withHost(request.headers, authority);
  request.host = authority;
  return true;
}

function withHost(headers: RawHeaders, authority: string): RawHeaders {
  const replaced = headers.slice();
  const at = replaced.findIndex((name, i) => i % 2 === 0 && isName(name, 'Host', 'host'));
  if (at < 0) replaced.push('Host', authority);
  else replaced[at + 1] = authority;
  return replaced;
}

const SLASH = 0x2f;
const INVALID = 0;
const PLAIN = 1;
const UNDERSCORED = 2;
type NameKind = typeof INVALID | typeof PLAIN | typeof UNDERSCORED;

/** tchar (RFC 9110 §5.6.2), by character code. */
const IN_TOKEN = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^`|~") {
  IN_TOKEN[char.charCodeAt(0)] = PLAIN;
}
const UNDERSCORE = 0x5f;

function nameKind(name: string): NameKind {
  let kind: NameKind = name.length === 0 ? INVALID : PLAIN;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (IN_TOKEN[code] === PLAIN) continue;
    if (code !== UNDERSCORE) return INVALID;
    kind = UNDERSCORED;
  }
  return kind;
}

/** RFC 9110 §5.5: visible ASCII, obs-text, space and tab; no other control byte, CR, LF and NUL above all. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Measured: on values of usual length the compiled pattern is faster than a loop over characters, on names the loop is. */
function isFieldValue(value: string): boolean {
  return !NOT_IN_VALUE.test(value);
}

/** Neither empty nor with a control byte, a space, a byte above ASCII, or the fragment that no request carries. */
function isVisible(target: string): boolean {
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x23) return false;
  }
  return target.length > 0;
}

/** @returns -1 for anything but digits, or more than a number holds exactly */
function parseLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
