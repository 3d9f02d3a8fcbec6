// The header fields that cross the proxy, in both directions: one pass over the raw pairs each, for every request. Pure.
import type { Peer, RawHeaders } from '../http/exchange.ts';
import { isTraceField } from '../tracing/trace-context.ts';
import type { RequestTrace } from '../tracing/tracer.ts';
import { addForwarded, isForwardedName } from './forwarded.ts';
import { isConnection, isHopByHop, isPlainConnection, isSameName, withoutListed } from './hop-by-hop.ts';

const LOWER = 0x20;

/** RFC 9110 §7.6.3: a gateway names itself to the origin; in responses it may, and stays silent. */
const VIA = '1.1 webapp-proxy';

/**
 * The request's fields as the worker gets them: hop-by-hop fields gone, then what only we may say said by us. Host is passed
 * on. Without framing fields: the upstream connection writes them from the body's length. Expect is gone, since the front
 * door has answered it.
 * @param host the authority asked for, '' when HTTP/1.0 gave none: then the local address stands in, as HTTP/1.1 must have one
 * @param trace said instead of what came under these names; undefined: nothing is said, as what came was not valid
 */
export function makeUpstreamHeaders(
  received: RawHeaders,
  host: string,
  peer: Peer,
  requestId: string,
  trace?: RequestTrace,
): string[] {
  let headers: string[] = [];
  let listed = '';
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i] ?? '';
    const value = received[i + 1] ?? '';
    if (isConnection(name)) {
      if (!isPlainConnection(value)) listed = listed === '' ? value : `${listed},${value}`;
    } else if (!isHopByHop(name) && !isForwardedName(name) && !isRequestOwn(name)) {
      headers.push(name, value);
    }
  }
  if (listed !== '') headers = withoutListed(headers, listed);
  if (host === '') headers.push('Host', localAuthority(peer));
  addForwarded(headers, peer, host);
  headers.push('X-Request-Id', requestId, 'Via', VIA);
  if (trace === undefined) return headers;
  headers.push('traceparent', trace.traceparent);
  if (trace.tracestate !== '') headers.push('tracestate', trace.tracestate);
  return headers;
}

/**
 * The response's fields as the client gets them: hop-by-hop fields gone, Date and Server once, the request id ours.
 * Content-Length stays, for HEAD and 304 too.
 */
export function makeClientHeaders(received: RawHeaders, requestId: string): string[] {
  let headers: string[] = ['X-Request-Id', requestId];
  let listed = '';
  let hasDate = false;
  let hasServer = false;
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i] ?? '';
    const value = received[i + 1] ?? '';
    if (isConnection(name)) {
      if (!isPlainConnection(value)) listed = listed === '' ? value : `${listed},${value}`;
      continue;
    }
    if (isHopByHop(name) || isRequestId(name)) continue;
    if (isDate(name)) {
      if (hasDate) continue;
      hasDate = true;
    } else if (isServer(name)) {
      if (hasServer) continue;
      hasServer = true;
    }
    headers.push(name, value);
  }
  if (listed !== '') headers = withoutListed(headers, listed);
  return headers;
}

/** A 1xx carries metadata for the client only (103: Link); nothing of ours is added. */
export function makeInformHeaders(received: RawHeaders): string[] {
  const headers: string[] = [];
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i] ?? '';
    if (!isHopByHop(name) && !isContentLength(name)) headers.push(name, received[i + 1] ?? '');
  }
  return headers;
}

/** Whether the response is a stream of server-sent events. */
export function isEventStream(headers: RawHeaders): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length === 12 && isSameName(name, 'content-type'))
      return /^text\/event-stream\b/i.test(headers[i + 1] ?? '');
  }
  return false;
}

function isRequestOwn(name: string): boolean {
  return (
    isContentLength(name) ||
    isRequestId(name) ||
    isTraceField(name) ||
    (name.length === 6 && isSameName(name, 'expect'))
  );
}

function isContentLength(name: string): boolean {
  return name.length === 14 && (name.charCodeAt(0) | LOWER) === 0x63 && isSameName(name, 'content-length');
}

function isRequestId(name: string): boolean {
  return name.length === 12 && (name.charCodeAt(0) | LOWER) === 0x78 && isSameName(name, 'x-request-id');
}

function isDate(name: string): boolean {
  return name.length === 4 && isSameName(name, 'date');
}

function isServer(name: string): boolean {
  return name.length === 6 && isSameName(name, 'server');
}

function localAuthority(peer: Peer): string {
  if (peer.localAddress === '') return 'localhost';
  const address = peer.localAddress.indexOf(':') === -1 ? peer.localAddress : `[${peer.localAddress}]`;
  return `${address}:${peer.localPort}`;
}
