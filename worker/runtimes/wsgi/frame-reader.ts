// Cuts what a process sends into frames, without copying: a body passes through in the pieces in which it arrives.
import { FRAME, HEADER_BYTES, MAX_PAYLOAD } from '../../frames.ts';

/** Of all frames but those with a body; they are small. */
const MAX_HELD = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Told of frames in order. Positions are in `data`, which is not changed after: views of it may be kept. */
export interface FrameSink {
  /** A whole response, whether it came as RESPONSE or as HEAD, BODY and END at once. */
  onWhole(stream: number, data: Buffer, headAt: number, headEnd: number, bodyAt: number, bodyEnd: number): void;
  /** A piece of a body. */
  onBody(stream: number, piece: Buffer): void;
  /** Any other frame. */
  onFrame(type: number, stream: number, data: Buffer, at: number, end: number): void;
  /** What came is not a frame. Nothing follows. */
  onInvalid(detail: string): void;
}

export class FrameReader {
  readonly #sink: FrameSink;
  #held: Buffer | null = null;
  /** Bytes of the present body frame that have not come yet. */
  #bodyLeft = 0;
  #bodyStream = 0;
  /** Whether the end of the present body is the end of a RESPONSE. */
  #endsResponse = false;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Reads no more, whatever comes. */
  stop(): void {
    this.#stopped = true;
    this.#held = null;
  }

  take(chunk: Buffer): void {
    const data = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = null;
    let at = 0;
    while (at < data.length && !this.#stopped) {
      const next = this.#bodyLeft > 0 ? this.#takeBody(data, at) : this.#takeFrame(data, at);
      if (next === at) {
        this.#hold(data, at);
        return;
      }
      at = next;
    }
  }

  #hold(data: Buffer, at: number): void {
    if (data.length - at > MAX_HELD) this.#refuse(`a frame is larger than ${MAX_HELD} bytes`);
    // A copy: a few bytes must not keep the whole chunk.
    else if (!this.#stopped) this.#held = Buffer.from(data.subarray(at));
  }

  #takeBody(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.#bodyLeft);
    this.#bodyLeft -= end - at;
    const ended = this.#bodyLeft === 0 && this.#endsResponse;
    this.#sink.onBody(this.#bodyStream, data.subarray(at, end));
    if (ended) this.#endResponse();
    return end;
  }

  #endResponse(): void {
    this.#endsResponse = false;
    if (!this.#stopped) this.#sink.onFrame(FRAME.END, this.#bodyStream, NOTHING, 0, 0);
  }

  /** @returns position behind what was taken; `at` when more must come first */
  #takeFrame(data: Buffer, at: number): number {
    const start = at + HEADER_BYTES;
    if (start > data.length) return at;
    const length = data.readUInt32BE(at);
    if (length > MAX_PAYLOAD) return this.#refuse(`a frame of ${length} bytes is longer than ${MAX_PAYLOAD}`);
    const word = data.readUInt32BE(at + 4);
    const type = word >>> 24;
    const stream = word & 0xffffff;
    const end = start + length;
    if (type === FRAME.BODY) return this.#takeBodyFrame(data, start, length, stream, false);
    if (type === FRAME.RESPONSE) return this.#takeResponse(data, at, start, end, stream);
    if (end > data.length) return at;
    if (type === FRAME.HEAD) return this.#takeHead(data, start, end, stream);
    this.#sink.onFrame(type, stream, data, start, end);
    return end;
  }

  #takeBodyFrame(data: Buffer, start: number, length: number, stream: number, endsResponse: boolean): number {
    this.#bodyStream = stream;
    this.#endsResponse = endsResponse;
    this.#bodyLeft = length;
    if (start === data.length) return start;
    return length > 0 ? this.#takeBody(data, start) : start;
  }

  #takeResponse(data: Buffer, at: number, start: number, end: number, stream: number): number {
    if (start + 4 > data.length) return at;
    const headAt = start + 4;
    const headEnd = headAt + data.readUInt32BE(start);
    if (headEnd > end) return this.#refuse('the head of a response is longer than its frame');
    if (end <= data.length) {
      this.#sink.onWhole(stream, data, headAt, headEnd, headEnd, end);
      return end;
    }
    if (headEnd > data.length) return at;
    // The body is large: it passes on as it comes.
    this.#sink.onFrame(FRAME.HEAD, stream, data, headAt, headEnd);
    return this.#takeBodyFrame(data, headEnd, end - headEnd, stream, true);
  }

  /** HEAD: an application that yields its one block and then ends has often ended before the first frame is read here. */
  #takeHead(data: Buffer, start: number, end: number, stream: number): number {
    const bodyAt = end + HEADER_BYTES;
    if (bodyAt + HEADER_BYTES <= data.length && data.readUInt32BE(end + 4) === wordOf(FRAME.BODY, stream)) {
      const bodyEnd = bodyAt + data.readUInt32BE(end);
      const behind = bodyEnd + HEADER_BYTES;
      if (behind <= data.length && data.readUInt32BE(bodyEnd + 4) === wordOf(FRAME.END, stream)) {
        this.#sink.onWhole(stream, data, start, end, bodyAt, bodyEnd);
        return behind;
      }
    }
    this.#sink.onFrame(FRAME.HEAD, stream, data, start, end);
    return end;
  }

  #refuse(detail: string): number {
    this.stop();
    this.#sink.onInvalid(detail);
    return Number.MAX_SAFE_INTEGER;
  }
}

function wordOf(type: number, stream: number): number {
  return type * 0x1000000 + stream;
}
