// The control connection of a process: what it tells about itself, checked.
import type { Socket } from 'node:net';
import { z } from 'zod';
import { FRAME } from '../../frames.ts';
import type { BootFailure } from '../runtime.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';

const text = z.string().max(1024 * 1024);
const id = z.int().min(0);
const pid = z.int().min(2);

const BOOTED = z.object({ pid, python: text, threads: z.int().min(1), app: text });
const BOOT_FAILED = z.object({ reason: text, mend: text, traceback: text });
const FORKED = z.union([z.object({ id, pid }), z.object({ id, error: text })]);
const EXITED = z.object({ id, pid, code: z.int().nullable(), signal: z.string().max(32).nullable() });

export type Booted = z.output<typeof BOOTED>;
export type Forked = z.output<typeof FORKED>;
export type Exited = z.output<typeof EXITED>;

export interface ControlEvents {
  onBooted(told: Booted): void;
  onBootFailed(failure: BootFailure): void;
  onForked?(told: Forked): void;
  onExited?(told: Exited): void;
  onClose(): void;
}

export class ControlLink implements FrameSink {
  readonly #socket: Socket;
  readonly #events: ControlEvents;
  readonly #reader: FrameReader;

  constructor(socket: Socket, events: ControlEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#reader = new FrameReader(this);
  }

  /** @param rest what came behind HELLO: told of before this returns */
  start(rest: Buffer): void {
    this.#socket.on('data', (chunk: Buffer) => this.#reader.take(chunk));
    this.#socket.on('error', () => {}); // 'close' follows
    this.#socket.on('close', () => this.#events.onClose());
    if (rest.length > 0) this.#reader.take(rest);
  }

  /** Only to a preloaded parent: a serving process is killed by whatever comes here. */
  send(type: number, payload = ''): void {
    const frame = Buffer.allocUnsafe(8 + payload.length);
    frame.writeUInt32BE(payload.length, 0);
    frame.writeUInt32BE(type * 0x1000000, 4);
    frame.write(payload, 8, 'latin1');
    this.#socket.write(frame);
  }

  /** Cuts the lifeline: a serving process is killed by this. */
  destroy(): void {
    this.#socket.destroy();
  }

  onFrame(type: number, _stream: number, data: Buffer, at: number, end: number): void {
    const told = parseJson(data.toString('utf8', at, end));
    const events = this.#events;
    if (type === FRAME.BOOTED) this.#tell(BOOTED.safeParse(told), (booted) => events.onBooted(booted));
    else if (type === FRAME.BOOT_FAILED)
      this.#tell(BOOT_FAILED.safeParse(told), (failed) => events.onBootFailed(failed));
    else if (type === FRAME.FORKED) this.#tell(FORKED.safeParse(told), (forked) => events.onForked?.(forked));
    else if (type === FRAME.EXITED) this.#tell(EXITED.safeParse(told), (exited) => events.onExited?.(exited));
    else this.onInvalid();
  }

  onWhole(): void {
    this.onInvalid();
  }

  onBody(): void {
    this.onInvalid();
  }

  onInvalid(): void {
    this.#reader.stop();
    this.destroy();
  }

  #tell<T>(parsed: { success: true; data: T } | { success: false }, tell: (told: T) => void): void {
    if (parsed.success) tell(parsed.data);
    else this.onInvalid();
  }
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
