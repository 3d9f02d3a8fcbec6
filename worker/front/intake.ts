// Takes in a request's body before a process is taken, so that a slow client holds memory or a file of the worker, never a
// process of the application.
import type { WriteStream } from 'node:fs';
import type { FaultCode } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { BodyConsumer, Exchange } from '../../http/exchange.ts';
import type { BodyStore } from './body-store.ts';
import type { IncomingRequest } from './request.ts';

const NOTHING = Buffer.alloc(0);

/** One body on its way in. Holds its share of the store until it is complete (then the request does), failed or given up. */
export class Intake implements BodyConsumer {
  private readonly exchange: Exchange;
  private readonly request: IncomingRequest;
  private readonly store: BodyStore;
  private readonly log: Log;
  private readonly onComplete: () => void;
  /** The body so far, when it is in memory; the first chunk itself, then a buffer that grows. */
  private memory: Buffer = NOTHING;
  private bytes = 0;
  private file: WriteStream | null = null;
  private over = false;

  /** @param onComplete called once when `request` holds the whole body; not called when that fails or is given up */
  constructor(exchange: Exchange, request: IncomingRequest, store: BodyStore, log: Log, onComplete: () => void) {
    this.exchange = exchange;
    this.request = request;
    this.store = store;
    this.log = log;
    this.onComplete = onComplete;
  }

  start(): void {
    this.exchange.body.read(this);
  }

  /** The client has gone. Twice is safe. */
  giveUp(): void {
    if (this.over) return;
    this.over = true;
    if (this.file === null) this.store.giveMemory(this.bytes);
    else this.discardFile(this.file);
    this.memory = NOTHING;
  }

  onData(chunk: Buffer): void {
    if (this.over) return;
    if (this.file !== null) this.writeFile(this.file, chunk);
    else if (this.store.takeMemory(this.bytes, chunk.length)) this.keep(chunk);
    else this.moveToFile(chunk);
  }

  onEnd(): void {
    if (this.over) return;
    if (this.file !== null) {
      // The request is complete when the file is: 'finish' comes after the last byte has been written.
      this.file.end();
      return;
    }
    this.over = true;
    this.request.body = this.memory.length === this.bytes ? this.memory : this.memory.subarray(0, this.bytes);
    this.request.bodyBytes = this.bytes;
    this.onComplete();
  }

  onError(_code: FaultCode | 'CLIENT_GONE'): void {
    this.giveUp();
  }

  /**
   * One chunk, the usual case, is kept as it is. More are copied together: a list of chunks would let a client that sends
   * single bytes hold a hundred times what they are counted as.
   */
  private keep(chunk: Buffer): void {
    const bytes = this.bytes + chunk.length;
    if (this.bytes === 0) this.memory = chunk;
    else {
      if (bytes > this.memory.length) this.memory = grown(this.memory, this.bytes, 2 * bytes);
      chunk.copy(this.memory, this.bytes);
    }
    this.bytes = bytes;
  }

  private moveToFile(chunk: Buffer): void {
    const file = this.store.takeFile();
    if (file === null) {
      this.refuse('too many request bodies are being stored');
      return;
    }
    const held = this.memory.subarray(0, this.bytes);
    this.store.giveMemory(this.bytes);
    this.bytes = 0;
    this.memory = NOTHING;
    this.file = file;
    file.on('drain', () => this.exchange.body.resume());
    file.on('finish', () => this.fileComplete(file));
    file.on('error', (error) => this.refuse(error.message));
    if (held.length > 0) this.writeFile(file, held);
    this.writeFile(file, chunk);
  }

  private writeFile(file: WriteStream, chunk: Buffer): void {
    if (this.over) return;
    if (!this.store.takeFileBytes(chunk.length)) {
      this.refuse('the space for request bodies is used up');
      return;
    }
    this.bytes += chunk.length;
    if (!file.write(chunk)) this.exchange.body.pause();
  }

  private fileComplete(file: WriteStream): void {
    if (this.over) return;
    this.over = true;
    this.request.bodyFile = String(file.path);
    this.request.bodyBytes = this.bytes;
    this.onComplete();
  }

  private refuse(detail: string): void {
    if (this.over) return;
    this.log.error('a request body could not be stored', { requestId: this.exchange.requestId, reason: detail });
    this.giveUp();
    this.exchange.fail('STORAGE_FAILED');
  }

  /** Removed only after it is closed: while it is being opened there may be no name to remove yet. */
  private discardFile(file: WriteStream): void {
    const { bytes } = this;
    if (file.closed) this.store.giveFile(String(file.path), bytes);
    else file.once('close', () => this.store.giveFile(String(file.path), bytes));
    file.destroy();
  }
}

function grown(buffer: Buffer, bytes: number, capacity: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(capacity);
  buffer.copy(larger, 0, 0, bytes);
  return larger;
}
