// One request on its way to a worker: finds an endpoint, sends, sends again where nobody can notice, and passes the answer on.
// Owns its connection from `send` until the end of the exchange. Made by Upstreams only.
import type { RawHeaders } from '../../http/exchange.ts';
import type { ResponseConsumer, WireConnection, WireError, WireRequest } from '../../http/wire/connection.ts';
import type { CallConsumer, UpstreamCall, UpstreamFault } from './client.ts';
import type { Directory } from './directory.ts';
import type { Endpoint } from './endpoint.ts';
import { type Counts, FAULT_OF, OUTCOME_OF } from './outcome.ts';
import { isIdempotent, planRetry } from './retry.ts';
import type { Listened, Silence } from './silence.ts';
import { Upload } from './upload.ts';
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

export class Call implements UpstreamCall, ResponseConsumer, Listened, Waiter {
  attempts = 0;
  silentTicks = 0;
  silenceMs: number;
  listIndex = -1;
  waitsUntil = 0;
  waitingSince = 0;
  waitedMs = 0;
  waitTimer: NodeJS.Timeout | null = null;
  readonly #house: CallHouse;
  readonly #request: WireRequest;
  readonly #consumer: CallConsumer;
  #endpoint: Endpoint | null = null;
  #connection: WireConnection | null = null;
  #state: 'new' | 'open' | 'over' = 'new';
  /** The body, when it was given whole. */
  #body: Buffer | undefined;
  /** The body, when it is streamed. */
  #upload: Upload | null = null;
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
    if (body === undefined && length !== undefined && length !== 0) this.#upload = new Upload(this.#consumer);
    this.#house.counts.inFlight++;
    this.#house.silence.add(this);
    this.#route(null);
  }

  write(chunk: Buffer): boolean {
    if (this.#state !== 'open' || this.#upload === null) return true;
    this.silentTicks = 0;
    return this.#upload.write(chunk);
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.silentTicks = 0;
    this.#upload?.end();
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
    if (kept !== undefined && !isIdempotent(this.#request.method)) this.#lookTwice(connection, endpoint);
    else this.#send(connection);
  }

  /**
   * A request that must not be sent twice does not go over a kept connection whose end has arrived and waits to be read: after
   * the first turn of the event loop begins a whole one, with everything that has arrived by now. Others are sent at once and,
   * if need be, again.
   */
  #lookTwice(connection: WireConnection, endpoint: Endpoint): void {
    const look = (): void => {
      if (this.#connection !== connection) return;
      if (connection.usable) {
        this.#send(connection);
        return;
      }
      this.#letGo();
      endpoint.release();
      this.#route(null);
    };
    setImmediate(() => setImmediate(look));
  }

  #send(connection: WireConnection): void {
    if (this.#paused) connection.pause();
    try {
      connection.send(this.#request, this, this.#body);
    } catch {
      // The head could not be written: nothing of this request has been sent.
      this.#abandon();
      this.#fail('INTERNAL');
      return;
    }
    if (this.#connection === connection && connection.connected) this.#upload?.flowTo(connection);
  }

  #open(endpoint: Endpoint): WireConnection {
    const connection = endpoint.pool.open(this.#house.connectMs);
    connection.onConnect = () => {
      endpoint.noteConnected();
      if (this.#connection === connection) this.#upload?.flowTo(connection);
    };
    return connection;
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
    this.#letGo();
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
    this.#letGo();
    this.#house.counts.attempts[OUTCOME_OF[error]]++;
    endpoint.release();
    this.#fault = FAULT_OF[error];
    if (error === 'CONNECT_TIMEOUT') this.#timeouts++;
    endpoint.noteLoss(error, began, this.#reused);
    this.#retry(error, began, connection.bytesWritten > 0, endpoint);
  }

  #retry(error: WireError, began: boolean, seen: boolean, endpoint: Endpoint): void {
    const retry = planRetry({
      error,
      began,
      reused: this.#reused,
      seen,
      method: this.#request.method,
      bodyHeld: this.#upload?.whole ?? true,
      hasBody: this.#upload !== null || (this.#body?.length ?? 0) > 0,
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
    return this.#upload === null || this.#upload.ended || this.#upload.lagging;
  }

  onSilence(): void {
    this.#house.counts.attempts.timeout++;
    this.#abandon();
    this.#fail('UPSTREAM_TIMEOUT');
  }

  /** The first byte of an answer: the endpoint is well, and the request will not be sent again. */
  #heard(): void {
    this.silentTicks = 0;
    this.#endpoint?.noteAnswered();
    this.#upload?.drop();
  }

  // The end.

  #letGo(): void {
    this.#connection = null;
    this.#upload?.halt();
  }

  /** Closes the connection as it is. */
  #abandon(): void {
    const connection = this.#connection;
    this.#letGo();
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
    this.#upload?.drop();
    this.#body = undefined;
  }
}
