// An application process that the preloaded parent forks: known by what the parent tells of it, and by its own connections.
import type { Slot } from '../../slot.ts';
import type { BootFailure, Child, ChildEvents } from '../runtime.ts';
import type { Connections, ConnectionsEvents } from './connections.ts';

/** What a child that is not there yet asks of its parent. */
export interface Forker {
  /** `child` is not wanted any more; it may be forked already, and leaves then by its connections. */
  withdraw(child: ForkedChild): void;
  /** `child` shall die before it is there. */
  giveUp(child: ForkedChild, signal: NodeJS.Signals): void;
}

type AwaitConnections = (events: ConnectionsEvents) => Connections;

/** A process that the parent forks, or will when it has imported the application. */
export class ForkedChild implements Child {
  readonly id: number;
  readonly #parent: Forker;
  readonly #connections: Connections;
  readonly #events: ChildEvents;
  #pid = 0;
  /** Of a process that is ready before the parent's word of its birth has been read. */
  #readySlots: readonly Slot[] | null = null;
  /** With which it shall be killed as soon as it is there. */
  #doom: NodeJS.Signals | null = null;
  #over = false;

  constructor(id: number, parent: Forker, awaitConnections: AwaitConnections, events: ChildEvents) {
    this.id = id;
    this.#parent = parent;
    this.#events = events;
    this.#connections = awaitConnections({
      onReady: (slots) => {
        this.#readySlots = slots;
        this.#tellReady();
      },
      onBootFailed: (failure) => events.onBootFailed(failure),
    });
  }

  stop(): void {
    this.#connections.leave();
    if (this.#pid === 0) this.#parent.withdraw(this);
    else if (!this.#connections.isReady) this.#signal('SIGTERM');
  }

  kill(dump: boolean): void {
    const signal = dump ? 'SIGABRT' : 'SIGKILL';
    if (this.#pid > 0) {
      this.#signal(signal);
      return;
    }
    this.#doom = signal;
    this.#parent.giveUp(this, signal);
  }

  // ── told by the parent ──

  noteForked(pid: number): void {
    this.#pid = pid;
    this.#events.onPid(pid);
    if (this.#doom !== null) this.#signal(this.#doom);
    this.#tellReady();
  }

  noteFailed(failure: BootFailure): void {
    this.#events.onBootFailed(failure);
  }

  noteExit(code: number | null, signal: string | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#connections.settle(() => this.#events.onExit(code, signal));
  }

  /** Nobody will tell of its end but its own connection. */
  noteOrphaned(): void {
    if (this.#connections.isControlOpen) this.#connections.onControlClosed = () => this.noteExit(null, null);
    else this.noteExit(null, null);
  }

  #tellReady(): void {
    if (this.#pid > 0 && this.#readySlots !== null) this.#events.onReady(this.#readySlots);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#over) return;
    try {
      process.kill(this.#pid, signal);
    } catch {
      // It has ended; EXITED is on its way.
    }
  }
}
