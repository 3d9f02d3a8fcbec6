// A `fetch(Request)` handler (Hono, h3, `export default { fetch }`) as a listener of http.Server: Request and Response of the
// Fetch standard on one side, Node's on the other. Streams both ways with backpressure; the client's leaving aborts both.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { RequestListener } from './app-server.ts';

export type FetchHandler = (request: Request) => Response | Promise<Response>;

export function fetchListener(handler: FetchHandler): RequestListener {
  return (incoming, outgoing) => {
    void answer(handler, incoming, outgoing);
  };
}

async function answer(handler: FetchHandler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  try {
    const response = await handler(makeRequest(incoming, outgoing));
    if (!(response instanceof Response)) throw new TypeError('fetch() of the application did not return a Response');
    await send(response, incoming, outgoing);
  } catch (error) {
    fail(error, outgoing);
  }
}

function makeRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const method = incoming.method ?? 'GET';
  const leaving = new AbortController();
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) leaving.abort(new Error('the client has gone'));
  });
  const bodiless = method === 'GET' || method === 'HEAD';
  return new Request(urlOf(incoming), {
    method,
    headers: headersOf(incoming),
    signal: leaving.signal,
    ...(!bodiless && { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' }),
  });
}

function urlOf(incoming: IncomingMessage): string {
  const socket = incoming.socket as Socket & { encrypted?: boolean };
  const origin = `${socket.encrypted ? 'https' : 'http'}://${incoming.headers.host ?? 'localhost'}`;
  const target = incoming.url ?? '/';
  return target.startsWith('/') ? origin + target : `${origin}/${target}`;
}

function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  const raw = incoming.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) headers.append(raw[index] ?? '', raw[index + 1] ?? '');
  return headers;
}

async function send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  // Each Set-Cookie is an entry of its own when iterated.
  const headers = [...response.headers].flat();
  if (response.statusText === '') outgoing.writeHead(response.status, headers);
  else outgoing.writeHead(response.status, response.statusText, headers);
  if (response.body === null || incoming.method === 'HEAD') {
    await response.body?.cancel();
    outgoing.end();
  } else {
    await pump(response.body, outgoing);
  }
}

async function pump(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  const leave = (): void => void reader.cancel(new Error('the client has gone')).catch(() => undefined);
  outgoing.on('close', leave);
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!outgoing.write(part.value)) await drained(outgoing);
  }
  outgoing.off('close', leave);
  if (!outgoing.destroyed) outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
    if (outgoing.destroyed) done();
  });
}

/** As an Express application without an error handler does: the stack on stderr, a bare 500, or a cut where the head has gone. */
function fail(error: unknown, outgoing: ServerResponse): void {
  if (outgoing.destroyed) return;
  console.error(error);
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
  outgoing.end('Internal Server Error\n');
}
