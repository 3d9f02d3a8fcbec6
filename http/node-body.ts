// The request body over Node's stream: held back until it is asked for, counted against its limit, told to one consumer.
import type { FaultCode } from '../core/errors.ts';
import type { BodyConsumer, RequestBody } from './exchange.ts';
import type { NodeExchange } from './node-exchange.ts';
import type { DoorRequest } from './node-request.ts';

export const NO_BODY: RequestBody = Object.freeze({
  length: 0,
  read: (consumer: BodyConsumer): void => consumer.onEnd(),
  pause: (): void => {},
  resume: (): void => {},
  limit: (): void => {},
});

export class NodeBody implements RequestBody {
  readonly length: number | null;
  /** Whether bytes are wanted now: not before `read`, not while paused, not after the end. */
  wanted = false;
  #asked = false;
  #received = 0;
  #limit: number;
  #consumer: BodyConsumer | null = null;
  readonly #exchange: NodeExchange;
  readonly #request: DoorRequest;

  constructor(exchange: NodeExchange, request: DoorRequest, length: number | null, limit: number) {
    this.length = length;
    this.#limit = limit;
    this.#exchange = exchange;
    this.#request = request;
  }

  /** Known to be too large before a byte of it is read. */
  get exceedsLimit(): boolean {
    return this.length !== null && this.length > this.#limit;
  }

  limit(bytes: number): void {
    if (!this.#asked) this.#limit = bytes;
  }

  read(consumer: BodyConsumer): void {
    if (this.#asked) throw new Error('A request body is read at most once.');
    this.#asked = true;
    if (this.#exchange.state === 'done' || this.#exchange.state === 'gone') {
      consumer.onError(this.#exchange.fault ?? 'CLIENT_GONE');
      return;
    }
    this.#consumer = consumer;
    if (this.exceedsLimit) this.refuse('BODY_TOO_LARGE');
    else this.#flow();
  }

  #flow(): void {
    this.#exchange.sendContinue();
    this.wanted = true;
    this.#request.on('data', onData);
    this.#request.on('end', onEnd);
  }

  take(chunk: Buffer): void {
    this.#received += chunk.length;
    this.#exchange.countReceived(chunk.length);
    if (this.#received > this.#limit) this.refuse('BODY_TOO_LARGE');
    else this.#consumer?.onData(chunk);
  }

  finish(): void {
    const consumer = this.#consumer;
    this.drop();
    consumer?.onEnd();
  }

  /** The body cannot be completed: answers, then tells the consumer. */
  refuse(code: FaultCode, detail?: string): void {
    const consumer = this.#consumer;
    this.#exchange.fail(code, detail);
    this.drop();
    consumer?.onError(code);
  }

  /** The client left. */
  lose(): void {
    const consumer = this.#consumer;
    this.drop();
    consumer?.onError('CLIENT_GONE');
  }

  /** Nobody wants the rest: it flows into nothing, so that the connection can be used or closed in order. */
  drop(): void {
    this.#consumer = null;
    this.wanted = false;
    if (this.#asked && !this.#request.readableEnded) this.#request.resume();
  }

  pause(): void {
    if (this.#consumer === null) return;
    this.wanted = false;
    this.#request.pause();
  }

  resume(): void {
    if (this.#consumer === null) return;
    this.wanted = true;
    this.#request.resume();
  }
}

function onData(this: DoorRequest, chunk: Buffer): void {
  this.exchange?.nodeBody?.take(chunk);
}

function onEnd(this: DoorRequest): void {
  this.exchange?.nodeBody?.finish();
}
