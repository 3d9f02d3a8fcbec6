// The connections of one process: awaited, put together, and closed. It is ready when it has said so and all its slots are
// there, in whatever order they come.
import type { Socket } from 'node:net';
import type { Slot } from '../../slot.ts';
import { afterLastWords } from '../last-words.ts';
import type { BootFailure } from '../runtime.ts';
import { type Booted, ControlLink } from './control-link.ts';
import type { EnvironWriter } from './environ.ts';
import type { Listener } from './listener.ts';
import { WsgiSlot } from './wsgi-slot.ts';

/** After the end of a process, what it wrote is read for so long: a program it left behind may hold its connections. */
const LAST_WORDS_MS = 1000;

export interface ConnectionsEvents {
  onReady(slots: readonly Slot[]): void;
  onBootFailed(failure: BootFailure): void;
}

export class Connections {
  readonly #listener: Listener;
  readonly #id: string;
  readonly #environ: EnvironWriter;
  readonly #events: ConnectionsEvents;
  readonly #slots: (WsgiSlot | undefined)[];
  #missing: number;
  #control: ControlLink | null = null;
  #booted: Booted | null = null;
  #told = false;
  #leaving = false;
  /** Set once the process is over: called when the last connection has closed. */
  #onClosed: (() => void) | null = null;
  #open = 0;
  #controlClosed = false;
  /** Called when the process has ended, as far as its lifeline tells. */
  onControlClosed: (() => void) | null = null;

  constructor(listener: Listener, id: string, threads: number, environ: EnvironWriter, events: ConnectionsEvents) {
    this.#listener = listener;
    this.#id = id;
    this.#environ = environ;
    this.#events = events;
    this.#slots = new Array<WsgiSlot | undefined>(threads).fill(undefined);
    this.#missing = threads;
    listener.await(id, (slot, socket, rest) => this.#take(slot, socket, rest));
  }

  /** Whether the application has been imported and all slots are there. */
  get isReady(): boolean {
    return this.#booted !== null && this.#missing === 0;
  }

  get isControlOpen(): boolean {
    return this.#control !== null && !this.#controlClosed;
  }

  /** Finish what runs, take no more: a process whose slots have all ended exits. */
  leave(): void {
    this.#leaving = true;
    for (const slot of this.#slots) slot?.leave();
  }

  /** The process is over: `done` is called when what it wrote has been read. */
  settle(done: () => void): void {
    afterLastWords(() => this.#settleTaken(done));
  }

  #settleTaken(done: () => void): void {
    this.#listener.forget(this.#id);
    if (this.#open === 0) {
      done();
      return;
    }
    const timer = setTimeout(() => this.#abandon(), LAST_WORDS_MS);
    this.#onClosed = () => {
      clearTimeout(timer);
      done();
    };
  }

  /** A slot whose client lags is left open: its end is still in the kernel's buffer and will be read. */
  #abandon(): void {
    this.#control?.destroy();
    for (const slot of this.#slots) if (slot && !slot.isPaused) slot.destroy();
    this.#onClosed?.();
    this.#onClosed = null;
  }

  #take(slot: string, socket: Socket, rest: Buffer): boolean {
    if (slot === 'control') return this.#takeControl(socket, rest);
    const number = /^[0-9]{1,4}$/.test(slot) ? Number(slot) : -1;
    if (number < 0 || number >= this.#slots.length || this.#slots[number] !== undefined) return false;
    this.#count(socket);
    const made = new WsgiSlot(socket, this.#environ);
    made.start(rest);
    this.#slots[number] = made;
    this.#missing--;
    if (this.#leaving) made.leave();
    this.#tellReady();
    return true;
  }

  #takeControl(socket: Socket, rest: Buffer): boolean {
    if (this.#control !== null) return false;
    this.#count(socket);
    this.#control = new ControlLink(socket, {
      onBooted: (booted) => {
        this.#booted = booted;
        this.#tellReady();
      },
      onBootFailed: (failure) => {
        if (this.#told) return;
        this.#told = true;
        this.#events.onBootFailed(failure);
      },
      onClose: () => {
        this.#controlClosed = true;
        this.onControlClosed?.();
      },
    });
    this.#control.start(rest);
    return true;
  }

  #tellReady(): void {
    if (!this.isReady || this.#told) return;
    this.#told = true;
    this.#events.onReady(this.#slots.filter((slot) => slot !== undefined));
  }

  #count(socket: Socket): void {
    this.#open++;
    socket.once('close', () => {
      this.#open--;
      if (this.#open > 0) return;
      this.#onClosed?.();
      this.#onClosed = null;
    });
  }
}
