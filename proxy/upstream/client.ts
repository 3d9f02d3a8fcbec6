// The way from the proxy to the workers: one request to one of several endpoints, over kept connections, with the retries that
// nobody can notice and no others. Called by proxy/forward.ts; knows nothing of clients, handlers or files.
//
//   const upstreams = new Upstreams(settings);
//   upstreams.configure(config);                         // again on every change: swaps in place
//   const call = upstreams.call(request, consumer);      // holds only
//   call.start();                                        // may call the consumer before it returns
import type { ProxyConfig } from '../../core/config/proxy.ts';
import type { FaultCode } from '../../core/errors.ts';
import type { ProxyStatus } from '../../core/status/proxy.ts';
import type { RawHeaders } from '../../http/exchange.ts';
import type { WireRequest } from '../../http/wire/connection.ts';
import { Call, type CallHouse } from './call.ts';
import { Directory } from './directory.ts';
import { Counts } from './outcome.ts';
import { Silence } from './silence.ts';
import { WaitingRoom } from './waiting-room.ts';

export type UpstreamFault = Extract<
  FaultCode,
  | 'NO_ENDPOINT'
  | 'UPSTREAM_REFUSED'
  | 'UPSTREAM_CLOSED'
  | 'UPSTREAM_INVALID'
  | 'UPSTREAM_CONNECT_TIMEOUT'
  | 'UPSTREAM_TIMEOUT'
  | 'INTERNAL'
>;

/** Tells one call in order: onInform*, onHead, onData*, onEnd — or onFault at any point. One of onEnd, onFault is last. */
export interface CallConsumer {
  /**
   * The way is open: send the body now, by `call.write` and `call.end`. Once at most, and only when the body was not given
   * whole with `start`. Not called before a connection stands, so that an unread body survives a refusing endpoint.
   */
  onSendBody(): void;
  /** The peer has taken what `call.write` answered with false. */
  onDrain(): void;
  /** A 1xx other than 101. */
  onInform(status: number, headers: RawHeaders): void;
  /** As received, framing and hop-by-hop fields included. `length`: body bytes to come, null when unknown. */
  onHead(status: number, reason: string, headers: RawHeaders, length: number | null): void;
  /** The chunk is the consumer's to keep. */
  onData(chunk: Buffer): void;
  /** Complete. May come before the request's body was wholly sent: what is left of it need not be read. */
  onEnd(): void;
  /** `began`: onHead had been called, so the response is cut and can only be aborted. */
  onFault(code: UpstreamFault, began: boolean): void;
}

export interface UpstreamCall {
  /** The endpoint that has the request, '' while none has. For the log. */
  readonly address: string;
  /** Connections tried so far. */
  readonly attempts: number;
  /** How long it has waited for an endpoint that can take it. Ms; 0 when it did not. */
  readonly waitedMs: number;
  /** @param body the whole body, when it is at hand: goes out in the head's write and makes a retry possible */
  start(body?: Buffer): void;
  /** After onSendBody. @returns false when the peer lags: wait for `consumer.onDrain`. No-op once the call is over. */
  write(chunk: Buffer): boolean;
  /** The body is complete. */
  end(): void;
  /** Backpressure: stops and starts reading the response. A pause does not count as the peer's silence. */
  pause(): void;
  resume(): void;
  /** Longest silence of the peer from now on, ms; 0: none (event streams). Starts as `timeouts.responseMs` of the configuration. */
  setResponseMs(ms: number): void;
  /** The client has gone: closes the connection at once; the consumer hears nothing more. Twice is safe, after the end too. */
  cancel(): void;
}

export interface UpstreamCounters {
  /** Attempts by how they ended. */
  readonly attempts: Readonly<
    Record<'ok' | 'refused' | 'connectTimeout' | 'closed' | 'invalid' | 'timeout' | 'cancelled', number>
  >;
  /** Requests sent again: `reused`: a kept connection turned out dead; `fresh`: a new one died before a byte of the answer. */
  readonly retried: { readonly reused: number; readonly fresh: number };
  /** Requests waiting for an endpoint now, and since the start; `expired` waited in vain. */
  readonly held: { readonly now: number; readonly total: number; readonly expired: number };
}

/** Bounds that do not come from the configuration document. */
export interface UpstreamSettings {
  /** How long a kept connection may idle. Must be shorter than the worker's own limit. */
  readonly idleMs: number;
  /** Kept idle connections per endpoint. */
  readonly maxIdle: number;
  /** How long a request may wait for an endpoint to come (back); 0: not at all. */
  readonly holdMs: number;
  /** How many requests may wait so at once. */
  readonly maxHeld: number;
}

/** Our worker keeps idle connections for longer than `idleMs`; as many may wait as the front door lets in. */
const DEFAULTS: UpstreamSettings = { idleMs: 30_000, maxIdle: 256, holdMs: 10_000, maxHeld: 10_000 };

/** The timeouts of the configuration that concern the upstream side. */
type UpstreamConfig = Pick<ProxyConfig, 'groups'> & {
  readonly timeouts: Pick<ProxyConfig['timeouts'], 'connectMs' | 'responseMs'>;
};

export class Upstreams {
  readonly #house: CallHouse & { connectMs: number; responseMs: number };
  readonly #idleMs: number;
  #trimmer: NodeJS.Timeout | null = null;

  /** @param random a number in [0, 1) */
  constructor(settings: Partial<UpstreamSettings> = {}, random: () => number = Math.random) {
    const { idleMs, maxIdle, holdMs, maxHeld } = { ...DEFAULTS, ...settings };
    const directory = new Directory({ idleMs, maxIdle }, random);
    const room = new WaitingRoom(directory, holdMs, maxHeld);
    directory.onEligible = () => room.release();
    this.#house = {
      directory,
      room,
      silence: new Silence(),
      counts: new Counts(),
      connectMs: 5_000,
      responseMs: 60_000,
    };
    this.#idleMs = idleMs;
  }

  /**
   * Takes endpoints and timeouts in place: kept endpoints keep their connections, removed ones finish what they have, and
   * requests that wait for an endpoint go to the new ones.
   * @throws AddressError when an address is none; nothing has changed then
   */
  configure(config: UpstreamConfig): void {
    const { connectMs, responseMs } = config.timeouts;
    this.#house.directory.configure(config.groups, connectMs);
    this.#house.connectMs = connectMs;
    this.#house.responseMs = responseMs;
    this.#trimmer ??= setInterval(() => this.#house.directory.trim(performance.now()), this.#idleMs / 4).unref();
  }

  /** `request.length` undefined: no body. `headers`: Host included, no hop-by-hop and no framing field. */
  call(request: WireRequest, consumer: CallConsumer): UpstreamCall {
    return new Call(this.#house, request, consumer);
  }

  /** For those who carry their own connection (upgrades): an endpoint's address by the same choice, undefined when none is there. */
  pick(): string | undefined {
    const { directory } = this.#house;
    return (directory.choose(null) ?? directory.chooseUnreachable())?.address;
  }

  get counters(): UpstreamCounters {
    const { counts, room } = this.#house;
    return {
      attempts: counts.attempts,
      retried: counts.retried,
      held: { now: room.size, total: room.total, expired: room.expired },
    };
  }

  /** Requests that wait for an endpoint now; `oldestMs`: how long the first of them has. */
  queue(): { length: number; max: number; oldestMs: number } {
    const { room } = this.#house;
    return { length: room.size, max: room.max, oldestMs: room.oldestMs(performance.now()) };
  }

  /** Requests handed to `start` and not over. */
  get inFlight(): number {
    return this.#house.counts.inFlight;
  }

  status(): ProxyStatus['groups'] {
    return this.#house.directory.status();
  }

  /** Closes idle connections and timers, and answers who still waits for an endpoint; what is in flight finishes. Twice is safe. */
  close(): void {
    if (this.#trimmer !== null) clearInterval(this.#trimmer);
    this.#trimmer = null;
    this.#house.directory.close();
    this.#house.room.close();
  }
}
