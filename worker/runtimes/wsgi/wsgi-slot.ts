// One slot of a Python process as the front uses it: requests out as frames, one write each; frames in, told to the consumer.
import type { Socket } from 'node:net';
import { FRAME, HEADER_BYTES, REQUEST_FLAG } from '../../frames.ts';
import type { BufferedRequest, Slot, SlotConsumer } from '../../slot.ts';
import type { EnvironWriter } from './environ.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { parseHead } from './response-head.ts';

const MAX_STREAM = 0xffffff;
/** Flags and length of the environ. */
const PREFIX_BYTES = 5;
/** A larger body is not copied behind the environ but handed to the kernel beside it. */
const COPIED_BYTES = 32 * 1024;

const BAD_HEAD = 'the head of a response is not well-formed, or came twice';

export class WsgiSlot implements Slot, FrameSink {
  readonly #socket: Socket;
  readonly #environ: EnvironWriter;
  readonly #reader: FrameReader;
  #consumer: SlotConsumer | null = null;
  #stream = 0;
  #headSeen = false;
  #cancelled = false;
  #paused = false;
  #leaving = false;
  #lost = '';

  constructor(socket: Socket, environ: EnvironWriter) {
    this.#socket = socket;
    this.#environ = environ;
    this.#reader = new FrameReader(this);
  }

  /** @param rest what came behind HELLO */
  start(rest: Buffer): void {
    this.#socket.on('data', (chunk: Buffer) => this.#reader.take(chunk));
    this.#socket.on('error', () => {}); // 'close' follows
    this.#socket.on('close', () => this.#lose('the process closed the connection'));
    if (rest.length > 0) this.#reader.take(rest);
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get isClosed(): boolean {
    return this.#socket.closed;
  }

  send(request: BufferedRequest, consumer: SlotConsumer): void {
    this.#consumer = consumer;
    this.#stream = this.#stream === MAX_STREAM ? 1 : this.#stream + 1;
    this.#headSeen = false;
    this.#cancelled = false;
    if (this.#lost !== '' || this.#leaving) process.nextTick(() => this.#fail('died', this.#lost || 'it is leaving'));
    else this.#write(request);
  }

  cancel(): void {
    if (this.#consumer === null || this.#cancelled) return;
    this.#cancelled = true;
    this.#socket.write(this.#header(FRAME.CANCEL, 0, Buffer.allocUnsafe(HEADER_BYTES)));
    this.resume();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Takes no request after the present one: by the end of its input the process knows. */
  leave(): void {
    this.#leaving = true;
    if (this.#consumer === null) this.#socket.end();
  }

  /** The process is gone, and what it wrote has been read. */
  destroy(): void {
    this.#socket.destroy();
  }

  // ── sending ──

  #write(request: BufferedRequest): void {
    const environ = this.#environ.write(request);
    const body = request.body;
    const path = request.bodyFile;
    const bodyBytes = path !== null ? Buffer.byteLength(path) : (body?.length ?? 0);
    const copied = path !== null || bodyBytes <= COPIED_BYTES;
    const payload = PREFIX_BYTES + environ.length + bodyBytes;
    const frame = Buffer.allocUnsafe(HEADER_BYTES + payload - (copied ? 0 : bodyBytes));
    this.#header(FRAME.REQUEST, payload, frame);
    frame[HEADER_BYTES] = flagsOf(request);
    frame.writeUInt32BE(environ.length, HEADER_BYTES + 1);
    const bodyAt = HEADER_BYTES + PREFIX_BYTES + frame.write(environ, HEADER_BYTES + PREFIX_BYTES, 'latin1');
    if (path !== null) frame.write(path, bodyAt);
    else if (body !== null && copied) body.copy(frame, bodyAt);
    if (copied || body === null) this.#socket.write(frame);
    else this.#writeBoth(frame, body);
  }

  #writeBoth(frame: Buffer, body: Buffer): void {
    this.#socket.cork();
    this.#socket.write(frame);
    this.#socket.write(body);
    this.#socket.uncork();
  }

  #header(type: number, length: number, frame: Buffer): Buffer {
    frame.writeUInt32BE(length, 0);
    frame.writeUInt32BE(type * 0x1000000 + this.#stream, 4);
    return frame;
  }

  // ── receiving ──

  onWhole(stream: number, data: Buffer, headAt: number, headEnd: number, bodyAt: number, bodyEnd: number): void {
    if (stream !== this.#stream || this.#consumer === null) return;
    if (this.#cancelled) {
      this.#end();
      return;
    }
    const head = this.#headSeen ? null : parseHead(data, headAt, headEnd);
    if (head === null || head.status < 200) this.onInvalid(BAD_HEAD);
    else this.#free()?.onWhole(head.status, head.reason, head.headers, data.subarray(bodyAt, bodyEnd));
  }

  onBody(stream: number, piece: Buffer): void {
    if (stream !== this.#stream || this.#consumer === null || this.#cancelled) return;
    if (this.#headSeen) this.#consumer.onData(piece);
    else this.onInvalid('a body came before its head');
  }

  onFrame(type: number, stream: number, data: Buffer, at: number, end: number): void {
    if (type < FRAME.ACCEPT || type > FRAME.INFORM) this.onInvalid(`a frame has the unknown type ${type}`);
    else if (stream === this.#stream && this.#consumer !== null) this.#take(type, this.#consumer, data, at, end);
    // Else it is late: of a request that was over before.
  }

  onInvalid(detail: string): void {
    this.#reader.stop();
    this.#lost = detail;
    this.#fail('invalid', detail);
    this.#socket.destroy();
  }

  #take(type: number, consumer: SlotConsumer, data: Buffer, at: number, end: number): void {
    if (type === FRAME.END) {
      if (this.#headSeen || this.#cancelled) this.#end();
      else this.onInvalid('a response ended before its head');
    } else if (type === FRAME.ABORT) {
      this.#fail('aborted', 'the application failed after its response had begun');
    } else if (type === FRAME.ACCEPT) {
      if (!this.#cancelled) consumer.onAccepted();
    } else {
      this.#takeHead(type === FRAME.HEAD, consumer, data, at, end);
    }
  }

  #takeHead(isFinal: boolean, consumer: SlotConsumer, data: Buffer, at: number, end: number): void {
    const head = this.#headSeen ? null : parseHead(data, at, end);
    if (head === null || isFinal !== head.status >= 200 || head.status === 101) {
      this.onInvalid(BAD_HEAD);
      return;
    }
    this.#headSeen = isFinal;
    if (this.#cancelled) return;
    if (isFinal) consumer.onHead(head.status, head.reason, head.headers);
    else consumer.onInform(head.status, head.headers);
  }

  #end(): void {
    this.#free()?.onEnd();
  }

  #fail(how: 'died' | 'aborted' | 'invalid', detail: string): void {
    this.#free()?.onFailed(how, detail);
  }

  /** Makes the slot free before its consumer hears of the end, who may send the next request at once. */
  #free(): SlotConsumer | null {
    const consumer = this.#consumer;
    this.#consumer = null;
    this.resume();
    if (this.#leaving) this.#socket.end();
    return consumer;
  }

  #lose(detail: string): void {
    this.#lost ||= detail;
    this.#fail('died', this.#lost);
  }
}

function flagsOf(request: BufferedRequest): number {
  return (
    (request.wantAccept ? REQUEST_FLAG.WANT_ACCEPT : 0) |
    (request.bodyFile !== null ? REQUEST_FLAG.BODY_FILE : 0) |
    (request.method === 'HEAD' ? REQUEST_FLAG.HEAD_ONLY : 0)
  );
}
