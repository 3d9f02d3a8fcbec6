// A request body on its way from the consumer to a connection, piece by piece. While the request may have to be sent again,
// and there is not too much of it, what has been sent is kept.
import type { WireConnection } from '../../http/wire/connection.ts';
import type { CallConsumer } from './client.ts';

/** Beyond this what has been sent is let go, and with it the retry. Bytes. */
const MAX_KEPT_BYTES = 64 * 1024;

/** What of a connection a body needs. */
type BodySink = Pick<WireConnection, 'write' | 'end' | 'onDrain'>;

export class Upload {
  /** The consumer has given all of it. */
  ended = false;
  /** The consumer was told to wait for onDrain. */
  lagging = false;
  /** Nothing is missing from the beginning: it can be sent again. */
  whole = true;
  readonly #consumer: CallConsumer;
  /** Where it flows to; null while there is no connection: then it is only kept. */
  #connection: BodySink | null = null;
  #asked = false;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(consumer: CallConsumer) {
    this.#consumer = consumer;
  }

  write(chunk: Buffer): boolean {
    if (this.whole) this.#keep(chunk);
    const full = this.#keptBytes >= MAX_KEPT_BYTES;
    if (this.#connection === null) {
      this.lagging = full;
    } else {
      if (full) this.drop();
      this.lagging = !this.#connection.write(chunk);
    }
    return !this.lagging;
  }

  end(): void {
    this.ended = true;
    this.#connection?.end();
  }

  /** The head has been sent over `connection`, and it stands. */
  flowTo(connection: BodySink): void {
    this.#connection = connection;
    connection.onDrain = () => this.#drained();
    if (this.#asked) {
      this.#sendAgain(connection);
    } else {
      this.#asked = true;
      this.#consumer.onSendBody();
    }
  }

  /** The connection is gone. */
  halt(): void {
    this.#connection = null;
  }

  /** Keeps nothing from now on: the request will not be sent again. */
  drop(): void {
    this.whole = false;
    this.#kept = [];
    this.#keptBytes = 0;
  }

  #keep(chunk: Buffer): void {
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
  }

  #sendAgain(connection: BodySink): void {
    const lagged = this.lagging;
    this.lagging = false;
    for (const chunk of this.#kept) this.lagging = !connection.write(chunk);
    if (this.ended) connection.end();
    if (lagged && !this.lagging) this.#consumer.onDrain();
  }

  #drained(): void {
    if (!this.lagging) return;
    this.lagging = false;
    this.#consumer.onDrain();
  }
}
