// How long a connection has been waited for, as its sweeps see it. A sweep looks at counters that are kept anyway, so that
// no request and no byte needs a timer or a clock of its own.
import type { Socket } from 'node:net';

/** What the client owes, or we owe it. */
export type Wait = 'nothing' | 'head' | 'idle' | 'body' | 'send' | 'linger';

export class Patience {
  wait: Wait = 'head';
  /** When the wait began; where silence is what counts, when bytes last moved. */
  since: number;
  #requests = 0;
  #read = 0;
  #unsent = 0;

  constructor(now: number) {
    this.since = now;
  }

  /**
   * One look at a connection.
   * @param requests heads taken so far
   * @param read bytes received so far
   * @param unsent bytes that the client has not taken
   */
  observe(wait: Wait, requests: number, read: number, unsent: number, now: number): void {
    const another = wait !== this.wait || requests !== this.#requests;
    if (another || this.#moved(wait, read, unsent)) this.since = now;
    this.wait = wait;
    this.#requests = requests;
    this.#read = read;
    this.#unsent = unsent;
  }

  /** A head has one deadline for all of it, or a byte now and then would hold the connection for ever. */
  #moved(wait: Wait, read: number, unsent: number): boolean {
    if (wait === 'head') return false;
    return wait === 'send' ? unsent !== this.#unsent : read !== this.#read;
  }
}

/**
 * Bytes that the client has not taken. `writableLength` alone stands still while one large write goes out bit by bit, so the
 * handle's own queue, which Node's socket timeout looks at too, is added where it is there.
 */
export function unsentBytes(socket: Socket): number {
  const { writableLength } = socket;
  if (writableLength === 0) return 0;
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return writableLength + (handle?.writeQueueSize ?? 0);
}
