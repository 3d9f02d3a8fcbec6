// One free place in a Node application process: carries one request at a time over an HTTP/1.1 connection to the process's
// Unix socket. Made by node.ts, driven by front/dispatch through worker/slot.ts.
import { createReadStream, type ReadStream } from 'node:fs';
import type { RawHeaders } from '../../../http/exchange.ts';
import type { ResponseConsumer, WireConnection, WireError } from '../../../http/wire/connection.ts';
import type { BufferedRequest, Slot, SlotConsumer } from '../../slot.ts';
import type { Connections } from './connections.ts';
import { requestHeaders } from './headers.ts';
import { writePreface } from './preface.ts';

/** A response up to this size is handed over at once when it has arrived at once. Bytes. */
const WHOLE_BYTES = 64 * 1024;
/**
 * A closed connection, or one that is not taken, is the application's doing when the process has not ended so much later. On a busy machine a process that was killed
 * takes its time between closing its descriptors and being gone; taken for one that lives, its request could not go to another.
 */
const DEATH_NOTICE_MS = 1000;
const PROCESSING = 102;
const NO_BODY = Buffer.alloc(0);
const PROCESS_ENDED = 'the process ended';
const NO_CONNECTION = 'no connection to the process';

/** What a slot needs to know of its process. */
export interface SlotProcess {
  readonly connections: Connections;
  readonly prefaceStart: string;
  /** Whether the process has ended; `processGone` of its slots is called when it does. */
  readonly gone: boolean;
  /** Calls `turned` of the slot once the process's event loop has turned; never while it is blocked. */
  awaitTurn(slot: NodeSlot): void;
}

export class NodeSlot implements Slot, ResponseConsumer {
  readonly #process: SlotProcess;
  #request: BufferedRequest | null = null;
  #consumer: SlotConsumer | null = null;
  #wire: WireConnection | null = null;
  #file: ReadStream | null = null;
  #accepted = false;
  #retried = false;
  #cancelled = false;
  /** A head that waits for the end of its read: the whole response may come with it. */
  #held: { status: number; reason: string; headers: RawHeaders } | null = null;
  #heldBody: Buffer = NO_BODY;
  #obituary: NodeJS.Timeout | null = null;
  #lastLook: NodeJS.Immediate | undefined;

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
    try {
      wire.send(head, this, request.hasBody ? (request.body ?? undefined) : undefined);
      if (request.bodyFile !== null) this.#sendFile(request.bodyFile, wire);
    } catch (error) {
      // The guard lets no such request through; if one came, it must not be the end of the worker.
      process.nextTick(fail, this, 'aborted', String(error));
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
      if (this.#file === file) this.fail('aborted', `the request body could not be read: ${error.message}`);
    });
    wire.onDrain = () => file.resume();
  }

  /**
   * Cuts the connection, which the application hears as 'close'. The slot is free only when the event loop has turned: a process
   * that hangs in `while (true)` must not look idle.
   */
  cancel(): void {
    if (this.#consumer === null || this.#cancelled) return;
    this.#cancelled = true;
    this.#cut();
    if (this.#process.gone) process.nextTick(fail, this, 'died', PROCESS_ENDED);
    else this.#process.awaitTurn(this);
  }

  /** The event loop of the process has turned since `awaitTurn`. */
  turned(): void {
    if (this.#cancelled) this.fail('aborted', 'the client has gone');
  }

  pause(): void {
    this.#wire?.pause();
  }

  resume(): void {
    this.#wire?.resume();
  }

  /** The process has ended: a connection that closed before is explained now. */
  processGone(): void {
    if (this.#obituary !== null || this.#cancelled) this.fail('died', PROCESS_ENDED);
  }

  onInform(status: number, headers: RawHeaders): void {
    if (status === PROCESSING && !this.#accepted && this.#request?.wantAccept) {
      this.#accepted = true;
      this.#consumer?.onAccepted();
    } else {
      this.#consumer?.onInform(status, headers);
    }
  }

  onHead(status: number, reason: string, headers: RawHeaders, length: number | null): void {
    if (length !== null && length > WHOLE_BYTES) {
      this.#consumer?.onHead(status, reason, headers);
      return;
    }
    this.#held = { status, reason, headers };
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
    this.#consumer?.onHead(held.status, held.reason, held.headers);
    if (body.length > 0 && !this.#cancelled) this.#consumer?.onData(body);
  }

  onEnd(reusable: boolean): void {
    const held = this.#held;
    const body = this.#heldBody;
    const wire = this.#wire;
    if (wire !== null && reusable) {
      this.#wire = null;
      this.#process.connections.give(wire);
    }
    const consumer = this.#free();
    if (held === null) consumer?.onEnd();
    else consumer?.onWhole(held.status, held.reason, held.headers, body);
  }

  onError(error: WireError, began: boolean): void {
    const request = this.#request;
    const wire = this.#wire;
    if (request === null || wire === null) return;
    if (error === 'INVALID') this.fail('invalid', 'the application sent what is not an HTTP response');
    else if (this.#process.gone) this.fail('died', PROCESS_ENDED);
    else if (error === 'REFUSED') this.#awaitDeath('died', NO_CONNECTION);
    else if (error !== 'CLOSED') this.fail('died', `${NO_CONNECTION} (${error})`);
    else if (!began && wire.exchanges > 1 && !this.#retried) this.#again(request);
    else this.#awaitDeath('aborted', 'the application closed the connection');
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

  /**
   * The process seems to live. Its death closes several descriptors, in no sure order, and it is told with the requests that it had.
   * @param how it is when no death is heard of
   */
  #awaitDeath(how: 'died' | 'aborted', detail: string): void {
    this.#obituary = setTimeout(lookOnceMore, DEATH_NOTICE_MS, this, how, detail);
  }

  /** Timers come before what has arrived meanwhile: when this process had no CPU itself, the end of the other may be about to be read. */
  lookOnceMore(how: 'died' | 'aborted', detail: string): void {
    this.#lastLook = setImmediate(fail, this, how, detail);
  }

  fail(how: 'died' | 'aborted' | 'invalid', detail: string): void {
    this.#free()?.onFailed(how, detail);
  }

  /** Lets go of the connection and the body's file. */
  #cut(): void {
    this.#file?.destroy();
    this.#wire?.destroy();
    if (this.#obituary !== null) clearTimeout(this.#obituary);
    clearImmediate(this.#lastLook);
    this.#file = null;
    this.#wire = null;
    this.#held = null;
    this.#heldBody = NO_BODY;
    this.#obituary = null;
  }

  /** @returns the consumer that is to hear of the end */
  #free(): SlotConsumer | null {
    const consumer = this.#consumer;
    this.#cut();
    this.#request = null;
    this.#consumer = null;
    this.#cancelled = false;
    return consumer;
  }
}

function flushHeld(slot: NodeSlot): void {
  slot.flushHeld();
}

function lookOnceMore(slot: NodeSlot, how: 'died' | 'aborted', detail: string): void {
  slot.lookOnceMore(how, detail);
}

function fail(slot: NodeSlot, how: 'died' | 'aborted', detail: string): void {
  slot.fail(how, detail);
}
