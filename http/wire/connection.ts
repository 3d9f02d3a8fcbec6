// The client side of HTTP/1.1 on one socket (TCP or Unix): strict response framing (RFC 9112 §6), one exchange at a time,
// reusable after a clean end. Used by the proxy to reach workers, and by the worker to reach Node application processes.
// No pool and no retry here: those are the caller's policy.
import type { RawHeaders } from '../exchange.ts';

export { connectWire, type WireOptions } from './http1-connection.ts';

export type WireError =
  /** No connection could be made. Nothing was sent. */
  | 'REFUSED'
  /** Not connected in time. Nothing was sent. */
  | 'CONNECT_TIMEOUT'
  /** The peer closed or reset before the response was complete. */
  | 'CLOSED'
  /** What came is not a well-formed response. */
  | 'INVALID';

/** Tells one response in order: onInform*, onHead, onData*, onEnd — or onError at any point. One of onEnd, onError, onUpgrade is last. */
export interface ResponseConsumer {
  /** A 1xx other than 101. */
  onInform(status: number, headers: RawHeaders): void;
  /**
   * `headers` are as received, framing and hop-by-hop fields included. `length`: body octets to come, null when unknown
   * (chunked, until close); 0 for the answer to a HEAD, whatever its Content-Length.
   */
  onHead(status: number, reason: string, headers: RawHeaders, length: number | null): void;
  /** The chunk is the consumer's to keep. */
  onData(chunk: Buffer): void;
  /** `reusable`: the connection may carry another exchange. */
  onEnd(reusable: boolean): void;
  /** `began`: whether any byte of a response (a 1xx counts) had come. */
  onError(error: WireError, began: boolean): void;
  /** 101: the socket is the caller's from now on; `rest` came behind the head. Only when the request asked for an upgrade. */
  onUpgrade?(headers: RawHeaders, socket: import('node:net').Socket, rest: Buffer): void;
}

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  /** Complete, Host included, without framing fields: those are written from `length`. */
  readonly headers: RawHeaders;
  /** Content-Length; null: chunked; undefined: no body, no framing field. */
  readonly length: number | null | undefined;
}

export interface WireConnection {
  /** Exchanges begun on this connection. More than 0 before `send`: it is a reused one. */
  readonly exchanges: number;
  /** Bytes of the present request handed to the kernel or queued behind it; 0: a peer cannot have seen any of it. */
  readonly bytesWritten: number;
  /** Open and without an exchange. A connection that is being made counts: `send` waits for it. */
  readonly usable: boolean;
  /** The connection stands, or stood. */
  readonly connected: boolean;
  /** Called once when it stands; not when that fails. */
  onConnect: (() => void) | null;
  /** When it became idle, `performance.now()`. */
  readonly idleSince: number;
  /** Sends the head, with `body` in the same write when the body is whole already. */
  send(request: WireRequest, consumer: ResponseConsumer, body?: Buffer): void;
  /** @returns false when the peer lags: wait for `onDrain`. Framed as `length` demands. */
  write(chunk: Buffer): boolean;
  end(): void;
  onDrain: (() => void) | null;
  /** Stops and starts reading from the peer: backpressure towards it. What one read has brought is still told. */
  pause(): void;
  resume(): void;
  /** Idle and closed by the peer, or broken: the pool must forget it. */
  onIdleClose: (() => void) | null;
  /** Ends it now; the consumer hears nothing more. */
  destroy(): void;
}
