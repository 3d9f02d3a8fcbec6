// What a client reads when a request fails: a status, one sentence, and the request's id to ask about, nothing from inside. And
// what the access log reads when there was no request.
import { STATUS_CODES } from 'node:http';
import { FAULTS, type FaultCode, faultOf } from '../core/errors.ts';
import type { LoggedExchange } from './access-log.ts';
import type { Peer } from './exchange.ts';

/** @returns text/plain, such as `503 Service Unavailable\nToo many requests are waiting.\n` */
export function faultBody(code: FaultCode, requestId: string): string {
  const { status, message } = FAULTS[code];
  const id = requestId === '' ? '' : `Request ${requestId}\n`;
  return `${status} ${STATUS_CODES[status] ?? ''}\n${message}\n${id}`;
}

/** @returns the fields that go with `faultBody`, without framing */
export function faultHeaders(code: FaultCode, requestId: string): string[] {
  const { retryAfter } = faultOf(code);
  const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Cache-Control', 'no-store'];
  if (requestId !== '') headers.push('X-Request-Id', requestId);
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  return headers;
}

/** @returns a whole response, for connections on which no request could be read; it closes */
export function rawFaultResponse(code: FaultCode, requestId = ''): string {
  const { status } = FAULTS[code];
  const body = faultBody(code, requestId);
  const headers = faultHeaders(code, requestId);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}Date: ${new Date().toUTCString()}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** @returns what stands in the access log for bytes that were no request */
export function makeRefusalRecord(peer: Peer, code: FaultCode, detail: string, now: number): LoggedExchange {
  return {
    ...{ peer, requestId: '', method: '', host: '', target: '', startedAt: now, state: 'done' },
    ...{ status: FAULTS[code].status, bytesSent: faultBody(code, '').length, fault: code, faultDetail: detail },
    header: () => undefined,
  };
}
