// One HTTP/1.1 connection over a socket: writes requests, reads responses, one exchange at a time. Owns the socket until it is
// destroyed or upgraded. All that is heard after the last callback of an exchange is ignored or ends the connection.
import { connect, type Socket } from 'node:net';
import type { ListenAddress } from '../address.ts';
import type { RawHeaders } from '../exchange.ts';
import type { ResponseConsumer, WireConnection, WireError, WireRequest } from './connection.ts';
import { hearLastWords } from './last-words.ts';
import { asksForUpgrade, makeRequestHead } from './request-head.ts';
import { type ParserLimits, ResponseParser } from './response-parser.ts';

export interface WireOptions {
  /** Until the connection stands, milliseconds. */
  readonly connectMs: number;
  /** Longest response head, bytes. Default 64 KiB. */
  readonly headBytes?: number;
  /** Most fields of a response head. Default 256. */
  readonly headFields?: number;
}

const HEAD_BYTES = 64 * 1024;
const HEAD_FIELDS = 256;

/**
 * Every read of every connection lands here: reads are handled one at a time, and whatever outlives its handling is copied.
 * One buffer of 64 KiB for the process instead of one for each read.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** Up to this size head and body are joined into one buffer; beyond, two buffers go out in one writev without a copy. */
const JOIN_BYTES = 16 * 1024;

/** Where the peer finds a dead host while nothing flows, milliseconds. */
const KEEP_ALIVE_DELAY_MS = 30_000;

const CRLF = Buffer.from('\r\n');
const LAST_CHUNK = '0\r\n\r\n';

/**
 * Begins to connect; never throws. A request may be sent at once: it waits for the connection. Without a request, a failure to
 * connect is told by `onIdleClose`.
 */
export function connectWire(address: ListenAddress, options: WireOptions): WireConnection {
  return new Http1Connection(address, options);
}

class Http1Connection implements WireConnection {
  exchanges = 0;
  bytesWritten = 0;
  idleSince: number;
  connected = false;
  onConnect: (() => void) | null = null;
  onDrain: (() => void) | null = null;
  onIdleClose: (() => void) | null = null;
  readonly #socket: Socket;
  readonly #parser: ResponseParser;
  readonly #connectTimer: NodeJS.Timeout;
  #consumer: ResponseConsumer | null = null;
  #closed = false;
  #upgraded = false;
  /** Body octets that the present request still owes, -1: chunked and not ended. 0: the request is complete. */
  #owed = 0;

  constructor(address: ListenAddress, options: WireOptions) {
    const limits: ParserLimits = {
      headBytes: options.headBytes ?? HEAD_BYTES,
      headFields: options.headFields ?? HEAD_FIELDS,
    };
    this.#parser = new ResponseParser(limits);
    this.idleSince = performance.now();
    const onread = { buffer: READ_BUFFER, callback: (bytes: number) => this.#read(bytes) };
    this.#socket = connect({
      ...address,
      onread,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    });
    hearLastWords(this.#socket);
    this.#socket.on('connect', () => this.#established());
    this.#socket.on('drain', () => this.onDrain?.());
    this.#socket.on('end', () => this.#endOfInput());
    this.#socket.on('error', () => this.#broken(this.connected ? 'CLOSED' : 'REFUSED'));
    this.#socket.on('close', () => this.#broken(this.connected ? 'CLOSED' : 'REFUSED'));
    this.#connectTimer = setTimeout(() => this.#broken('CONNECT_TIMEOUT'), options.connectMs);
  }

  get usable(): boolean {
    return !this.#closed && this.#consumer === null;
  }

  send(request: WireRequest, consumer: ResponseConsumer, body?: Buffer): void {
    if (this.#consumer !== null) throw new Error('One exchange at a time: the connection is busy.');
    this.bytesWritten = 0;
    if (this.#closed) {
      consumer.onError('CLOSED', false);
      return;
    }
    const head = makeRequestHead(request);
    this.exchanges++;
    this.#consumer = consumer;
    this.#owed = request.length === null ? -1 : (request.length ?? 0);
    this.#parser.begin(request.method, asksForUpgrade(request.headers), consumer);
    if (body === undefined) this.#writeFirst(head);
    else this.#writeWhole(head, body);
  }

  write(chunk: Buffer): boolean {
    if (this.#consumer === null || chunk.length === 0) return true;
    // Broken, and told in the next turn: this chunk will not be seen.
    if (this.#socket.errored !== null) return false;
    if (this.#owed >= 0) {
      // More than was announced would be read as the next request.
      if (chunk.length > this.#owed) return this.#breakOff();
      this.#owed -= chunk.length;
      this.bytesWritten += chunk.length;
      return this.#socket.write(chunk);
    }
    return this.#writeChunk(chunk);
  }

  end(): void {
    if (this.#consumer === null || this.#owed === 0 || this.#socket.errored !== null) return;
    if (this.#owed > 0) {
      this.#breakOff();
      return;
    }
    this.#owed = 0;
    this.bytesWritten += LAST_CHUNK.length;
    this.#socket.write(LAST_CHUNK, 'latin1');
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#consumer = null;
    this.#close();
  }

  /** Head alone, or with a body that is whole: the first write of an exchange. */
  #writeFirst(head: string): void {
    this.bytesWritten = head.length;
    this.#socket.write(head, 'latin1');
    this.#noteRefusedWrite();
  }

  #writeWhole(head: string, body: Buffer): void {
    if (this.#owed < 0) {
      this.#socket.cork();
      this.#writeFirst(head);
      this.write(body);
      this.end();
      this.#socket.uncork();
      this.#noteRefusedWrite();
      return;
    }
    if (body.length !== this.#owed) {
      this.#breakOff();
      return;
    }
    this.#owed = 0;
    this.bytesWritten = head.length + body.length;
    if (this.bytesWritten <= JOIN_BYTES) {
      const joined = Buffer.allocUnsafe(this.bytesWritten);
      joined.write(head, 0, 'latin1');
      body.copy(joined, head.length);
      this.#socket.write(joined);
    } else {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    }
    this.#noteRefusedWrite();
  }

  /**
   * A first write that fails at once has handed nothing to the kernel: the peer had closed, and cannot have seen any of it.
   * (A failure that shows later says nothing of the kind.)
   */
  #noteRefusedWrite(): void {
    if (this.#socket.errored !== null) this.bytesWritten = 0;
  }

  #writeChunk(chunk: Buffer): boolean {
    const size = `${chunk.length.toString(16)}\r\n`;
    const bytes = size.length + chunk.length + CRLF.length;
    this.bytesWritten += bytes;
    if (bytes <= JOIN_BYTES) {
      const joined = Buffer.allocUnsafe(bytes);
      joined.write(size, 0, 'latin1');
      chunk.copy(joined, size.length);
      CRLF.copy(joined, bytes - CRLF.length);
      return this.#socket.write(joined);
    }
    this.#socket.cork();
    this.#socket.write(size, 'latin1');
    this.#socket.write(chunk);
    const takesMore = this.#socket.write(CRLF);
    this.#socket.uncork();
    return takesMore;
  }

  /** The caller's body does not fit its announced length: the request cannot be completed and nothing may follow it. */
  #breakOff(): false {
    this.#broken('CLOSED');
    return false;
  }

  #established(): void {
    clearTimeout(this.#connectTimer);
    if (this.#closed) return;
    this.connected = true;
    this.onConnect?.();
  }

  /** @returns false to stop reading: the socket's own protocol for `onread` */
  #read(bytes: number): boolean {
    if (this.#upgraded) return this.#socket.push(copyOf(READ_BUFFER, 0, bytes));
    if (this.#closed) return false;
    if (this.#consumer === null) {
      // Nobody asked: the answer to no request must never become the answer to the next one.
      this.#broken('INVALID');
      return false;
    }
    switch (this.#parser.feed(READ_BUFFER, 0, bytes)) {
      case 'done':
        this.#finish(this.#parser.position < bytes);
        break;
      case 'invalid':
        this.#broken('INVALID');
        break;
      case 'upgrade':
        this.#upgrade(copyOf(READ_BUFFER, this.#parser.position, bytes));
        break;
    }
    return !this.#closed;
  }

  /** @param excess whether octets came behind the response: then nothing that follows can be trusted */
  #finish(excess: boolean): void {
    const consumer = this.#consumer;
    const reusable = this.#parser.persistent && !excess && this.#owed === 0 && this.#socket.errored === null;
    this.#consumer = null;
    if (reusable) {
      this.idleSince = performance.now();
      if (this.#socket.isPaused()) this.#socket.resume();
    } else {
      this.#close();
    }
    consumer?.onEnd(reusable);
  }

  #endOfInput(): void {
    if (this.#consumer !== null && this.#parser.endOfInput()) this.#finish(true);
    else this.#broken('CLOSED');
  }

  /** The connection is of no more use: tells whoever waits on it, once. */
  #broken(error: WireError): void {
    if (this.#closed || this.#upgraded) return;
    const consumer = this.#consumer;
    this.#consumer = null;
    const began = this.#parser.began;
    this.#close();
    if (consumer !== null) consumer.onError(error, began);
    else this.onIdleClose?.();
  }

  #close(): void {
    if (this.#closed || this.#upgraded) return;
    this.#closed = true;
    clearTimeout(this.#connectTimer);
    this.#parser.stop();
    this.#socket.destroy();
  }

  #upgrade(rest: Buffer): void {
    const consumer = this.#consumer;
    const headers: RawHeaders = this.#parser.headers;
    this.#consumer = null;
    if (consumer?.onUpgrade === undefined) {
      this.#close();
      consumer?.onError('INVALID', true);
      return;
    }
    this.#upgraded = true;
    this.onDrain = null;
    consumer.onUpgrade(headers, this.#socket, rest);
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}
