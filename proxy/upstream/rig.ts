// For tests: workers that do what a test says, and calls that remember what they were told. Real sockets on loopback.
import { createServer, type Server, type Socket } from 'node:net';
import type { RawHeaders } from '../../http/exchange.ts';
import type { WireRequest } from '../../http/wire/connection.ts';
import type { CallConsumer, UpstreamCall, UpstreamFault, Upstreams } from './client.ts';

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** One request as the worker has read it: head and, by Content-Length or chunked, body. */
export interface Seen {
  readonly method: string;
  readonly target: string;
  /** Raw octets of head and body. */
  readonly text: string;
}

/** A worker of raw sockets: nothing happens on them but what `answer` does. */
export class Worker {
  /** Whole requests, in order of their arrival. */
  readonly seen: Seen[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  /** Called for each whole request. */
  answer: (socket: Socket, seen: Seen) => void = (socket) => socket.write(OK);
  /** Called for each new connection. */
  accept: (socket: Socket) => void = () => {};
  readonly #path: string | undefined;
  #server: Server | null = null;
  #port = 0;

  /** @param path of its Unix socket; without it a port of its own choice */
  constructor(path?: string) {
    this.#path = path;
  }

  get address(): string {
    return this.#path === undefined ? `127.0.0.1:${this.#port}` : `unix:${this.#path}`;
  }

  get running(): boolean {
    return this.#server !== null;
  }

  /** On the same port again, when it has been started before. */
  async start(): Promise<this> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#take(socket));
    this.#server = server;
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      if (this.#path === undefined) server.listen(this.#port, '127.0.0.1', listening);
      else server.listen(this.#path, listening);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    return this;
  }

  /** As a killed process: no more connections, and those that are there are cut. Twice is safe. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.sockets) socket.destroy();
    if (server !== null) await new Promise((closed) => server.close(closed));
  }

  #take(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    let text = '';
    let wanted = 1;
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      while (text.length >= wanted) {
        wanted = wantedOf(text);
        if (text.length < wanted) return;
        const [method = '', target = ''] = text.slice(0, 1024).split(' ', 2);
        const seen = { method, target, text: text.slice(0, wanted) };
        text = text.slice(wanted);
        wanted = 1;
        this.seen.push(seen);
        this.answer(socket, seen);
      }
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => this.sockets.delete(socket));
    this.accept(socket);
  }
}

/** @returns the length of the first request of `text`; more than there is when it is not whole */
function wantedOf(text: string): number {
  const head = text.indexOf('\r\n\r\n') + 4;
  if (head < 4) return text.length + 1;
  if (/\r\ntransfer-encoding:/i.test(text.slice(0, head))) {
    const last = text.indexOf('0\r\n\r\n', head);
    return last < 0 ? text.length + 1 : last + 5;
  }
  return head + Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
}

/** How a call has ended, and what had come until then. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly fault: UpstreamFault | null;
  readonly began: boolean;
}

/** A call whose consumer remembers. */
export class Asked implements CallConsumer {
  readonly call: UpstreamCall;
  readonly answer: Promise<Answer>;
  status = 0;
  bytes = 0;
  readonly chunks: Buffer[] = [];
  informs: number[] = [];
  drains = 0;
  headers: RawHeaders = [];
  over = false;
  /** Sends a streamed body. */
  sendBody: () => void = () => {};
  #settle: (answer: Answer) => void = () => {};

  constructor(upstreams: Upstreams, request: Partial<WireRequest> = {}) {
    this.answer = new Promise((settle) => {
      this.#settle = settle;
    });
    this.call = upstreams.call(
      { method: 'GET', target: '/', headers: ['Host', 'x'], length: undefined, ...request },
      this,
    );
  }

  start(body?: Buffer): this {
    this.call.start(body);
    return this;
  }
  onSendBody(): void {
    this.sendBody();
  }
  onDrain(): void {
    this.drains++;
  }
  onInform(status: number): void {
    this.informs.push(status);
  }
  onHead(status: number, _reason: string, headers: RawHeaders): void {
    this.status = status;
    this.headers = headers;
  }
  onData(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.chunks.push(chunk);
  }
  onEnd(): void {
    this.#end(null, this.status > 0);
  }
  onFault(fault: UpstreamFault, began: boolean): void {
    this.#end(fault, began);
  }
  #end(fault: UpstreamFault | null, began: boolean): void {
    if (this.over) throw new Error('told of its end twice');
    this.over = true;
    this.#settle({ status: this.status, body: Buffer.concat(this.chunks).toString('latin1'), fault, began });
  }
}

export function ask(upstreams: Upstreams, request: Partial<WireRequest> = {}, body?: Buffer): Promise<Answer> {
  return new Asked(upstreams, request).start(body).answer;
}

/** One group of `workers`. */
export function configure(upstreams: Upstreams, workers: readonly { address: string }[], responseMs = 30_000): void {
  const endpoints = workers.map(({ address }) => ({ address }));
  upstreams.configure({
    groups: [{ name: 'current', weight: 100, endpoints }],
    timeouts: { connectMs: 10_000, responseMs },
  });
}
