// For tests: a client that sends exactly the bytes it is told to, and keeps what comes back.
import { connect, type Socket } from 'node:net';
import type { ListenAddress } from './address.ts';

const PATIENCE_MS = 15_000;

export class RawClient {
  readonly socket: Socket;
  /** As latin-1. */
  received = '';
  /** The server has closed its side. */
  ended = false;
  /** Both sides are closed. */
  closed = false;
  error: NodeJS.ErrnoException | null = null;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('connect', () => this.#changed(() => {}));
    socket.on('data', (chunk: Buffer) => this.#changed(() => (this.received += chunk.toString('latin1'))));
    socket.on('end', () => this.#changed(() => (this.ended = true)));
    socket.on('close', () => this.#changed(() => (this.closed = true)));
    socket.on('error', (error) => this.#changed(() => (this.error = error)));
  }

  static async connect(address: ListenAddress): Promise<RawClient> {
    const socket = connect({ ...address, allowHalfOpen: true });
    const client = new RawClient(socket);
    await client.until(() => !socket.connecting, 'the connection');
    if (client.error !== null) throw client.error;
    return client;
  }

  #changed(note: () => void): void {
    note();
    this.#wake?.();
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends, and waits for so many responses in all. */
  async ask(bytes: string, responses = 1): Promise<string> {
    this.send(bytes);
    await this.until(() => this.statuses.length >= responses, `response ${responses}`);
    return this.received;
  }

  /** Statuses of all that has come, 1xx included. */
  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map((match) => Number(match[1]));
  }

  /** Waits until the server has closed. @returns all that came */
  async untilEnd(): Promise<string> {
    await this.until(() => this.ended || this.closed, 'the end');
    return this.received;
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const late = Date.now() + PATIENCE_MS;
    while (!holds()) {
      if (this.closed)
        throw new Error(`closed before ${what}: ${this.error?.code ?? ''} ${JSON.stringify(this.received)}`);
      const left = late - Date.now();
      if (left <= 0) throw new Error(`waited in vain for ${what}: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Leaves without a word. */
  close(): void {
    this.socket.destroy();
  }
}
