// Bytes into lines. Cuts at the newline byte before decoding, so that a character split between chunks stays whole; a line that comes in many
// chunks is put together once.
import { KubeError } from '../errors.ts';

const NEWLINE = 0x0a;

export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxBytes: number;
  #begun: Buffer[] = [];
  #begunBytes = 0;

  /** @param maxBytes of one line; a longer one throws INVALID_RESPONSE */
  constructor(onLine: (line: string) => void, maxBytes: number) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the line that has no end yet. */
  get pendingBytes(): number {
    return this.#begunBytes;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk, from, end);
      from = end + 1;
      this.#finish();
    }
    if (from < chunk.length) this.#keep(chunk, from, chunk.length);
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    this.#begunBytes += to - from;
    if (this.#begunBytes > this.#maxBytes)
      throw new KubeError('INVALID_RESPONSE', `a line of the watch is longer than ${this.#maxBytes} bytes`);
    this.#begun.push(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
  }

  #finish(): void {
    const [only] = this.#begun;
    const line = this.#begun.length === 1 && only !== undefined ? only : Buffer.concat(this.#begun, this.#begunBytes);
    this.#begun = [];
    this.#begunBytes = 0;
    if (line.length > 0) this.#onLine(line.toString('utf8'));
  }
}
