// For tests: a client that does on its connection exactly what it is told, and nothing else.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ListenAddress } from '../../http/listen.ts';

export class RawClient {
  readonly socket: Socket;
  private received: Buffer[] = [];
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** @param reads whether it takes what comes, or lets it lie */
  static async open(address: ListenAddress, reads = true): Promise<RawClient> {
    const socket = connect({ ...address });
    await once(socket, 'connect');
    const client = new RawClient(socket);
    if (reads) client.read();
    return client;
  }

  read(): void {
    this.socket.on('data', (chunk) => this.received.push(Buffer.from(chunk)));
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** What has come, as latin-1. */
  get text(): string {
    if (this.received.length > 1) this.received = [Buffer.concat(this.received)];
    return this.received[0]?.toString('latin1') ?? '';
  }

  leave(): void {
    this.socket.resetAndDestroy();
  }
}

/** Polls until `condition` holds; fails with `what` when it does not within 10 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
