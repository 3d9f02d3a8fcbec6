// One free place in a Node application process: carries one request at a time over an HTTP/1.1 connection to the process's
// Unix socket. Made by node.ts, driven by front/dispatch through worker/slot.ts.
import { createReadStream, type ReadStream } from 'node:fs';
import type { RawHeaders } from '../../../http/exchange.ts';
import type { ResponseConsumer, WireConnection, WireError } from '../../../http/wire/connection.ts';
import type { BufferedRequest, Slot, SlotConsumer } from '../../slot.ts';
import type { Connections } from './connections.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { writePreface } from './preface.ts';

/** A response up to this size is handed over at once when it has arrived at once. Bytes. */
const WHOLE_BYTES = 64 * 1024;
/** A closed connection is the application's doing when the process has not ended so much later. */
const DEATH_NOTICE_MS = 250;
const PROCESSING = 102;
const NO_BODY = Buffer.alloc(0);

/** What a slot needs to know of its process. */
export interface SlotProcess {
  readonly connections: Connections;
  readonly prefaceStart: string;
  /** Whether the process has ended; `processGone` of its slots is called when it does. */
  readonly gone: boolean;
}

export class NodeSlot implements Slot, ResponseConsumer {
  readonly #process: SlotProcess;
  #request: BufferedRequest | null = null;
  #consumer: SlotConsumer | null = null;
  #wire: WireConnection | null = null;
  #file: ReadStream | null = null;
  #accepted = false;
  #retried = false;
  /** A head that waits for the end of its read: the whole response may come with it. */
  #held: { status: number; reason: string; headers: RawHeaders } | null = null;
  #heldBody: Buffer = NO_BODY;
  #obituary: NodeJS.Timeout | null = null;

  constructor(process: SlotProcess) {
    this.#process = process;
  }

  send(request: BufferedRequest, consumer: SlotConsumer): void {
    this.#request = request;
    this.#consumer = consumer;
    this.#accepted = false;
    this.#retried = false;
    this.#begin(request, this.#process.connections.take());
  }

  #begin(request: BufferedRequest, wire: WireConnection): void {
    this.#wire = wire;
    const head = {
      method: request.method,
      target: writePreface(this.#process.prefaceStart, {
        wantAccept: request.wantAccept,
        encrypted: request.scheme === 'https',
        port: request.peer.address === request.clientAddress ? request.peer.port : 0,
        address: request.clientAddress,
        target: request.target,
      }),
      headers: requestHeaders(request.headers),
      length: request.hasBody ? request.bodyBytes : undefined,
    };
    if (request.bodyFile === null) {
      wire.send(head, this, request.hasBody ? (request.body ?? NO_BODY) : undefined);
    } else {
      wire.send(head, this);
      this.#sendFile(request.bodyFile, wire);
    }
  }

  #sendFile(path: string, wire: WireConnection): void {
    const file = createReadStream(path);
    this.#file = file;
    file.on('data', (chunk) => {
      if (!wire.write(chunk as Buffer)) file.pause();
    });
    file.on('end', () => wire.end());
    file.on('error', (error) => {
      if (this.#file === file) this.#fail('aborted', `the request body could not be read: ${error.message}`);
    });
    wire.onDrain = () => file.resume();
  }

  cancel(): void {
    if (this.#consumer === null) return;
    const consumer = this.#detach();
    // Not from within the caller, who may be in the midst of telling its client's end.
    process.nextTick(() => consumer?.onFailed('aborted', 'the client has gone'));
  }

  pause(): void {
    this.#wire?.pause();
  }

  resume(): void {
    this.#wire?.resume();
  }

  /** The process has ended: a connection that closed before is explained now. */
  processGone(): void {
    if (this.#obituary !== null) this.#fail('died', 'the process ended');
  }

  onInform(status: number, headers: RawHeaders): void {
    if (status === PROCESSING && !this.#accepted && this.#request?.wantAccept) {
      this.#accepted = true;
      this.#consumer?.onAccepted();
    } else {
      this.#consumer?.onInform(status, responseHeaders(headers));
    }
  }

  onHead(status: number, reason: string, headers: RawHeaders, length: number | null): void {
    const forwarded = responseHeaders(headers);
    if (length !== null && length > WHOLE_BYTES) {
      this.#consumer?.onHead(status, reason, forwarded);
      return;
    }
    this.#held = { status, reason, headers: forwarded };
    process.nextTick(flushHeld, this);
  }

  onData(chunk: Buffer): void {
    if (this.#held === null) {
      this.#consumer?.onData(chunk);
    } else {
      this.#heldBody = this.#heldBody.length === 0 ? chunk : Buffer.concat([this.#heldBody, chunk]);
    }
  }

  /** The end of the read in which the head came: what has come is passed on, the rest streams. */
  flushHeld(): void {
    const held = this.#held;
    if (held === null) return;
    const body = this.#heldBody;
    this.#held = null;
    this.#heldBody = NO_BODY;
    const consumer = this.#consumer;
    consumer?.onHead(held.status, held.reason, held.headers);
    if (body.length > 0 && this.#consumer === consumer) consumer?.onData(body);
  }

  onEnd(reusable: boolean): void {
    const held = this.#held;
    const body = this.#heldBody;
    const wire = this.#wire;
    // A request body that is still being sent ends with the response: the application did not want it.
    const spent = this.#file !== null && !this.#file.readableEnded;
    this.#wire = null;
    const consumer = this.#detach();
    if (wire !== null) {
      if (reusable && !spent) this.#process.connections.give(wire);
      else wire.destroy();
    }
    if (held === null) consumer?.onEnd();
    else consumer?.onWhole(held.status, held.reason, held.headers, body);
  }

  onError(error: WireError, began: boolean): void {
    const request = this.#request;
    const wire = this.#wire;
    if (request === null || wire === null) return;
    if (error === 'INVALID') this.#fail('invalid', 'the application sent what is not an HTTP response');
    else if (error !== 'CLOSED') this.#fail('died', `no connection to the process (${error})`);
    else if (this.#process.gone) this.#fail('died', 'the process ended');
    else if (!began && wire.exchanges > 1 && !this.#retried) this.#again(request);
    else this.#awaitDeath();
  }

  /**
   * A reused connection was closed as the request went out, by an application that closes idle ones. One new connection shows
   * whether the process still takes requests. Nothing runs twice: had the application begun, a byte would have come, or the
   * request is one that may be repeated (`wantAccept` is false).
   */
  #again(request: BufferedRequest): void {
    this.#retried = true;
    this.#file?.destroy();
    this.#file = null;
    this.#begin(request, this.#process.connections.take());
  }

  /** The connection is closed and the process seems to live. Its death closes several descriptors, in no sure order. */
  #awaitDeath(): void {
    this.flushHeld();
    this.#obituary = setTimeout(() => {
      this.#fail('aborted', 'the application closed the connection before its response was complete');
    }, DEATH_NOTICE_MS);
  }

  #fail(how: 'died' | 'aborted' | 'invalid', detail: string): void {
    this.flushHeld();
    this.#detach()?.onFailed(how, detail);
  }

  /** Becomes free. What is left of the exchange is cut. @returns the consumer that is to hear of the end */
  #detach(): SlotConsumer | null {
    const consumer = this.#consumer;
    if (this.#obituary !== null) clearTimeout(this.#obituary);
    this.#file?.destroy();
    this.#wire?.destroy();
    this.#request = null;
    this.#consumer = null;
    this.#wire = null;
    this.#file = null;
    this.#held = null;
    this.#heldBody = NO_BODY;
    this.#obituary = null;
    return consumer;
  }
}

function flushHeld(slot: NodeSlot): void {
  slot.flushHeld();
}
