// Plain calls to the API server as its administrator, for what tests arrange and look at. Not the product's transport: a test of that
// must not lean on it.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Certificate } from './pki.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

export interface Api {
  /** @returns whatever was answered, errors included. @throws Error when there was no answer within 30 s */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  /** @returns the answer's JSON. @throws Error with the server's message unless the status is 2xx */
  json<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T>;
}

export function makeApi(server: URL, caFile: string, certificate: Certificate): Api {
  const tls = {
    ca: readFileSync(caFile),
    cert: readFileSync(certificate.certFile),
    key: readFileSync(certificate.keyFile),
  };
  const call: Api['call'] = (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = payload === undefined ? {} : { 'content-type': contentType };
      // No agent: a kept connection to a server that was restarted would fail the next call.
      const outgoing = request(new URL(path, server), { method, headers, agent: false, ...tls }, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => (text += chunk));
        incoming.on('error', reject);
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
      });
      outgoing.on('error', reject);
      outgoing.setTimeout(30_000, () => outgoing.destroy(new Error(`no answer to ${method} ${path} within 30 s`)));
      outgoing.end(payload);
    });
  return {
    call,
    json: async <T>(method: string, path: string, body?: unknown, contentType?: string) => {
      const answer = await call(method, path, body, contentType);
      if (answer.status < 200 || answer.status > 299) {
        throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 1000)}`);
      }
      return JSON.parse(answer.text) as T;
    },
  };
}
