// What a request is in the words of OpenTelemetry's semantic conventions for HTTP spans (the stable ones). Pure.
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/
import { cutValue, type SpanAttributes } from './span.ts';

export interface SpannedRequest {
  readonly method: string;
  readonly target: string;
  /** The authority asked for; '' when none was given. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly version: string;
  /** 0 when nothing was answered. */
  readonly status: number;
  /** Our own word for what went wrong; '' when nothing did, as far as we know. */
  readonly fault: string;
  readonly requestId: string;
}

/** Methods of RFC 9110 and RFC 5789; any other could be made up by a client without end. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** @returns the span's name as the conventions want it where no route is known: the method alone, never the path */
export const spanName = (method: string): string => (METHODS.has(method) ? method : 'HTTP');

/** The query is left out: it may hold what is secret. */
export function httpAttributes(request: SpannedRequest): SpanAttributes {
  const { method, target, status, fault } = request;
  const query = target.indexOf('?');
  return {
    'http.request.method': METHODS.has(method) ? method : '_OTHER',
    ...(!METHODS.has(method) && { 'http.request.method_original': cutValue(method) }),
    'url.path': cutValue(query === -1 ? target : target.slice(0, query)),
    'url.scheme': request.scheme,
    'network.protocol.version': request.version,
    ...serverOf(request.host),
    ...(status !== 0 && { 'http.response.status_code': status }),
    ...(isFailure(status, fault) && { 'error.type': fault || `${status}` }),
    ...(fault !== '' && { 'webapp.fault': fault }),
    'webapp.request_id': cutValue(request.requestId),
  };
}

/** A span of a server has failed with 5xx, or when its answer was cut off; 4xx, and leaving early, is the client's own affair. */
export const isFailure = (status: number, fault: string): boolean => status >= 500 || (fault !== '' && status < 400);

function serverOf(host: string): SpanAttributes {
  const [, address = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(host) ?? [];
  if (address === '') return {};
  return {
    'server.address': cutValue(address.replace(/^\[|\]$/g, '')),
    ...(port !== '' && { 'server.port': Number(port) }),
  };
}
