// The one place where bytes cross: an exchange with a client on one side, a call to a worker on the other. Streams both ways,
// each side held back by the other; whatever happens to one side ends the other. Decides nothing about endpoints or retries.
import type { Clock } from '../core/clock.ts';
import type { FaultCode } from '../core/errors.ts';
import type { BodyConsumer, Exchange, Handler, RawHeaders } from '../http/exchange.ts';
import { requestTraceOf } from './handlers/tracing.ts';
import { isEventStream, makeClientHeaders, makeInformHeaders, makeUpstreamHeaders } from './message-headers.ts';
import { setTrace, type Trace } from './trace.ts';
import type { CallConsumer, UpstreamCall, UpstreamFault, Upstreams } from './upstream/client.ts';

/** A request body up to this size is collected first: no worker waits for a slow client, and a retry has it at hand. Bytes. */
const COLLECT_BYTES = 64 * 1024;
/** A response of known length up to this size waits for its body, and goes out in one write. Bytes. */
const AT_ONCE_BYTES = 64 * 1024;

export interface ForwardOptions {
  readonly clock: Clock;
  /** Largest request body. A longer one that says so is refused before any worker hears of it; others by the exchange. */
  readonly bodyBytes: number;
}

export function makeForward(upstreams: Upstreams, { clock, bodyBytes }: ForwardOptions): Handler {
  return (exchange) => {
    if (exchange.state !== 'open') return;
    const { length } = exchange.body;
    if (length !== null && length > bodyBytes) exchange.fail('BODY_TOO_LARGE');
    else new Forwarding(exchange, upstreams, clock).start();
  };
}

/** One exchange and its call. */
class Forwarding implements CallConsumer, Trace {
  readonly #exchange: Exchange;
  readonly #call: UpstreamCall;
  readonly #clock: Clock;
  sentAt = 0;
  upstreamMs = -1;
  /** Nothing is to be done any more when one side tells of its end. */
  #over = false;
  /** Head of a short response, until its body is there. */
  #held: RawHeaders | null = null;
  #heldStatus = 0;
  #heldLength = 0;

  constructor(exchange: Exchange, upstreams: Upstreams, clock: Clock) {
    this.#exchange = exchange;
    this.#clock = clock;
    setTrace(exchange, this);
    const { method, target, host, peer, requestId } = exchange;
    const headers = makeUpstreamHeaders(exchange.headers, host, peer, requestId, requestTraceOf(exchange));
    this.#call = upstreams.call({ method, target, headers, length: framingOf(method, exchange.body.length) }, this);
  }

  get address(): string {
    return this.#call.address;
  }

  get queuedMs(): number {
    return this.#call.waitedMs;
  }

  get attempts(): number {
    return this.#call.attempts;
  }

  start(): void {
    const { body } = this.#exchange;
    const outer = this.#exchange.onClose;
    this.#exchange.onClose = () => {
      this.#cancel();
      outer?.();
    };
    const { length } = body;
    if (length !== null && length > 0 && length <= COLLECT_BYTES) body.read(new Collection(this, length));
    else this.#send(undefined);
  }

  onCollected(body: Buffer): void {
    if (!this.#over) this.#send(body);
  }

  #send(body: Buffer | undefined): void {
    this.sentAt = this.#clock.now();
    this.#call.start(body);
  }

  onSendBody(): void {
    this.#exchange.body.read(new Upload(this, this.#exchange, this.#call));
  }

  onDrain(): void {
    this.#exchange.body.resume();
  }

  /** The exchange has been answered for it. */
  onBodyError(_code: FaultCode | 'CLIENT_GONE'): void {
    this.#cancel();
  }

  onInform(status: number, headers: RawHeaders): void {
    // The front door sends its own 100 when the body is asked for.
    if (status !== 100) this.#exchange.inform(status, makeInformHeaders(headers));
  }

  onHead(status: number, _reason: string, received: RawHeaders, length: number | null): void {
    this.upstreamMs = this.#clock.now() - this.sentAt;
    const headers = makeClientHeaders(received, this.#exchange.requestId);
    if (length !== null && length <= AT_ONCE_BYTES) {
      this.#held = headers;
      this.#heldStatus = status;
      this.#heldLength = length;
      return;
    }
    // Between two events an hour may pass.
    if (length === null && isEventStream(headers)) this.#call.setResponseMs(0);
    this.#begin(status, headers);
  }

  onData(chunk: Buffer): void {
    if (this.#held !== null && chunk.length === this.#heldLength) this.#respond(this.#held, chunk);
    else this.#pass(chunk);
  }

  onEnd(): void {
    if (this.#held !== null) this.#respond(this.#held, undefined);
    if (this.#over) return;
    this.#over = true;
    this.#exchange.end();
  }

  onFault(code: UpstreamFault): void {
    if (this.#over) return;
    this.#over = true;
    this.#exchange.fail(code);
  }

  #pass(chunk: Buffer): void {
    if (this.#held !== null) this.#begin(this.#heldStatus, this.#held);
    if (!this.#exchange.write(chunk)) this.#call.pause();
  }

  #begin(status: number, headers: RawHeaders): void {
    this.#held = null;
    this.#exchange.onDrain = () => this.#call.resume();
    this.#exchange.start(status, headers);
  }

  /** Over before the call's own end: the exchange's `onClose` must not take the connection from the pool. */
  #respond(headers: RawHeaders, body: Buffer | undefined): void {
    this.#held = null;
    this.#over = true;
    this.#exchange.respond(this.#heldStatus, headers, body);
  }

  #cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.cancel();
  }
}

/** A request body that goes out piece by piece. */
class Upload implements BodyConsumer {
  readonly #owner: Forwarding;
  readonly #exchange: Exchange;
  readonly #call: UpstreamCall;

  constructor(owner: Forwarding, exchange: Exchange, call: UpstreamCall) {
    this.#owner = owner;
    this.#exchange = exchange;
    this.#call = call;
  }

  onData(chunk: Buffer): void {
    if (!this.#call.write(chunk)) this.#exchange.body.pause();
  }

  onEnd(): void {
    this.#call.end();
  }

  onError(code: FaultCode | 'CLIENT_GONE'): void {
    this.#owner.onBodyError(code);
  }
}

/** A short request body, until it is whole. */
class Collection implements BodyConsumer {
  readonly #owner: Forwarding;
  readonly #length: number;
  readonly #chunks: Buffer[] = [];

  constructor(owner: Forwarding, length: number) {
    this.#owner = owner;
    this.#length = length;
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onEnd(): void {
    const [only] = this.#chunks;
    const whole = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#length);
    this.#owner.onCollected(whole);
  }

  onError(code: FaultCode | 'CLIENT_GONE'): void {
    this.#owner.onBodyError(code);
  }
}

/** RFC 9110 §8.6: a method that anticipates a body says so even when it is empty; the others stay silent. */
function framingOf(method: string, length: number | null): number | null | undefined {
  if (length !== 0) return length;
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 0 : undefined;
}
