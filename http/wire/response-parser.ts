// One response after another from the octets of a connection. Strict, incremental, without effects but the consumer's
// callbacks; where the octets come from and when a connection ends is http1-connection.ts.
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { ResponseConsumer } from './connection.ts';
import { HeadScanner, INVALID, MORE } from './head-scanner.ts';
import { ResponseHead } from './response-head.ts';

export interface ParserLimits {
  /** Longest head, status line included; each 1xx counts for itself. */
  readonly headBytes: number;
  readonly headFields: number;
}

/** Interim responses before the final one. Nobody sends more than two or three; without a bound they never time out. */
const MAX_INFORMS = 32;

/** more: the response goes on. done: it has ended at `position`. upgrade: 101. stopped: by `stop`, within a callback. */
export type ParserAnswer = 'more' | 'done' | 'upgrade' | 'invalid' | 'stopped';

type Phase = 'head' | 'length' | 'chunked' | 'close' | 'over';

export class ResponseParser {
  /** Where the last `feed` has stopped: for 'done' and 'upgrade' the first octet behind the message. */
  position = 0;
  /** Whether any octet of a response has come. */
  began = false;
  readonly #scanner: HeadScanner;
  readonly #head = new ResponseHead();
  /** Made by the first chunked response. */
  #chunked: ChunkedDecoder | null = null;
  #phase: Phase = 'over';
  #stopped = true;
  #method = '';
  #wantsUpgrade = false;
  #consumer: ResponseConsumer | null = null;
  /** Body octets still to come, for phase 'length'. */
  #left = 0;
  #informs = 0;

  constructor(limits: ParserLimits) {
    this.#scanner = new HeadScanner(true, limits.headBytes, limits.headFields);
  }

  /** Expects the response to a request of `method`. */
  begin(method: string, wantsUpgrade: boolean, consumer: ResponseConsumer): void {
    this.#method = method;
    this.#wantsUpgrade = wantsUpgrade;
    this.#consumer = consumer;
    this.#phase = 'head';
    this.#stopped = false;
    this.#informs = 0;
    this.began = false;
    this.#scanner.reset();
  }

  /** The consumer is not called again. May be called by the consumer. */
  stop(): void {
    this.#stopped = true;
    this.#consumer = null;
  }

  /** Whether the connection may be used again after 'done'. */
  get persistent(): boolean {
    return this.#head.persistent;
  }

  /** The fields of the last head: of the 101, after 'upgrade'. */
  get headers(): readonly string[] {
    return this.#head.headers;
  }

  /**
   * Reads `bytes` from `from` to `end`; may change what it has read. What it hands on is copied, so that `bytes` may be the
   * buffer of the next read.
   */
  feed(bytes: Buffer, from: number, end: number): ParserAnswer {
    this.position = from;
    if (end > from) this.began = true;
    while (this.position < end) {
      const answer = this.#step(bytes, end);
      if (this.#stopped) return 'stopped';
      if (answer !== 'more') return answer;
    }
    return 'more';
  }

  /** The peer has ended its side. @returns whether that ends the response properly: only a body until close (RFC 9112 §8) */
  endOfInput(): boolean {
    return this.#phase === 'close' && !this.#stopped;
  }

  #step(bytes: Buffer, end: number): ParserAnswer {
    switch (this.#phase) {
      case 'head':
        return this.#readHead(bytes, end);
      case 'length':
        return this.#readLength(bytes, end);
      case 'chunked':
        return this.#readChunked(bytes, end);
      case 'close':
        this.#deliver(bytes, this.position, end);
        this.position = end;
        return 'more';
      case 'over':
        return 'invalid';
    }
  }

  #readHead(bytes: Buffer, end: number): ParserAnswer {
    const after = this.#scanner.scan(bytes, this.position, end);
    if (after === INVALID) return 'invalid';
    this.position = after === MORE ? end : after;
    if (after === MORE) return 'more';
    if (!this.#head.read(this.#scanner, this.#method)) return 'invalid';
    this.#scanner.reset();
    return this.#head.status < 200 ? this.#inform() : this.#beginBody();
  }

  #inform(): ParserAnswer {
    const { status, headers } = this.#head;
    if (status === 101) {
      this.#phase = 'over';
      return this.#wantsUpgrade ? 'upgrade' : 'invalid';
    }
    if (++this.#informs > MAX_INFORMS) return 'invalid';
    this.#consumer?.onInform(status, headers);
    return 'more';
  }

  #beginBody(): ParserAnswer {
    const { framing, status, reason, headers, length } = this.#head;
    this.#phase = framing === 'none' ? 'over' : framing;
    this.#left = length;
    if (framing === 'chunked') this.#decoder().reset();
    this.#consumer?.onHead(status, reason, headers, framing === 'chunked' || framing === 'close' ? null : length);
    return framing === 'none' ? 'done' : 'more';
  }

  #decoder(): ChunkedDecoder {
    this.#chunked ??= new ChunkedDecoder();
    return this.#chunked;
  }

  #readLength(bytes: Buffer, end: number): ParserAnswer {
    const start = this.position;
    const taken = Math.min(this.#left, end - start);
    this.#left -= taken;
    this.position = start + taken;
    if (this.#left === 0) this.#phase = 'over';
    this.#deliver(bytes, start, start + taken);
    return this.#left === 0 ? 'done' : 'more';
  }

  #readChunked(bytes: Buffer, end: number): ParserAnswer {
    const decoder = this.#decoder();
    const after = decoder.decode(bytes, this.position, end);
    this.position = after < 0 ? end : after;
    if (after >= 0) this.#phase = 'over';
    if (decoder.payloadEnd > decoder.payloadStart) this.#deliver(bytes, decoder.payloadStart, decoder.payloadEnd);
    if (after >= 0) return 'done';
    return after === MORE ? 'more' : 'invalid';
  }

  #deliver(bytes: Buffer, start: number, end: number): void {
    const chunk = Buffer.allocUnsafe(end - start);
    bytes.copy(chunk, 0, start, end);
    this.#consumer?.onData(chunk);
  }
}
