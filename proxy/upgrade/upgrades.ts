// WebSocket connections, from the request that asks for one to the close of both sides. `http-proxy` carries the handshake and
// the bytes, by `ws()` alone; what it leaves open is closed here: who is asked, header fields, deadlines, refusals, half-open
// ends. Only WebSocket is upgraded: any other protocol behind a proxy (h2c above all) would pass by every rule of this one.
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type HttpProxy from 'http-proxy';
import type { Clock } from '../../core/clock.ts';
import { FAULTS, type FaultCode } from '../../core/errors.ts';
import type { RawHeaders, UpgradeExchange } from '../../http/exchange.ts';
import type { RequestTrace } from '../../tracing/tracer.ts';
import { isSameName } from '../hop-by-hop.ts';
import { makeClientHeaders, makeUpstreamHeaders } from '../message-headers.ts';
import { type Dialled, dial } from './dial.ts';

export interface UpgradeTimeouts {
  readonly connectMs: number;
  /** Until the worker answers the handshake. */
  readonly responseMs: number;
}

/** What became of an upgrade, for counters and access log. */
export interface UpgradeOutcome {
  /** 101: upgraded. Another one: the worker's answer, or the fault's. 0: the client left first. */
  readonly status: number;
  readonly fault: FaultCode | null;
  /** The worker that was asked, '' when none was. */
  readonly address: string;
  /** When it was asked for, `clock.now()`. */
  readonly startedAt: number;
  /** Null: it belongs to none. */
  readonly trace: RequestTrace | null;
}

export interface UpgradeOptions {
  readonly pick: () => string | undefined;
  /** Why none is taken now; null: they are. */
  readonly refusal: () => FaultCode | null;
  readonly nextId: () => string;
  readonly timeouts: () => UpgradeTimeouts;
  readonly clock: Clock;
  /** Its place in a trace. */
  readonly trace: (headers: RawHeaders) => RequestTrace | null;
  /** What should not happen; the client has been answered 500. */
  readonly onError: (error: unknown, upgrade: UpgradeExchange) => void;
  /** Once for each, when the connection is gone. */
  readonly onClosed: (upgrade: UpgradeExchange, outcome: UpgradeOutcome) => void;
}

/** Both directions are probed after so long a silence, so that a peer that vanished is noticed. */
const KEEP_ALIVE_MS = 60_000;
/** How long one side may stay open when the other has ended. */
const HALF_OPEN_MS = 30_000;

/** RFC 6455 §4.2.1, as far as a proxy must know it. */
export function isWebSocket(headers: RawHeaders): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length === 7 && isSameName(name, 'upgrade')) return (headers[i + 1] ?? '').toLowerCase() === 'websocket';
  }
  return false;
}

/** Outlives configurations: open connections do not notice a change. */
export class Upgrades {
  readonly #options: UpgradeOptions;
  /** Loaded with the first upgrade: most applications have none. */
  #carrier: Promise<HttpProxy> | null = null;
  readonly #sessions = new Map<IncomingMessage, Session>();

  constructor(options: UpgradeOptions) {
    this.#options = options;
  }

  /** Connections that are upgraded, or about to be. */
  get open(): number {
    return this.#sessions.size;
  }

  /** An `UpgradeHandler` of the front door. */
  take(upgrade: UpgradeExchange): void {
    upgrade.requestId = this.#options.nextId();
    const session = new Session(upgrade, this.#options);
    this.#sessions.set(upgrade.request, session);
    upgrade.socket.once('close', () => this.#sessions.delete(upgrade.request));
    this.#carrier ??= this.#loadCarrier();
    session.run(this.#carrier).catch((error: unknown) => session.break(error));
  }

  async #loadCarrier(): Promise<HttpProxy> {
    const { default: httpProxy } = await import('http-proxy');
    const carrier = httpProxy.createProxyServer({ xfwd: false });
    carrier.on('proxyReqWs', (request, incoming) => this.#sessions.get(incoming)?.onRequest(request));
    return carrier;
  }

  /** Cuts all. WebSocket clients take it as a lost connection, and connect again. */
  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }
}

/** One client's connection and the worker's. */
class Session {
  readonly #upgrade: UpgradeExchange;
  readonly #options: UpgradeOptions;
  readonly #left = new AbortController();
  readonly #startedAt: number;
  readonly #trace: RequestTrace | null;
  #upstream: Socket | null = null;
  #address = '';
  #status = 0;
  #fault: FaultCode | null = null;
  #timer: NodeJS.Timeout | undefined;
  #late = false;

  constructor(upgrade: UpgradeExchange, options: UpgradeOptions) {
    this.#upgrade = upgrade;
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#trace = options.trace(upgrade.headers);
  }

  async run(loading: Promise<HttpProxy>): Promise<void> {
    const { socket } = this.#upgrade;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', ignore);
    socket.once('close', () => this.#onClose());
    const { pick, refusal, timeouts, clock } = this.#options;
    const refused = refusal();
    if (refused !== null) {
      this.#fail(refused);
      return;
    }
    const dialled = await dial(pick, timeouts().connectMs, clock, this.#left.signal);
    const carrier = await loading;
    if (typeof dialled === 'string') this.#fail(dialled);
    else if (socket.destroyed) dialled.socket.destroy();
    else this.#handshake(carrier, dialled);
  }

  #handshake(carrier: HttpProxy, { socket: upstream, address }: Dialled): void {
    const { request, socket, head } = this.#upgrade;
    this.#upstream = upstream;
    this.#address = address;
    upstream.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#timer = setTimeout(() => this.#onLate(), this.#options.timeouts().responseMs);
    // The form that http-proxy's parser does not stumble over; an accessor of the front door's request holds the other name.
    request.url = this.#upgrade.target;
    Object.defineProperty(request, 'headers', { value: makeHandshakeHeaders(this.#upgrade, this.#trace) });
    const target = { protocol: 'http:', host: 'localhost', port: 80 };
    carrier.ws(request, socket, head, { target, agent: new DialledAgent(upstream) }, () => this.#onError());
  }

  /** http-proxy has made its request: not sent yet, and not listened to. */
  onRequest(request: ClientRequest): void {
    // http-proxy would join slashes and drop what it takes for a fragment.
    request.path = this.#upgrade.target;
    request.once('upgrade', (response) => this.#onUpgraded(response));
    process.nextTick(() => {
      // Its own listener would announce chunks and send none.
      request.removeAllListeners('response');
      request.once('response', (response) => this.#onRefusal(response));
    });
  }

  /** Before http-proxy passes the worker's header fields on. */
  #onUpgraded(response: IncomingMessage): void {
    clearTimeout(this.#timer);
    response.headers['x-request-id'] = this.#upgrade.requestId;
    this.#status = 101;
    const { socket } = this.#upgrade;
    socket.once('end', () => this.#endSoon());
    this.#upstream?.once('end', () => this.#endSoon());
    this.#upstream?.once('close', () => this.#endSoon());
  }

  /** The worker answered the handshake as a plain request: so does the client's connection, and closes. */
  #onRefusal(response: IncomingMessage): void {
    clearTimeout(this.#timer);
    const { socket, requestId } = this.#upgrade;
    const status = response.statusCode ?? 502;
    this.#status = status;
    socket.write(
      makeHead(status, response.statusMessage ?? '', makeClientHeaders(response.rawHeaders, requestId)),
      'latin1',
    );
    response.on('error', ignore);
    // Only a length or the close says where this response ends: one that was cut must not look whole.
    response.once('close', () => (response.complete ? this.#endSoon() : cut(socket)));
    response.pipe(socket);
  }

  /** The request failed, or the connection did later. http-proxy ends the client's socket after this. */
  #onError(): void {
    if (this.#status !== 0) this.destroy();
    else this.#fail(this.#late ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_CLOSED');
  }

  /** An error of ours, or of http-proxy before it asked anybody. */
  break(error: unknown): void {
    this.#options.onError(error, this.#upgrade);
    this.#fail('INTERNAL');
  }

  #onLate(): void {
    this.#late = true;
    this.#upstream?.destroy();
  }

  #fail(code: FaultCode): void {
    clearTimeout(this.#timer);
    this.#upstream?.destroy();
    if (this.#left.signal.aborted) return;
    this.#fault = code;
    this.#status = FAULTS[code].status;
    this.#upgrade.fail(code);
  }

  /** One side has ended: what the other has still to say gets its time, and no more. */
  #endSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.destroy(), HALF_OPEN_MS);
  }

  #onClose(): void {
    this.destroy();
    this.#options.onClosed(this.#upgrade, {
      status: this.#status,
      fault: this.#fault,
      address: this.#address,
      startedAt: this.#startedAt,
      trace: this.#trace,
    });
  }

  /** Both sides, at once. Twice is safe. */
  destroy(): void {
    clearTimeout(this.#timer);
    this.#left.abort();
    this.#upstream?.destroy();
    this.#upgrade.socket.destroy();
  }
}

/** Hands out the one connection that was dialled. */
class DialledAgent extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false });
    this.#socket = socket;
  }

  override createConnection(): Duplex {
    return this.#socket;
  }
}

/** Node's form of header fields, which http-proxy sends: repeated ones as a list of values. */
function makeHandshakeHeaders(
  { headers, host, peer, requestId }: UpgradeExchange,
  trace: RequestTrace | null,
): Record<string, string | string[]> {
  const pairs = makeUpstreamHeaders(headers, host, peer, requestId, trace ?? undefined);
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = (pairs[i] ?? '').toLowerCase();
    const before = fields[name];
    const value = pairs[i + 1] ?? '';
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  fields['connection'] = 'Upgrade';
  fields['upgrade'] = 'websocket';
  return fields;
}

function makeHead(status: number, reason: string, headers: RawHeaders): string {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}Connection: close\r\n\r\n`;
}

/** So that the other side sees it was cut. */
function cut(socket: Socket): void {
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function ignore(): void {}
