// The application's http.Server on our Unix socket: a real one, so that the application sees genuine req and res. What differs
// from a server on a public port is done here, before any listener of the application runs: the front's preface comes off the
// target, the client's address is put on the socket, and the request is acknowledged.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import { prefaceStart, readPreface } from '../node/preface.ts';
import { createServer, type HttpServer } from './node-http.ts';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** What Node has as getters of the prototype, and no value on a Unix socket. One connection carries requests of many clients. */
interface ClientSide {
  remoteAddress: string | undefined;
  remotePort: number | undefined;
  remoteFamily: string | undefined;
  encrypted: boolean;
}

/** The front owns all deadlines, and a connection that closes by itself would look like a fault of the process. */
const PINNED = ['timeout', 'keepAliveTimeout', 'headersTimeout', 'requestTimeout', 'maxRequestsPerSocket'] as const;

export interface Clients {
  readonly secret: string;
  readonly trustForwarded: boolean;
}

/** What runs in the application, for a graceful end. */
export class Running {
  requests = 0;
  upgraded = 0;
  /** Called when either has come to 0. */
  onFewer: (() => void) | null = null;
  #server: HttpServer | null = null;

  /** The server whose requests these are. */
  of(server: HttpServer): void {
    this.#server = server;
  }

  /** The front keeps its connections; a server that closes waits for them. */
  closeIdleConnections(): void {
    this.#server?.closeIdleConnections();
  }

  readonly requestEnded = (): void => {
    if (--this.requests === 0) this.onFewer?.();
  };

  readonly upgradeEnded = (): void => {
    if (--this.upgraded === 0) this.onFewer?.();
  };
}

/**
 * @returns a server that hands all it gets to `target`, which cannot listen on our socket itself: a TLS server, or one that
 * listens when another serves already
 */
export function serverBefore(target: NetServer): HttpServer {
  const server = createServer({ shouldUpgradeCallback: () => target.listenerCount('upgrade') > 0 });
  handOver(server, target);
  return server;
}

/** From now on `server` serves nothing itself but hands all it gets to `target`. */
export function handOver(server: HttpServer, target: NetServer): void {
  server.removeAllListeners('request');
  server.removeAllListeners('upgrade');
  server.on('request', (...exchange) => void target.emit('request', ...exchange));
  server.on('upgrade', (...upgrade) => void target.emit('upgrade', ...upgrade));
}

/** Makes `server` one that stands behind the front. Before it listens. */
export function standBehindFront(server: HttpServer, clients: Clients, running: Running): void {
  for (const name of PINNED) {
    Object.defineProperty(server, name, { get: () => 0, set: () => undefined, configurable: true });
  }
  running.of(server);
  const start = prefaceStart(clients.secret);
  const emit = server.emit;
  // On the instance, so that it runs before what wraps the prototype's emit (tracers) and before any listener, prepended or not.
  server.emit = function emitBehindFront(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'request') beginRequest(start, args[0] as IncomingMessage, args[1] as ServerResponse, running);
    else if (event === 'connection') addClientSide(args[0] as Socket);
    else if (event === 'upgrade') beginUpgrade(clients, args[0] as IncomingMessage, args[1] as Socket, running);
    return Reflect.apply(emit, server, [event, ...args]);
  } as typeof emit;
}

function addClientSide(socket: Socket): void {
  for (const name of ['remoteAddress', 'remotePort', 'remoteFamily', 'encrypted']) {
    Object.defineProperty(socket, name, { value: undefined, writable: true, configurable: true, enumerable: false });
  }
}

function beginRequest(start: string, request: IncomingMessage, response: ServerResponse, running: Running): void {
  running.requests++;
  response.on('close', running.requestEnded);
  // The front writes Date and Connection; the application's own stay.
  response.sendDate = false;
  response.removeHeader('connection');
  const preface = readPreface(start, request.url ?? '');
  if (preface === null) return;
  request.url = preface.target;
  setClientSide(request.socket, preface.address, preface.port, preface.encrypted);
  // In the kernel before the application's first line runs: what is killed after this has been seen to begin.
  if (preface.wantAccept) response.writeProcessing();
}

/** Upgrades come on raw connections, without a preface: the proxy's headers are all that is known of the client. */
function beginUpgrade(clients: Clients, request: IncomingMessage, socket: Socket, running: Running): void {
  running.upgraded++;
  socket.on('close', running.upgradeEnded);
  if (!clients.trustForwarded) return;
  const forwarded = request.headers['x-forwarded-for'];
  const address = (Array.isArray(forwarded) ? forwarded.join() : (forwarded ?? '')).split(',').at(-1)?.trim() ?? '';
  setClientSide(socket, address, 0, request.headers['x-forwarded-proto'] === 'https');
}

function setClientSide(socket: Socket, address: string, port: number, encrypted: boolean): void {
  const client = socket as unknown as ClientSide;
  client.remoteAddress = address === '' ? undefined : address;
  client.remotePort = port === 0 ? undefined : port;
  client.remoteFamily = address === '' ? undefined : address.includes(':') ? 'IPv6' : 'IPv4';
  client.encrypted = encrypted;
}
