// The front door of worker and proxy: takes connections, holds them to limits and deadlines, passes each request through the
// guard and hands it to the program as an `Exchange`. Used by worker/front and proxy/. Knows nothing of either.
import type { FaultCode } from '../core/errors.ts';
import type { LoggedExchange } from './access-log.ts';
import type { ListenAddress } from './address.ts';
import type { DoorCounters } from './door-metrics.ts';
import type { Exchange, Handler, UpgradeExchange, UpgradeHandler } from './exchange.ts';
import { Door } from './front-door.ts';

export type { ListenAddress } from './address.ts';

/** May be exchanged while running (`FrontDoor.configure`): applies from each connection's next request. Frozen. */
export interface DoorLimits {
  readonly bodyBytes: number;
  readonly headBytes: number;
  readonly connections: number;
  readonly requestHeadMs: number;
  /** Longest silence inside a request body. */
  readonly requestBodyMs: number;
  readonly idleMs: number;
  /** Longest time a client may take no byte of its response. */
  readonly sendMs: number;
}

export interface DoorOptions {
  readonly limits: DoorLimits;
  readonly onRequest: Handler;
  /** Absent: Upgrade is ignored and the request served as any other (RFC 9110 §7.8). */
  readonly onUpgrade?: UpgradeHandler;
  /** Asked for each request with Upgrade; false: as if `onUpgrade` were absent. */
  readonly takesUpgrade?: (headers: readonly string[]) => boolean;
  /** Each refusal, as it is answered. */
  readonly onFault?: (code: FaultCode) => void;
  /** Each answered request, refused ones too, for the access log: after the response, or the loss of the client, and `onClose`. */
  readonly onDone?: (exchange: Exchange) => void;
  /** What came was no request (`SYNTAX`, `HEAD_TIMEOUT`, …), and has been answered; for the access log. */
  readonly onRefused?: (record: LoggedExchange) => void;
  /** A handler threw; its request has been answered INTERNAL. Absent: thrown on, as an uncaught exception. */
  readonly onHandlerError?: (error: unknown, exchange: Exchange) => void;
}

export interface FrontDoor {
  /** The address in force: the port when 0 was asked for. */
  readonly address: ListenAddress;
  readonly openConnections: number;
  /** As many are let in at a time. */
  readonly maxConnections: number;
  readonly counters: Readonly<DoorCounters>;
  configure(limits: DoorLimits): void;
  /**
   * From now on each answer says `Connection: close`, while new connections are let in: clients go elsewhere by themselves, and what is still open when the drain
   * begins has long been quiet. A request that comes as its connection is closed for being quiet would be lost.
   */
  leave(): void;
  /**
   * Stops listening, answers what is in flight with `Connection: close`, closes connections that have been idle for a second,
   * and resolves when all are gone or `timeoutMs` has passed (then the rest is cut). Twice is safe: the earlier end counts.
   * @returns how many connections were cut in the middle of something
   */
  drain(timeoutMs: number): Promise<number>;
}

export type { Handler, UpgradeExchange, UpgradeHandler };

/** @throws AddressError (a CodedError 'ADDRESS_IN_USE' | 'ADDRESS_DENIED' | 'ADDRESS_INVALID') with a mend in its message */
export async function openFrontDoor(address: ListenAddress, options: DoorOptions): Promise<FrontDoor> {
  const door = new Door(options);
  await door.open(address);
  return door;
}
