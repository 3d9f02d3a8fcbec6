// What has been sent of a streamed request body, kept while the request may have to be sent again.
import type { WireConnection } from '../../http/wire/connection.ts';

/** Beyond this the body is let go, and with it the retry. Bytes. */
const MAX_BYTES = 64 * 1024;

export class HeldBody {
  /** Nothing is missing from the beginning. */
  whole = true;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;

  /** Whether more would be more than is held. */
  get full(): boolean {
    return this.#bytes >= MAX_BYTES;
  }

  get ended(): boolean {
    return this.#ended;
  }

  add(chunk: Buffer): void {
    if (!this.whole) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  end(): void {
    this.#ended = true;
  }

  /** Lets the octets go: the request will not be sent again. */
  drop(): void {
    this.whole = false;
    this.#chunks = [];
    this.#bytes = 0;
  }

  /** Sends it again from the beginning. @returns false when the peer lags */
  replay(connection: WireConnection): boolean {
    let takesMore = true;
    for (const chunk of this.#chunks) takesMore = connection.write(chunk);
    if (this.#ended) connection.end();
    return takesMore;
  }
}
