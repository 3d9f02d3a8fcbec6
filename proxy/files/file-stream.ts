// Sends a part of a file from the disk to a client: one piece in memory at a time, read when the client has taken the one
// before. A file that changes under it is never passed off as whole: the connection is cut.
import { close, fstat, open, read } from 'node:fs';
import type { Exchange } from '../../http/exchange.ts';
import { OPEN_FLAGS, versionOf } from './disk.ts';
import type { Answer, Representation } from './representation.ts';

const PIECE_BYTES = 64 * 1024;

/** What became of the attempt. One of them is called, once, unless the client left in between. */
export interface StreamOutcome {
  onStarted(): void;
  /** The file on the disk is not the one that the answer speaks of, or cannot be opened. Nothing has been sent. */
  onChanged(error: Error | null): void;
}

/**
 * Opens the file and answers with it.
 * @param headers of the answer, complete
 */
export function streamFile(
  exchange: Exchange,
  form: Representation,
  answer: Answer,
  headers: readonly string[],
  outcome: StreamOutcome,
): void {
  open(form.file.path, OPEN_FLAGS, (openError, fd) => {
    if (openError) return outcome.onChanged(openError);
    fstat(fd, { bigint: true }, (error, facts) => {
      if (error || !facts.isFile() || versionOf(facts) !== form.file.version) {
        close(fd);
        outcome.onChanged(error);
      } else if (exchange.state !== 'open') {
        close(fd);
      } else {
        new FileStream(exchange, fd, form, answer).start(headers);
        outcome.onStarted();
      }
    });
  });
}

/** Owns `fd` from its making to its end; it is closed once, and never under a read. */
class FileStream {
  readonly #exchange: Exchange;
  readonly #fd: number;
  readonly #version: string;
  readonly #answer: Answer;
  #position: number;
  #reading = false;
  #over = false;

  constructor(exchange: Exchange, fd: number, form: Representation, answer: Answer) {
    this.#exchange = exchange;
    this.#fd = fd;
    this.#version = form.file.version;
    this.#answer = answer;
    this.#position = answer.first;
  }

  start(headers: readonly string[]): void {
    const exchange = this.#exchange;
    const outer = exchange.onClose;
    exchange.onClose = () => {
      this.#finish();
      outer?.();
    };
    exchange.onDrain = () => this.#readNext();
    exchange.start(this.#answer.status, headers);
    this.#readNext();
  }

  #readNext(): void {
    if (this.#over || this.#reading) return;
    this.#reading = true;
    // A new piece each time: the connection may hold on to the one before.
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, this.#answer.end - this.#position));
    read(this.#fd, piece, 0, piece.length, this.#position, (error, bytes) => {
      this.#reading = false;
      if (this.#over) close(this.#fd);
      else if (error || bytes === 0) this.#cut();
      else this.#take(bytes === piece.length ? piece : piece.subarray(0, bytes));
    });
  }

  #take(piece: Buffer): void {
    this.#position += piece.length;
    if (this.#position === this.#answer.end) this.#endWith(piece);
    else if (this.#exchange.write(piece)) this.#readNext();
  }

  /** The last piece makes the answer whole, so it goes out only when what was sent before is still true. */
  #endWith(piece: Buffer): void {
    this.#reading = true;
    fstat(this.#fd, { bigint: true }, (error, facts) => {
      this.#reading = false;
      if (this.#over) return close(this.#fd);
      if (error || versionOf(facts) !== this.#version) return this.#cut();
      this.#finish();
      this.#exchange.write(piece);
      this.#exchange.end();
    });
  }

  #cut(): void {
    this.#finish();
    this.#exchange.abort();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#reading) close(this.#fd);
  }
}
