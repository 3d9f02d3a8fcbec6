// One client connection: requests are served one at a time in their order, each wait has its deadline, and it closes so that
// the client can still read its answer. Made and swept by front-door.ts.
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FaultCode } from '../core/errors.ts';
import type { DoorCounters } from './door-metrics.ts';
import type { Peer } from './exchange.ts';
import { rawFaultResponse } from './fault-response.ts';
import type { DoorLimits } from './listen.ts';
import type { NodeExchange } from './node-exchange.ts';
import { faultOfParseError, type ParseError } from './parse-error.ts';
import { Patience, unsentBytes, type Wait } from './patience.ts';
import { peerOf } from './peer.ts';

/** Requests that a client may send ahead on one connection; then it is closed behind the last of them (RFC 9112 §9.3.2). */
const MAX_WAITING = 128;
/** How long, and how silent, a refused client may be while it reads our answer; as nginx's lingering_time, _timeout. */
const LINGER_MS = 10_000;
const LINGER_SILENCE_MS = 2_000;
/** What a refused client may still send us meanwhile. */
const LINGER_BYTES = 256 * 1024 * 1024;

/** What a connection needs of its door. */
export interface ConnectionDoor {
  /** Each answer is the last of its connection. */
  readonly leaving: boolean;
  /** Bytes of bodies are added here by exchanges. */
  readonly counters: DoorCounters;
  countFault(code: FaultCode): void;
  /** What came was no request, and is answered `code`. */
  refused(peer: Peer, code: FaultCode, detail: string): void;
  /** Hands the exchange to the program, or refuses it. Its turn has come. */
  dispatch(exchange: NodeExchange): void;
  exchangeDone(exchange: NodeExchange): void;
}

/**
 * While draining: how long a connection must have been quiet to be closed. On one that was just used, or just made, the next
 * request may be on its way, and would be lost (nginx's keepalive_min_timeout is there for this).
 */
const QUIET_MS = 1_000;

interface Refusal {
  readonly code: FaultCode;
  readonly detail: string;
}

export class Connection {
  readonly door: ConnectionDoor;
  readonly socket: Socket;
  readonly peer: Peer;
  /** The present answer is the last, or the last of those that wait: no request is taken any more. */
  closing = false;
  /** It speaks another protocol now, and is its handler's business. */
  upgraded = false;
  #current: NodeExchange | null = null;
  #waiting: NodeExchange[] = [];
  /** Answered before its body had come; the rest is being taken off the connection. */
  #unfinished: NodeExchange | null = null;
  /** To be answered when all before it is. */
  #refusal: Refusal | null = null;
  /** The client has sent, or may be sending, what nobody will read. */
  #unread = false;
  #lingering = false;
  #lingerFrom = 0;
  #lingerSince = 0;
  #requests = 0;
  /** Bytes read when the last exchange was over: more means that the next head has begun. */
  #readThen = 0;
  readonly #patience: Patience;

  constructor(door: ConnectionDoor, socket: Socket, now: number) {
    this.door = door;
    this.socket = socket;
    this.peer = peerOf(socket);
    this.#patience = new Patience(now);
  }

  /** Whether the present answer is the last. */
  get takesNoMore(): boolean {
    return (this.closing || this.door.leaving) && this.#waiting.length === 0 && this.#refusal === null;
  }

  /** Whether closing it now would cost the client anything: an answer, or what it has begun to send. */
  get busy(): boolean {
    return this.upgraded || this.#current !== null || (!this.#lingering && this.socket.bytesRead !== this.#readThen);
  }

  /** Whether another protocol may begin: nothing is in flight that it could run into. */
  get quiet(): boolean {
    return this.#current === null && !this.closing;
  }

  /** A head has arrived. */
  take(exchange: NodeExchange): void {
    if (this.closing) {
      this.#unread = true;
      return;
    }
    this.#requests++;
    if (exchange.refusal !== null || this.#waiting.length >= MAX_WAITING) this.giveUp();
    if (this.#current === null) this.#serve(exchange);
    else this.#waiting.push(exchange);
  }

  #serve(exchange: NodeExchange): void {
    this.#current = exchange;
    this.door.dispatch(exchange);
  }

  exchangeClosed(exchange: NodeExchange): void {
    // One that the client left behind in the queue was never served.
    if (exchange !== this.#current) return;
    this.door.exchangeDone(exchange);
    if (exchange.incomplete) this.#unfinished = exchange;
    this.#current = null;
    this.#readThen = this.socket.bytesRead;
    const next = this.#waiting.shift();
    if (this.socket.destroyed) this.#waiting = [];
    else if (next !== undefined) this.#serve(next);
    else if (this.#refusal !== null) this.#answerRefused(this.#refusal);
    else if (this.door.leaving) this.finish();
  }

  /** The parser stopped: in the head of a new request, in the body of the last one, or because the client has left. */
  broken(error: ParseError): void {
    const fault = faultOfParseError(error);
    if (fault === 'GONE') {
      this.socket.destroy();
      return;
    }
    const expected = this.closing;
    this.giveUp();
    if (expected || fault === 'IGNORE') return;
    const last = this.#waiting.at(-1);
    if (last?.incomplete) this.#waiting.pop();
    if (last === undefined && this.#current?.incomplete) this.#current.nodeBody?.refuse(fault, error.reason);
    else this.refuse(fault, error.reason);
  }

  /** Answers what is no request, when all before it is answered, and closes. */
  refuse(code: FaultCode, detail = ''): void {
    this.giveUp();
    this.#refusal = { code, detail };
    if (this.#current === null) this.#answerRefused(this.#refusal);
  }

  #answerRefused({ code, detail }: Refusal): void {
    this.#refusal = null;
    this.door.refused(this.peer, code, detail);
    this.#answerAndLinger(code, '');
  }

  /** For what has left HTTP by `upgraded`. */
  refuseUpgrade(code: FaultCode, requestId: string): void {
    this.upgraded = false;
    this.giveUp();
    this.door.countFault(code);
    this.#answerAndLinger(code, requestId);
  }

  #answerAndLinger(code: FaultCode, requestId: string): void {
    if (this.#lingering) return;
    this.socket.write(rawFaultResponse(code, requestId));
    this.#linger();
  }

  /** Nothing that the client still sends is looked at. */
  giveUp(): void {
    this.closing = true;
    this.#unread = true;
  }

  /** All is answered. A socket that is closed with bytes unread is reset, which would cost the client our answer. */
  finish(): void {
    if (this.#unread) this.#linger();
    else Socket.prototype.destroySoon.call(this.socket);
  }

  #linger(): void {
    this.#lingering = true;
    this.#lingerFrom = this.socket.bytesRead;
    this.socket.end();
  }

  /**
   * Ends it in the middle of a response.
   * @param endsByClose an orderly close would look like the end of the response: resets
   */
  cut(response: ServerResponse, endsByClose: boolean): void {
    this.closing = true;
    if (response.socket === null) {
      // Responses before it are still on their way.
      response.once('socket', () => this.socket.destroy());
    } else if (endsByClose && this.peer.port !== 0) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** While draining. */
  closeIfQuiet(now: number): void {
    this.#observe(now);
    if (!this.busy && now - this.#patience.since >= QUIET_MS) this.socket.destroy();
  }

  /** Called about every quarter of a second: times are kept to that grain, so that requests need no timers. */
  sweep(now: number, limits: DoorLimits): void {
    this.#observe(now);
    const { wait, since } = this.#patience;
    const waited = now - since;
    switch (wait) {
      case 'head':
        if (waited >= limits.requestHeadMs) this.#endHead();
        break;
      case 'idle':
        if (waited >= limits.idleMs) this.socket.destroy();
        break;
      case 'body':
        if (waited >= limits.requestBodyMs) this.#endBody();
        break;
      case 'send':
        if (waited >= limits.sendMs) this.socket.destroy();
        break;
      case 'linger':
        if (waited >= LINGER_SILENCE_MS || this.#lingeredEnough(now)) this.socket.destroy();
        break;
      case 'nothing':
        break;
    }
  }

  #observe(now: number): void {
    const read = this.socket.bytesRead;
    const unsent = unsentBytes(this.socket);
    this.#patience.observe(this.#waitsFor(unsent, read), this.#requests, read, unsent, now);
  }

  #waitsFor(unsent: number, read: number): Wait {
    if (this.upgraded) return 'nothing';
    if (this.#lingering) return 'linger';
    if (unsent > 0) return 'send';
    if (this.#current !== null) return this.#current.nodeBody?.wanted ? 'body' : 'nothing';
    if (this.#unfinished !== null) {
      if (this.#unfinished.incomplete) return 'body';
      this.#unfinished = null;
      this.#readThen = read;
    }
    return this.#requests === 0 || read !== this.#readThen ? 'head' : 'idle';
  }

  #lingeredEnough(now: number): boolean {
    if (this.#lingerSince === 0) this.#lingerSince = now;
    return now - this.#lingerSince >= LINGER_MS || this.socket.bytesRead - this.#lingerFrom > LINGER_BYTES;
  }

  #endHead(): void {
    // A connection opened ahead of need, as browsers do, is no request and gets no answer.
    if (this.socket.bytesRead === 0) this.socket.destroy();
    else this.refuse('HEAD_TIMEOUT');
  }

  #endBody(): void {
    const body = this.#current?.nodeBody;
    if (body) body.refuse('BODY_TIMEOUT');
    else this.socket.destroy();
  }
}
