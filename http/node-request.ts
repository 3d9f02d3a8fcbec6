// Node's request object, made lean: what the front door adds to it for its own way through.
import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type GuardedRequest, guardRequest } from './guard.ts';
import type { NodeExchange } from './node-exchange.ts';

export class DoorRequest extends IncomingMessage {
  exchange: NodeExchange | null = null;
  /** From here on `headers` holds all fields, as http-proxy and others expect. */
  released = false;
  #judged: GuardedRequest | null = null;

  /** What the guard says of this head; asked as soon as the head is there, judged once. */
  get judged(): GuardedRequest {
    this.#judged ??= guardRequest(this.method ?? '', this.url ?? '', this.httpVersion, this.rawHeaders);
    return this.#judged;
  }
}

const allHeaders = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers')?.get;
const WITH_BODY: IncomingHttpHeaders = Object.freeze({ 'content-length': '' });
const WITHOUT_BODY: IncomingHttpHeaders = Object.freeze({});

// Node reads four names from `headers` of each request (host, expect, te, and whether there is a body) and builds an object of
// all fields for it, which costs more than the guard. Host and Expect are the guard's business here, so Node is told of the
// body only. TypeScript knows `headers` as a property, so the accessor is put in place here.
Object.defineProperty(DoorRequest.prototype, 'headers', {
  get(this: DoorRequest): IncomingHttpHeaders {
    if (this.released) return allHeaders?.call(this);
    return this.judged.length === 0 ? WITHOUT_BODY : WITH_BODY;
  },
});
