// The front door over `node:http`: takes connections up to the cap, has each head judged, hands exchanges to the program, and
// sweeps all connections for deadlines. What one connection does is connection.ts; this is the house around them.
import type { ServerResponse } from 'node:http';
import { Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FaultCode } from '../core/errors.ts';
import type { ListenAddress } from './address.ts';
import { bindServer } from './bind.ts';
import { Connection, type ConnectionDoor } from './connection.ts';
import type { DoorCounters } from './door-metrics.ts';
import type { Peer } from './exchange.ts';
import { makeRefusalRecord, rawFaultResponse } from './fault-response.ts';
import type { GuardedRequest } from './guard.ts';
import type { DoorLimits, DoorOptions, FrontDoor } from './listen.ts';
import { NodeExchange } from './node-exchange.ts';
import type { DoorRequest } from './node-request.ts';
import { makeNodeServer, type NodeServer } from './node-server.ts';
import { NodeUpgrade } from './node-upgrade.ts';
import type { ParseError } from './parse-error.ts';

/** The grain of all deadlines. */
const SWEEP_MS = 250;
/** At the cap, connections idle for so long make room. */
const IDLE_AT_CAP_MS = 1_000;
/** Fields of one head; nginx's max_headers. */
const MAX_FIELDS = 1_000;
/** Refused connections that are read empty at a time; beyond, they are reset. */
const MAX_TURNED_AWAY = 256;

const CONNECTION = Symbol('connection');
interface DoorSocket extends Socket {
  [CONNECTION]?: Connection;
}

export class Door implements FrontDoor, ConnectionDoor {
  address: ListenAddress = { host: '', port: 0 };
  leaving = false;
  draining = false;
  readonly counters: DoorCounters = { connections: 0, headersDropped: 0, received: 0, sent: 0 };
  #limits: DoorLimits;
  readonly #options: DoorOptions;
  readonly #server: NodeServer;
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Socket>();
  #sweeping: NodeJS.Timeout | undefined;
  #drained: Promise<number> | null = null;
  #onEmpty: (() => void) | null = null;
  #cutTimer: NodeJS.Timeout | undefined;
  #cutAt = Number.POSITIVE_INFINITY;
  /** Connections that the end of the drain found busy. */
  #cut = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#server = makeNodeServer(options.limits.headBytes, (request) => this.#takesUpgrade(request));
    this.#listenTo(this.#server);
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  get maxConnections(): number {
    return this.#limits.connections;
  }

  async open(address: ListenAddress): Promise<void> {
    this.address = await bindServer(this.#server, address);
    // Timers come before sockets in a turn of the event loop: what arrived while this process stood still is read first.
    this.#sweeping = setInterval(() => setImmediate(() => this.#sweep()), SWEEP_MS).unref();
  }

  /** `headBytes` above what a live connection began with is in force from its successor on: its parser holds the old bound. */
  configure(limits: DoorLimits): void {
    this.#limits = limits;
    // Read by Node for each new connection, though its types do not know the property.
    Object.assign(this.#server, { maxHeaderSize: limits.headBytes });
  }

  #listenTo(server: NodeServer): void {
    // Node's own listener makes an HTTP connection of a socket; only those that are let in get there.
    const [letIn] = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: DoorSocket) => {
      if (this.#admit(socket)) letIn?.call(server, socket);
    });
    server.on('request', (request, response) => this.#onRequest(request, response));
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    server.on('connect', (request, socket) => this.#onConnect(request, socket));
    server.on('clientError', (error: ParseError, socket: Duplex) => connectionOf(socket)?.broken(error));
  }

  #admit(socket: DoorSocket): boolean {
    if (this.#connections.size >= this.#limits.connections) {
      this.#turnAway(socket);
      return false;
    }
    const connection = new Connection(this, socket, performance.now());
    socket[CONNECTION] = connection;
    socket.destroySoon = finishConnection;
    this.#connections.add(connection);
    this.counters.connections++;
    socket.on('close', () => this.#forget(connection));
    return true;
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #turnAway(socket: Socket): void {
    this.countFault('CONNECTIONS_FULL');
    socket.on('error', ignore);
    if (this.#turnedAway.size >= MAX_TURNED_AWAY) {
      socket.destroy();
      return;
    }
    this.#turnedAway.add(socket);
    socket.on('close', () => this.#turnedAway.delete(socket));
    socket.setTimeout(IDLE_AT_CAP_MS, () => socket.destroy());
    socket.end(rawFaultResponse('CONNECTIONS_FULL'));
    socket.resume();
  }

  #onRequest(request: DoorRequest, response: ServerResponse<DoorRequest>): void {
    const connection = connectionOf(request.socket);
    if (connection === undefined) return;
    const { judged } = request;
    this.#holdToLimits(judged);
    this.counters.headersDropped += judged.dropped;
    const exchange = new NodeExchange(connection, request, response, judged, this.#limits.bodyBytes);
    connection.take(exchange);
  }

  /** What the parser cannot hold it to: limits that were lowered since the connection began, and the count of fields. */
  #holdToLimits(judged: GuardedRequest): void {
    if (judged.fault !== null) return;
    const { headBytes } = this.#limits;
    if (judged.target.length > headBytes) judged.fault = 'TARGET_TOO_LONG';
    else if (judged.headBytes > headBytes || judged.headers.length > 2 * MAX_FIELDS) judged.fault = 'HEADERS_TOO_LARGE';
  }

  dispatch(exchange: NodeExchange): void {
    const { refusal } = exchange;
    if (refusal !== null) {
      exchange.fail(refusal, exchange.refusalDetail);
      return;
    }
    try {
      this.#options.onRequest(exchange);
    } catch (error) {
      this.#handlerFailed(error, exchange);
    }
    // The handler has had its chance to raise the limit, or to answer without the body.
    if (exchange.state === 'open' && exchange.nodeBody?.exceedsLimit) exchange.nodeBody.refuse('BODY_TOO_LARGE');
  }

  #handlerFailed(error: unknown, exchange: NodeExchange): void {
    exchange.fail('INTERNAL');
    const { onHandlerError } = this.#options;
    if (onHandlerError === undefined) throw error;
    onHandlerError(error, exchange);
  }

  countFault(code: FaultCode): void {
    this.#options.onFault?.(code);
  }

  refused(peer: Peer, code: FaultCode, detail: string): void {
    this.countFault(code);
    this.#options.onRefused?.(makeRefusalRecord(peer, code, detail, performance.now()));
  }

  exchangeDone(exchange: NodeExchange): void {
    this.#options.onDone?.(exchange);
  }

  /** No: it is served, or refused, as any other request. */
  #takesUpgrade(request: DoorRequest): boolean {
    const { onUpgrade, takesUpgrade } = this.#options;
    const { judged } = request;
    if (onUpgrade === undefined || this.draining || judged.fault !== null || judged.length !== 0) return false;
    if (!connectionOf(request.socket)?.quiet) return false;
    return takesUpgrade === undefined || takesUpgrade(judged.headers);
  }

  #onUpgrade(request: DoorRequest, socket: Duplex, head: Buffer): void {
    const connection = connectionOf(socket);
    if (connection === undefined || !(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    connection.upgraded = true;
    socket.destroySoon = Socket.prototype.destroySoon;
    socket.on('error', ignore);
    request.released = true;
    this.#options.onUpgrade?.(new NodeUpgrade(connection, request, socket, head));
  }

  /** Node has taken the connection out of HTTP already, so that responses before it could not be carried to their end. */
  #onConnect(request: DoorRequest, socket: Duplex): void {
    socket.on('error', ignore);
    socket.resume();
    const connection = connectionOf(socket);
    if (connection?.quiet) connection.refuse(request.judged.fault ?? 'METHOD_UNSUPPORTED');
    else socket.destroy();
  }

  #sweep(): void {
    const now = performance.now();
    const limits = this.#limits;
    const full = this.#connections.size >= limits.connections;
    const inForce = full ? { ...limits, idleMs: Math.min(limits.idleMs, IDLE_AT_CAP_MS) } : limits;
    for (const connection of this.#connections) {
      if (this.draining) connection.closeIfQuiet(now);
      connection.sweep(now, inForce);
    }
  }

  leave(): void {
    this.leaving = true;
  }

  drain(timeoutMs: number): Promise<number> {
    this.#cutWithin(timeoutMs);
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<number> {
    this.leave();
    this.draining = true;
    await this.#takeWhatHasArrived();
    // Not http.Server's own close: that drops connections whose first request is on its way.
    NetServer.prototype.close.call(this.#server);
    const now = performance.now();
    for (const connection of this.#connections) connection.closeIfQuiet(now);
    await this.#emptied();
    clearTimeout(this.#cutTimer);
    clearInterval(this.#sweeping);
    for (const socket of this.#turnedAway) socket.destroy();
    return this.#cut;
  }

  /**
   * One full turn of the event loop: the kernel resets connections that nobody has accepted when their listener closes, and a
   * request that it holds already is no idle connection.
   */
  async #takeWhatHasArrived(): Promise<void> {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }

  #emptied(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** The earliest of all wishes counts, so that a second, shorter drain hastens the first. */
  #cutWithin(timeoutMs: number): void {
    const at = performance.now() + timeoutMs;
    if (at >= this.#cutAt) return;
    this.#cutAt = at;
    clearTimeout(this.#cutTimer);
    this.#cutTimer = setTimeout(() => this.#cutAll(), timeoutMs);
  }

  #cutAll(): void {
    for (const connection of this.#connections) {
      if (connection.busy) this.#cut++;
      connection.socket.destroy();
    }
  }
}

function connectionOf(socket: Duplex): Connection | undefined {
  return (socket as DoorSocket)[CONNECTION];
}

function finishConnection(this: DoorSocket): void {
  this[CONNECTION]?.finish();
}

function ignore(): void {}
