// The HTTP side of the fake API server: listens, counts connections, logs requests with their bodies, and hands them on. Knows nothing of
// Kubernetes.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { cutSocket } from './cut-socket.ts';

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly authorization: string | undefined;
  /** Parsed JSON; the text when it is none; undefined when there is none. */
  readonly body: unknown;
  /** Number of the connection it came on, from 1. */
  readonly socket: number;
  readonly watch: boolean;
}

/** One request, its body read. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly logged: LoggedRequest;
  readonly bodyBytes: number;
  /** Whether its connection had carried a request before. */
  readonly reused: boolean;
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Requests kept in the log; when it is full the older half goes. */
const MAX_LOG = 50_000;

export class FakeFront {
  readonly #server: Server | TlsServer;
  readonly #scheme: string;
  readonly #sockets = new Map<Socket, { readonly number: number; requests: number }>();
  readonly #take: (exchange: Exchange) => void;
  #log: LoggedRequest[] = [];
  #port = 0;
  #ever = 0;
  #peak = 0;

  constructor(take: (exchange: Exchange) => void, certificate: Certificate | undefined) {
    this.#take = take;
    this.#scheme = certificate === undefined ? 'http' : 'https';
    const settings = { keepAliveTimeout: 0, requestTimeout: 0 };
    this.#server =
      certificate === undefined ? createServer(settings) : createTlsServer({ ...settings, ...certificate });
    this.#server.on('request', (request, response) => void this.#read(request, response));
    this.#server.on(certificate === undefined ? 'connection' : 'secureConnection', (socket) => this.#welcome(socket));
  }

  get url(): URL {
    return new URL(`${this.#scheme}://127.0.0.1:${this.#port}`);
  }

  get log(): readonly LoggedRequest[] {
    return this.#log;
  }

  clearLog(): void {
    this.#log = [];
  }

  /** Open now, ever taken, most at a time. */
  get connections(): { open: number; ever: number; peak: number } {
    return { open: this.#sockets.size, ever: this.#ever, peak: this.#peak };
  }

  /** On the port it had before. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection and listens no more. Twice is safe. */
  async close(): Promise<void> {
    this.dropConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  dropConnections(): void {
    for (const socket of this.#sockets.keys()) cutSocket(socket);
  }

  renewCertificate(certificate: Certificate): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(certificate);
  }

  #welcome(socket: Socket): void {
    this.#sockets.set(socket, { number: ++this.#ever, requests: 0 });
    this.#peak = Math.max(this.#peak, this.#sockets.size);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }

  async #read(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return;
    const url = new URL(request.url ?? '/', this.url);
    const socket = this.#sockets.get(request.socket);
    const reused = socket !== undefined && socket.requests++ > 0;
    const logged = this.#note(request, url, body, socket?.number ?? 0);
    this.#take({ request, response, url, logged, bodyBytes: body.length, reused });
  }

  #note(request: IncomingMessage, url: URL, body: Buffer, socket: number): LoggedRequest {
    const watch = url.searchParams.get('watch');
    const logged = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      contentType: request.headers['content-type'] ?? '',
      authorization: request.headers.authorization,
      body: parsed(body),
      socket,
      watch: watch === 'true' || watch === '1',
    };
    this.#log.push(logged);
    if (this.#log.length > MAX_LOG) this.#log.splice(0, MAX_LOG / 2);
    return logged;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parsed(body: Buffer): unknown {
  const text = body.toString('utf8');
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}
