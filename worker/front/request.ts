// A request as it is handed to an application process, made from an exchange in one pass over its headers.
import { isIP } from 'node:net';
import type { Exchange, Peer, RawHeaders } from '../../http/exchange.ts';
import type { BufferedRequest } from '../slot.ts';
import { isIdempotent } from './retry.ts';

/** The body's place is filled in by the intake; everything else is final when it is made. */
export class IncomingRequest implements BufferedRequest {
  readonly method: string;
  readonly target: string;
  readonly version: '1.0' | '1.1';
  /** As received; of a traced request with our trace context in the place of the peer's. */
  headers: RawHeaders;
  readonly host: string;
  readonly peer: Peer;
  readonly wantAccept: boolean;
  scheme: 'http' | 'https';
  clientAddress: string;
  hasBody = false;
  bodyBytes = 0;
  body: Buffer | null = null;
  bodyFile: string | null = null;

  constructor(exchange: Exchange) {
    this.method = exchange.method;
    this.target = exchange.target;
    this.version = exchange.version;
    this.headers = exchange.headers;
    this.host = exchange.host;
    this.peer = exchange.peer;
    this.wantAccept = !isIdempotent(exchange.method);
    this.scheme = exchange.peer.encrypted ? 'https' : 'http';
    this.clientAddress = exchange.peer.address;
  }
}

/**
 * @param trustForwarded whether the peer's X-Forwarded-For, X-Forwarded-Proto and X-Request-Id are believed. Of a list the last
 *   value counts: the one that the peer itself wrote, not what came to it.
 * @param makeId makes the request's id when the peer gave none
 */
export function makeRequest(exchange: Exchange, trustForwarded: boolean, makeId: () => string): IncomingRequest {
  const request = new IncomingRequest(exchange);
  const { headers } = exchange;
  let id = '';
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    // By length first: a comparison for each of four names, for each header of each request, would be most of the work here.
    switch (name.length) {
      case 12:
        if (trustForwarded && name.toLowerCase() === 'x-request-id') id = headers[i + 1] ?? '';
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') request.hasBody = true;
        break;
      case 15:
        if (trustForwarded && name.toLowerCase() === 'x-forwarded-for') takeAddress(request, headers[i + 1] ?? '');
        break;
      case 17: {
        const lower = name.toLowerCase();
        if (lower === 'transfer-encoding') request.hasBody = true;
        else if (trustForwarded && lower === 'x-forwarded-proto') takeScheme(request, headers[i + 1] ?? '');
        break;
      }
    }
  }
  exchange.requestId = isRequestId(id) ? id : makeId();
  return request;
}

function takeAddress(request: IncomingRequest, value: string): void {
  const address = lastOf(value);
  if (isIP(address) !== 0) request.clientAddress = address;
}

function takeScheme(request: IncomingRequest, value: string): void {
  const scheme = lastOf(value).toLowerCase();
  if (scheme === 'http' || scheme === 'https') request.scheme = scheme;
}

function lastOf(list: string): string {
  const comma = list.lastIndexOf(',');
  return comma === -1 ? list.trim() : list.slice(comma + 1).trim();
}

/** It goes into logs: printable ASCII, and not without end. */
function isRequestId(id: string): boolean {
  return id.length > 0 && id.length <= 128 && /^[\x21-\x7e]+$/.test(id);
}
