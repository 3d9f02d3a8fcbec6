// What becomes of the body of a 2xx answer: JSON, plain text, or the lines of a watch.
import { KubeError } from '../errors.ts';
import { LineSplitter } from './line-splitter.ts';

/** What it throws ends the exchange and is thrown from there. */
export interface Reader<T> {
  /** The head is there. */
  open(): void;
  chunk(chunk: Buffer): void;
  /** The body is whole. @returns the call's result */
  end(): T;
}

/** An answer above this is refused: a page of 500 objects stays far below. */
const MAX_JSON = 64 * 1024 * 1024;
const MAX_TEXT = 1024 * 1024;
const MAX_LINE = 16 * 1024 * 1024;

export class JsonReader<T> implements Reader<T> {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  open(): void {}

  chunk(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_JSON) throw new KubeError('INVALID_RESPONSE', `the answer is larger than ${MAX_JSON} bytes`);
    this.#chunks.push(chunk);
  }

  end(): T {
    const text = textOf(this.#chunks);
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new KubeError('INVALID_RESPONSE', `the answer is no JSON: ${text.slice(0, 100)}`, { cause });
    }
  }
}

/** Keeps what fits, drops the rest. */
export class TextReader implements Reader<string> {
  readonly #chunks: Buffer[] = [];
  #left: number;

  constructor(maxBytes = MAX_TEXT) {
    this.#left = maxBytes;
  }

  open(): void {}

  chunk(chunk: Buffer): void {
    if (this.#left === 0) return;
    const kept = chunk.subarray(0, this.#left);
    this.#left -= kept.length;
    this.#chunks.push(kept);
  }

  end(): string {
    return textOf(this.#chunks);
  }
}

export class LineReader implements Reader<void> {
  readonly #lines: LineSplitter;
  readonly #onOpen: (() => void) | undefined;

  constructor(onLine: (line: string) => void, onOpen: (() => void) | undefined) {
    this.#lines = new LineSplitter(onLine, MAX_LINE);
    this.#onOpen = onOpen;
  }

  open(): void {
    this.#onOpen?.();
  }

  chunk(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  end(): void {
    const { pendingBytes } = this.#lines;
    if (pendingBytes > 0) throw new KubeError('INVALID_RESPONSE', `the watch ended ${pendingBytes} bytes into a line`);
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only.toString('utf8') : Buffer.concat(chunks).toString('utf8');
}
