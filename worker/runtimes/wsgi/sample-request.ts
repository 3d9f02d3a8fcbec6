// For tests: a request as the front would hand it over.
import type { BufferedRequest } from '../../slot.ts';

export function makeRequest(request: Partial<BufferedRequest> = {}): BufferedRequest {
  const body = request.body ?? null;
  const host = request.host ?? 'shop.example:8080';
  return {
    method: 'GET',
    target: '/',
    version: '1.1',
    headers: host === '' ? [] : ['Host', host],
    host,
    peer: { address: '192.0.2.7', port: 4711, encrypted: false, localAddress: '192.0.2.1', localPort: 8000 },
    scheme: 'http',
    clientAddress: '192.0.2.7',
    bodyBytes: body?.length ?? 0,
    hasBody: body !== null,
    body,
    bodyFile: null,
    wantAccept: false,
    ...request,
  };
}
