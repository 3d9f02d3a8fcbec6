// One request on its way to a worker: finds an endpoint, sends, sends again where nobody can notice, and passes the answer on.
// Owns its connection from `send` until the end of the exchange. Made by Upstreams only.
import type { RawHeaders } from '../../http/exchange.ts';
import type { ResponseConsumer, WireConnection, WireError, WireRequest } from '../../http/wire/connection.ts';
import type { CallConsumer, UpstreamCall, UpstreamFault } from './client.ts';
import type { Counts } from './counts.ts';
import type { Directory } from './directory.ts';
import type { Endpoint } from './endpoint.ts';
import { HeldBody } from './held-body.ts';
import { planRetry } from './retry.ts';
import type { Listened, Silence } from './silence.ts';
import type { Waiter, WaitingRoom } from './waiting-room.ts';

/** What all calls of one Upstreams share. */
export interface CallHouse {
  readonly directory: Directory;
  readonly room: WaitingRoom;
  readonly silence: Silence;
  readonly counts: Counts;
  readonly connectMs: number;
  readonly responseMs: number;
}

const FAULT: Readonly<Record<WireError, UpstreamFault>> = {
  REFUSED: 'UPSTREAM_REFUSED',
  CONNECT_TIMEOUT: 'UPSTREAM_CONNECT_TIMEOUT',
  CLOSED: 'UPSTREAM_CLOSED',
  INVALID: 'UPSTREAM_INVALID',
};

const OUTCOME = {
  REFUSED: 'refused',
  CONNECT_TIMEOUT: 'connectTimeout',
  CLOSED: 'closed',
  INVALID: 'invalid',
} as const;

export class Call implements UpstreamCall, ResponseConsumer, Listened, Waiter {
  attempts = 0;
  silentTicks = 0;
  silenceMs: number;
  listIndex = -1;
  waitsUntil = 0;
  waitTimer: NodeJS.Timeout | null = null;
  readonly #house: CallHouse;
  readonly #request: WireRequest;
  readonly #consumer: CallConsumer;
  #endpoint: Endpoint | null = null;
  #connection: WireConnection | null = null;
  #state: 'new' | 'open' | 'over' = 'new';
  /** The body, when it was given whole. */
  #body: Buffer | undefined;
  /** The body as far as it was sent, when it is streamed. */
  #streamed: HeldBody | null = null;
  /** The consumer has been asked for its body. */
  #asked = false;
  /** The consumer was told to wait for onDrain. */
  #lagging = false;
  #paused = false;
  /** onHead has been called. */
  #began = false;
  /** Attempts, and those of them that were connect timeouts, since the request last waited for an endpoint. */
  #tries = 0;
  #timeouts = 0;
  /** The present connection was a kept one. */
  #reused = false;
  #retriedReused = false;
  #retriedFresh = false;
  /** Why the last attempt failed; NO_ENDPOINT before there was one. */
  #fault: UpstreamFault = 'NO_ENDPOINT';

  constructor(house: CallHouse, request: WireRequest, consumer: CallConsumer) {
    this.#house = house;
    this.#request = request;
    this.#consumer = consumer;
    this.silenceMs = house.responseMs;
  }

  get address(): string {
    return this.#endpoint?.address ?? '';
  }

  start(body?: Buffer): void {
    if (this.#state !== 'new') return;
    this.#state = 'open';
    this.#body = body;
    const { length } = this.#request;
    if (body === undefined && length !== undefined && length !== 0) this.#streamed = new HeldBody();
    this.#house.counts.inFlight++;
    this.#house.silence.add(this);
    this.#route(null);
  }

  write(chunk: Buffer): boolean {
    const streamed = this.#streamed;
    if (this.#state !== 'open' || streamed === null) return true;
    streamed.add(chunk);
    this.silentTicks = 0;
    const connection = this.#connection;
    if (connection === null || !connection.connected) {
      this.#lagging = streamed.full;
    } else {
      if (streamed.full) streamed.drop();
      this.#lagging = !connection.write(chunk);
    }
    return !this.#lagging;
  }

  end(): void {
    if (this.#state !== 'open' || this.#streamed === null) return;
    this.#streamed.end();
    this.silentTicks = 0;
    if (this.#connection?.connected) this.#connection.end();
  }

  pause(): void {
    this.#paused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.silentTicks = 0;
    this.#connection?.resume();
  }

  setResponseMs(ms: number): void {
    this.silenceMs = ms;
  }

  cancel(): void {
    if (this.#state !== 'open') {
      this.#state = 'over';
      return;
    }
    if (this.#connection !== null) this.#house.counts.attempts.cancelled++;
    this.#abandon();
    this.#finish();
  }

  // Finding a way.

  #route(besides: Endpoint | null): void {
    const { directory, room } = this.#house;
    const endpoint = directory.choose(besides);
    if (endpoint !== undefined) this.#attempt(endpoint);
    else if (!room.enter(this)) this.#routeAnyway();
  }

  /** No endpoint is known to be good and there is no waiting: the last one is never given up without a try. */
  #routeAnyway(): void {
    const endpoint = this.attempts === 0 ? this.#house.directory.chooseUnreachable() : undefined;
    if (endpoint === undefined) this.#fail(this.#fault);
    else this.#attempt(endpoint);
  }

  onEligible(): void {
    this.#tries = 0;
    this.#timeouts = 0;
    this.#route(null);
  }

  onExpired(): void {
    this.#fail(this.#fault);
  }

  #attempt(endpoint: Endpoint): void {
    // One kept connection has turned out dead: the others may be as well, and there is no third try.
    const kept = this.#retriedReused || this.#retriedFresh ? undefined : endpoint.pool.take();
    const connection = kept ?? this.#open(endpoint);
    this.#reused = kept !== undefined;
    this.attempts++;
    this.#tries++;
    this.#endpoint = endpoint;
    this.#connection = connection;
    endpoint.outstanding++;
    this.silentTicks = 0;
    if (this.#streamed !== null) connection.onDrain = () => this.#drained();
    if (this.#paused) connection.pause();
    try {
      connection.send(this.#request, this, this.#body);
    } catch {
      // The head could not be written: nothing of this request has been sent.
      this.#abandon();
      this.#fail('INTERNAL');
      return;
    }
    if (this.#connection === connection && connection.connected) this.#sendBody(connection);
  }

  #open(endpoint: Endpoint): WireConnection {
    const connection = endpoint.pool.open(this.#house.connectMs);
    connection.onConnect = () => {
      endpoint.noteSuccess();
      if (this.#connection === connection) this.#sendBody(connection);
    };
    return connection;
  }

  /** The connection stands. */
  #sendBody(connection: WireConnection): void {
    if (this.#streamed === null) return;
    this.silentTicks = 0;
    if (!this.#asked) {
      this.#asked = true;
      this.#consumer.onSendBody();
      return;
    }
    const lagged = this.#lagging;
    this.#lagging = !this.#streamed.replay(connection);
    if (lagged && !this.#lagging) this.#consumer.onDrain();
  }

  #drained(): void {
    if (!this.#lagging) return;
    this.#lagging = false;
    this.silentTicks = 0;
    this.#consumer.onDrain();
  }

  // What the connection tells.

  onInform(status: number, headers: RawHeaders): void {
    this.#heard();
    this.#consumer.onInform(status, headers);
  }

  onHead(status: number, reason: string, headers: RawHeaders, length: number | null): void {
    this.#heard();
    this.#began = true;
    this.#consumer.onHead(status, reason, headers, length);
  }

  onData(chunk: Buffer): void {
    this.silentTicks = 0;
    this.#consumer.onData(chunk);
  }

  onEnd(reusable: boolean): void {
    const connection = this.#connection;
    const endpoint = this.#endpoint;
    this.#connection = null;
    this.#house.counts.attempts.ok++;
    if (endpoint !== null) {
      if (reusable && connection !== null) endpoint.pool.give(connection);
      endpoint.release();
    }
    this.#finish();
    this.#consumer.onEnd();
  }

  onError(error: WireError, began: boolean): void {
    const connection = this.#connection;
    const endpoint = this.#endpoint;
    if (connection === null || endpoint === null) return;
    this.#connection = null;
    this.#house.counts.attempts[OUTCOME[error]]++;
    endpoint.release();
    this.#fault = FAULT[error];
    if (error === 'CONNECT_TIMEOUT') this.#timeouts++;
    noteLoss(endpoint, error, began, this.#reused);
    this.#retry(error, began, connection.bytesWritten > 0, endpoint);
  }

  #retry(error: WireError, began: boolean, seen: boolean, endpoint: Endpoint): void {
    const retry = planRetry({
      error,
      began,
      reused: this.#reused,
      seen,
      method: this.#request.method,
      bodyHeld: this.#streamed?.whole ?? true,
      hasBody: this.#streamed !== null || (this.#body?.length ?? 0) > 0,
      tries: this.#tries,
      timeouts: this.#timeouts,
      retriedReused: this.#retriedReused,
      retriedFresh: this.#retriedFresh,
    });
    if (retry === 'none') {
      this.#fail(this.#fault);
      return;
    }
    if (retry === 'reused') this.#retriedReused = true;
    if (retry === 'fresh') this.#retriedFresh = true;
    if (retry !== 'elsewhere') this.#house.counts.retried[retry]++;
    this.#route(retry === 'fresh' ? endpoint : null);
  }

  // Silence.

  get awaitsPeer(): boolean {
    if (this.#paused || !this.#connection?.connected) return false;
    return this.#streamed === null || this.#streamed.ended || this.#lagging;
  }

  onSilence(): void {
    this.#house.counts.attempts.timeout++;
    this.#abandon();
    this.#fail('UPSTREAM_TIMEOUT');
  }

  /** The first byte of an answer: the endpoint is well, and the request will not be sent again. */
  #heard(): void {
    this.silentTicks = 0;
    this.#endpoint?.noteSuccess();
    this.#streamed?.drop();
  }

  // The end.

  /** Lets the connection go as it is. */
  #abandon(): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    connection.onConnect = null;
    connection.onDrain = null;
    connection.destroy();
    this.#endpoint?.release();
  }

  #fail(fault: UpstreamFault): void {
    this.#finish();
    this.#consumer.onFault(fault, this.#began);
  }

  #finish(): void {
    this.#state = 'over';
    this.#house.counts.inFlight--;
    this.#house.silence.remove(this);
    this.#house.room.leave(this);
    this.#streamed?.drop();
    this.#body = undefined;
  }
}

/** A kept connection that was closed says nothing of its endpoint: it may have been idle for too long. */
function noteLoss(endpoint: Endpoint, error: WireError, began: boolean, reused: boolean): void {
  if (error === 'REFUSED' || error === 'CONNECT_TIMEOUT') endpoint.noteFailure('unreachable');
  else if (!began && !reused) endpoint.noteFailure('closed');
}
