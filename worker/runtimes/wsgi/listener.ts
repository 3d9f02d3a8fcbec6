// The Unix socket to which the processes of one runtime connect. Knows who calls by the first frame, and hands the connection
// to whoever awaits that process.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { FRAME, HEADER_BYTES } from '../../frames.ts';

/** A caller that has not said who it is by then is cut off. */
const HELLO_MS = 10_000;
const MAX_HELLO = 512;
/** sun_path has 108 bytes, 104 on BSD. */
const MAX_PATH = 103;

/** @returns whether the connection was expected; `rest` came behind HELLO */
export type TakeConnection = (slot: string, socket: Socket, rest: Buffer) => boolean;

export class Listener {
  readonly path: string;
  /** What a process must say to be let in: the folder is private, this holds even if it is not. */
  readonly token = randomBytes(18).toString('hex');
  readonly #awaited = new Map<string, TakeConnection>();
  #server: Server | null = null;
  #problem = '';

  constructor(runDirectory: string) {
    this.path = join(runDirectory, `wsgi-${randomBytes(6).toString('hex')}.sock`);
  }

  /** Listens; again is a no-op. */
  open(): void {
    if (this.#server !== null) return;
    this.#server = createServer((socket) => this.#greet(socket));
    this.#server.on('error', (error) => {
      this.#problem = `it cannot listen at ${this.path}: ${error.message}`;
    });
    if (Buffer.byteLength(this.path) > MAX_PATH)
      this.#problem = `the path of its socket is longer than ${MAX_PATH} bytes: ${this.path}`;
    else this.#server.listen(this.path);
  }

  /** Why nobody will ever connect; '' when all is well. */
  get problem(): string {
    return this.#problem;
  }

  await(processId: string, take: TakeConnection): void {
    this.#awaited.set(processId, take);
  }

  forget(processId: string): void {
    this.#awaited.delete(processId);
  }

  close(): void {
    this.#server?.close();
    this.#server = null;
  }

  #greet(socket: Socket): void {
    let held: Buffer = Buffer.alloc(0);
    const deadline = setTimeout(() => socket.destroy(), HELLO_MS);
    const stop = (): void => clearTimeout(deadline);
    const onData = (chunk: Buffer): void => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const end = helloEnd(held);
      if (end === null) return;
      stop();
      socket.off('data', onData);
      socket.off('close', stop);
      if (end < 0 || !this.#introduce(socket, held, end)) socket.destroy();
    };
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', stop);
    socket.on('data', onData);
  }

  #introduce(socket: Socket, held: Buffer, end: number): boolean {
    const [token = '', processId = '', slot = ''] = held.toString('latin1', HEADER_BYTES, end).split('\0');
    if (!isSame(token, this.token)) return false;
    return this.#awaited.get(processId)?.(slot, socket, held.subarray(end)) ?? false;
  }
}

/** @returns where HELLO ends; null while it is not whole; -1 when it is something else */
function helloEnd(held: Buffer): number | null {
  if (held.length < HEADER_BYTES) return null;
  const length = held.readUInt32BE(0);
  if (held[4] !== FRAME.HELLO || length > MAX_HELLO) return -1;
  return held.length < HEADER_BYTES + length ? null : HEADER_BYTES + length;
}

function isSame(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
