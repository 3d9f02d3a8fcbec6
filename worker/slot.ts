// How the front hands one whole request to one free place in an application process, whatever the runtime. Implemented by
// runtimes/wsgi (frames over a Unix socket) and runtimes/node (HTTP/1.1 over a Unix socket); used by front/dispatch only.
import type { Peer, RawHeaders } from '../http/exchange.ts';

/** A request whose body has wholly arrived. Can be sent again: nothing in it is consumed by sending. */
export interface BufferedRequest {
  readonly method: string;
  /** Origin-form, or `*`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly headers: RawHeaders;
  readonly host: string;
  readonly peer: Peer;
  /** 'http' or 'https' as the client used it, and its address: from the proxy's X-Forwarded-* when they are trusted. */
  readonly scheme: 'http' | 'https';
  readonly clientAddress: string;
  readonly bodyBytes: number;
  /** Whether the request had a body at all (Content-Length: 0 counts), so that CONTENT_LENGTH is set or not. */
  readonly hasBody: boolean;
  /** The body, in memory; null when it is in `bodyFile`. */
  readonly body: Buffer | null;
  /** Absolute path; the front deletes it after the exchange. */
  readonly bodyFile: string | null;
  /** Whether the process must say that it has taken the request before the application runs. */
  readonly wantAccept: boolean;
}

/** Tells one response in order; onEnd or onFailed is last. */
export interface SlotConsumer {
  /** The process has taken the request; the application begins. Only for `wantAccept`. */
  onAccepted(): void;
  onInform(status: number, headers: RawHeaders): void;
  onHead(status: number, reason: string, headers: RawHeaders): void;
  onData(chunk: Buffer): void;
  /** The whole response at once: the usual case of a small answer. Replaces onHead, onData and onEnd; the slot is free. */
  onWhole(status: number, reason: string, headers: RawHeaders, body: Buffer): void;
  /** Complete; the slot is free again. */
  onEnd(): void;
  /**
   * died: the connection to the process is gone. aborted: the application failed after its head; the process lives and the
   * slot is free. invalid: what came breaks the protocol; the process must be replaced.
   */
  onFailed(how: 'died' | 'aborted' | 'invalid', detail: string): void;
}

export interface Slot {
  /** Sends `request`; only when free. */
  send(request: BufferedRequest, consumer: SlotConsumer): void;
  /** The client has gone: the consumer hears nothing more except the end (onEnd or onFailed) that frees the slot. */
  cancel(): void;
  /** Backpressure: stop and start reading the response from the process. */
  pause(): void;
  resume(): void;
}

/** An application process as the dispatcher sees it. Implemented by the supervisor's handle. */
export interface AppProcess {
  readonly id: number;
  readonly pid: number;
  /** As status and metrics have it, from 1. */
  readonly place?: number;
  /** Slots in use. */
  readonly busy: number;
  /** Takes a free slot, or undefined. `release` must follow once, after onEnd or onFailed. */
  acquire(): Slot | undefined;
  release(slot: Slot): void;
  /** Only for runtimes that carry upgrades (node): connects to the application; resolves with a raw stream on its side. */
  connect?(): import('node:net').Socket;
  /** Open upgraded connections; a process with some is not the idlest. */
  upgraded: number;
}

/** What the front needs of the supervisor, and tells it. */
export interface ProcessPool {
  /** Ready processes that may take requests now. Order is not promised. The array is replaced, never changed. */
  readonly takers: readonly AppProcess[];
  /** Called when a process becomes ready or a slot is freed: the dispatcher serves its queue. Set by the dispatcher. */
  onFree: (() => void) | null;
  /** One request has been served by `process` (for maxRequests), or has been given up. */
  onServed(process: AppProcess): void;
  /** A request of `process` passed its deadline: it takes no more; neighbours finish; then it is killed; a replacement starts now. */
  onTimeout(process: AppProcess, request: BufferedRequest, ms: number): void;
  /** `process` broke the protocol, or its connection closed. */
  onBroken(process: AppProcess, detail: string): void;
}
