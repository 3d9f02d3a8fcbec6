// One request and its response, as every handler of worker and proxy sees them. No handler sees Node's own objects, so that
// another front (HTTP/2, our own HTTP/1.1) can come in under this interface. Plain calls, no promises, no events: this is the
// hot path. An exchange tells its story in order: body callbacks, then `start`, `write`…, `end` (or `respond` for all at once),
// then `onClose` once.
import type { FaultCode } from '../core/errors.ts';

/** Header fields as they came or shall go: name, value, name, value, … Names keep their case; order and repeats are kept. */
export type RawHeaders = readonly string[];

export interface Peer {
  /** IP address; '' over a Unix socket. */
  readonly address: string;
  /** 0 over a Unix socket. */
  readonly port: number;
  /** Whether the connection is TLS. */
  readonly encrypted: boolean;
  /** The address and port that were connected to; '' and 0 over a Unix socket. */
  readonly localAddress: string;
  readonly localPort: number;
}

export interface BodyConsumer {
  onData(chunk: Buffer): void;
  /** The body is complete. Nothing follows. */
  onEnd(): void;
  /** The body cannot be completed: too large, too slow, client gone. Nothing follows. The exchange has been answered. */
  onError(code: FaultCode | 'CLIENT_GONE'): void;
}

/** The request's body. It does not flow, and a 100-continue is not sent, until `read` is called. */
export interface RequestBody {
  /** From Content-Length; 0 when there is no body; null when it is chunked. */
  readonly length: number | null;
  /** At most once. For a body of length 0, `onEnd` is called before `read` returns. */
  read(consumer: BodyConsumer): void;
  pause(): void;
  resume(): void;
  /**
   * Lowers or raises the limit for this request, before `read`. Bytes. A Content-Length above it is refused by `read`, or when
   * the handler returns with the exchange still open.
   */
  limit(bytes: number): void;
}

/** What a client reads about a fault, where a sentence of text is not enough. */
export interface FaultAnswer {
  readonly headers: RawHeaders;
  readonly body: Buffer | string;
}

export interface Exchange {
  /** Upper-case token. */
  readonly method: string;
  /** Origin-form (`/path?query`), or `*` for OPTIONS. An absolute-form target has been split: its authority is `host`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  /** Passed the guard; names with `_` have been dropped. Host is here too, as `host` says it. */
  readonly headers: RawHeaders;
  /** The authority asked for, '' when HTTP/1.0 gave none. */
  readonly host: string;
  readonly peer: Peer;
  readonly body: RequestBody;
  /** `performance.now()` when the head had arrived. */
  readonly startedAt: number;
  /** Set by the proxy's first handler, or taken from the proxy's X-Request-Id by the worker; '' before. */
  requestId: string;

  /** First value of the header, by lower-case name. */
  header(name: string): string | undefined;

  /** Status that was sent; 0 before. */
  readonly status: number;
  /** Body bytes handed to the connection. */
  readonly bytesSent: number;
  /** The fault that was answered, if one was. */
  readonly fault: FaultCode | null;
  /** What was said about it, for logs; not sent. */
  readonly faultDetail?: string;
  /** 'open': no answer begun. 'responding': head sent. 'done': `end` was called. 'gone': the connection is lost. */
  readonly state: 'open' | 'responding' | 'done' | 'gone';

  /** Sends a 1xx head, such as 103 Early Hints. Ignored for HTTP/1.0. */
  inform(status: number, headers: RawHeaders): void;
  /**
   * The whole response at once, in one write. Content-Length is set from `body` unless `headers` hold one (HEAD).
   * `headers` hold no hop-by-hop field; Date and Connection are added. No-op unless 'open'. What is not valid HTTP (a status
   * below 200, a line end in a value, …) is not sent: the request fails with RESPONSE_INVALID. So for `start`.
   */
  respond(status: number, headers: RawHeaders, body?: Buffer | string): void;
  /** Begins a response whose body comes by `write`. Without Content-Length in `headers` it is chunked (1.1) or until close (1.0). */
  start(status: number, headers: RawHeaders, reason?: string): void;
  /** @returns false when the client lags: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  end(): void;
  /** The response cannot be completed: closes the connection without a proper end, so that the client sees it is cut. */
  abort(): void;
  /**
   * Answers with the fault's status and a short text body, closes the connection where the request's framing is lost or its
   * body unread, and counts it under `code`. When a response has begun it aborts.
   * @param answer instead of the short text: all header fields, the request id's included, and the body
   */
  fail(code: FaultCode, detail?: string, answer?: FaultAnswer): void;

  /** Called when the client has taken what was written. */
  onDrain: (() => void) | null;
  /** Called once: the response has been handed over in full, or (`state` 'gone') the client left first. */
  onClose: (() => void) | null;
}

/** A request to leave HTTP on this connection (WebSocket). Raw on purpose: http-proxy and sockets need Node's objects. */
export interface UpgradeExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly host: string;
  readonly peer: Peer;
  readonly request: import('node:http').IncomingMessage;
  readonly socket: import('node:net').Socket;
  /** Bytes that came behind the head. */
  readonly head: Buffer;
  requestId: string;
  /** Answers with the fault's status and closes. */
  fail(code: FaultCode, detail?: string): void;
}

export type Handler = (exchange: Exchange) => void;
export type UpgradeHandler = (exchange: UpgradeExchange) => void;
