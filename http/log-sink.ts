// Where lines go without anybody waiting for them: gathered, written in one piece at a time, and dropped and counted once the
// sink is too slow. Written past `process.stdout`, whose writes to a pipe hold up the whole program until the reader reads.
import { closeSync, openSync, write } from 'node:fs';

export type LogTarget = 'stdout' | { readonly file: string };

/** How long a line may wait for others. */
const GATHER_MS = 50;
/** Written at once when so many have gathered. */
const GATHER_CHARS = 64 * 1024;
/** Held at most, beside what is being written. */
const MAX_CHARS = 4 * 1024 * 1024;
/** Until a sink that is full is tried again. */
const FULL_MS = 50;
const STDOUT = 1;

export class LogSink {
  /** Lines that were given up: the sink was too slow, or failed. */
  dropped = 0;
  /** Hears each failure to write or reopen. */
  onError: ((error: Error) => void) | null = null;
  readonly #target: LogTarget;
  #fd: number;
  #gathered = '';
  #lines = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing = false;
  #closing = false;
  #onIdle: (() => void) | null = null;

  /** @throws the error of opening the file */
  constructor(target: LogTarget) {
    this.#target = target;
    this.#fd = openTarget(target);
  }

  /** @param line ASCII, with its newline */
  write(line: string): void {
    if (this.#closing || this.#gathered.length + line.length > MAX_CHARS) {
      this.dropped++;
      return;
    }
    this.#gathered += line;
    this.#lines++;
    if (this.#gathered.length >= GATHER_CHARS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing || this.#gathered === '') return;
    const bytes = Buffer.from(this.#gathered, 'latin1');
    const lines = this.#lines;
    this.#gathered = '';
    this.#lines = 0;
    this.#writing = true;
    this.#writeOut(bytes, lines, this.#fd);
  }

  /** @param fd the one it began with, so that a piece never spans a reopened file */
  #writeOut(bytes: Buffer, lines: number, fd: number): void {
    write(fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(() => this.#writeOut(bytes, lines, fd), FULL_MS);
      else if (error === null && written < bytes.length) this.#writeOut(bytes.subarray(written), lines, fd);
      else this.#written(error, lines, fd);
    });
  }

  #written(error: Error | null, lines: number, fd: number): void {
    this.#writing = false;
    if (error !== null) {
      this.dropped += lines;
      this.onError?.(error);
    }
    if (fd !== this.#fd) closeSync(fd);
    this.#flush();
    if (!this.#writing) this.#onIdle?.();
  }

  /** Begins the file anew under its name, after logrotate has moved it away. */
  reopen(): void {
    if (this.#target === 'stdout' || this.#closing) return;
    this.#flush();
    const old = this.#fd;
    try {
      this.#fd = openTarget(this.#target);
    } catch (error) {
      this.onError?.(error as Error);
      return;
    }
    if (!this.#writing) closeSync(old);
  }

  /** Writes out what is there, for `timeoutMs` at most. Twice is safe. */
  async close(timeoutMs = 2_000): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#flush();
    if (this.#writing) await this.#idle(timeoutMs);
    if (!this.#writing && this.#target !== 'stdout') closeSync(this.#fd);
  }

  #idle(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function openTarget(target: LogTarget): number {
  return target === 'stdout' ? STDOUT : openSync(target.file, 'a', 0o640);
}
