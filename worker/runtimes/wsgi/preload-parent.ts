// Preload: one parent imports the application and forks the processes, which share its memory. The parent is started with the
// first process, and again when one is wanted after it has died. Its processes outlive it: they go on serving; only how they
// end is not known then.
import type { ChildProcess } from 'node:child_process';
import { FRAME } from '../../frames.ts';
import { afterLastWords } from '../last-words.ts';
import type { BootFailure } from '../runtime.ts';
import { ControlLink, type Exited, type Forked } from './control-link.ts';
import type { ForkedChild, Forker } from './forked-child.ts';
import type { Listener } from './listener.ts';
import { type Command, cannotStart, spawnPython } from './spawned-child.ts';

export const PARENT_ID = 'parent';

export class PreloadParent implements Forker {
  readonly #listener: Listener;
  readonly #command: () => Command | BootFailure;
  readonly #children = new Map<number, ForkedChild>();
  /** Asked for, not yet forked. */
  readonly #pending = new Set<ForkedChild>();
  /** Asked for while the parent was dying: for the one after it. */
  readonly #forNext = new Set<ForkedChild>();
  /** It has failed or its connection has closed, and its end is not known yet. */
  #dying = false;
  #process: ChildProcess | null = null;
  #control: ControlLink | null = null;
  #booted = false;
  #closing = false;
  #exit: { readonly code: number | null; readonly signal: string | null } | null = null;

  constructor(listener: Listener, command: () => Command | BootFailure) {
    this.#listener = listener;
    this.#command = command;
  }

  /** Forks `child` now, or when the application has been imported. */
  fork(child: ForkedChild): void {
    if (this.#dying) {
      this.#forNext.add(child);
      return;
    }
    if (this.#closing) {
      setImmediate(() => child.noteExit(null, null));
      return;
    }
    this.#children.set(child.id, child);
    this.#pending.add(child);
    if (this.#process === null) this.#start();
    else if (this.#booted) this.#control?.send(FRAME.FORK, `${child.id}`);
  }

  withdraw(child: ForkedChild): void {
    const waits = this.#forNext.delete(child) || (!this.#booted && this.#pending.delete(child));
    if (!waits) return;
    this.#children.delete(child.id);
    setImmediate(() => child.noteExit(null, null));
  }

  giveUp(child: ForkedChild, signal: NodeJS.Signals): void {
    // It is the import that hangs, which all the others wait for too.
    if (this.#pending.has(child) && !this.#booted) this.#process?.kill(signal);
    else this.withdraw(child);
  }

  /** Ends the parent when its last process has ended. Twice is safe. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#booted) this.#control?.send(FRAME.STOP);
    else this.#process?.kill('SIGTERM');
  }

  #start(): void {
    const command = this.#command();
    if ('reason' in command) {
      setImmediate(() => this.#failAll(command, null, null));
      return;
    }
    this.#exit = null;
    this.#listener.await(PARENT_ID, (slot, socket, rest) => {
      if (slot !== 'control' || this.#control !== null) return false;
      this.#control = new ControlLink(socket, {
        onBooted: () => this.#noteBooted(),
        onBootFailed: (failure) => {
          this.#dying = true;
          this.#tellPending(failure);
        },
        onForked: (forked) => this.#noteForked(forked),
        onExited: (exited) => this.#noteExited(exited),
        onClose: () => this.#noteControlClosed(),
      });
      this.#control.start(rest);
      return true;
    });
    const started = spawnPython(command);
    this.#process = started;
    started.once('error', (error) => {
      if (started.pid === undefined) this.#failAll(cannotStart(command, error), null, null);
    });
    started.once('exit', (code, signal) => {
      this.#exit = { code, signal };
      afterLastWords(() => {
        if (this.#control === null && this.#process === started) this.#bury();
      });
    });
  }

  #noteBooted(): void {
    this.#booted = true;
    for (const child of this.#pending) this.#control?.send(FRAME.FORK, `${child.id}`);
  }

  #noteForked(forked: Forked): void {
    const child = this.#children.get(forked.id);
    if (child === undefined || !this.#pending.delete(child)) return;
    if ('pid' in forked) {
      child.noteForked(forked.pid);
      return;
    }
    this.#children.delete(child.id);
    child.noteFailed(cannotFork(forked.error));
    child.noteExit(null, null);
  }

  #noteExited({ id, code, signal }: Exited): void {
    const child = this.#children.get(id);
    this.#children.delete(id);
    child?.noteExit(code, signal);
  }

  /** All that the parent had to tell has been read: only now is its own end to be looked at. */
  #noteControlClosed(): void {
    this.#control = null;
    this.#dying = true;
    if (this.#exit !== null) this.#bury();
    // Else 'exit' follows.
  }

  #bury(): void {
    const { code, signal } = this.#exit ?? { code: null, signal: null };
    this.#process = null;
    this.#booted = false;
    this.#dying = false;
    this.#listener.forget(PARENT_ID);
    for (const child of this.#pending) {
      this.#children.delete(child.id);
      child.noteExit(code, signal);
    }
    this.#pending.clear();
    for (const child of this.#children.values()) child.noteOrphaned();
    this.#children.clear();
    const next = [...this.#forNext];
    this.#forNext.clear();
    for (const child of next) this.fork(child);
  }

  #tellPending(failure: BootFailure): void {
    for (const child of this.#pending) child.noteFailed(failure);
  }

  #failAll(failure: BootFailure, code: number | null, signal: string | null): void {
    this.#tellPending(failure);
    this.#exit = { code, signal };
    this.#bury();
  }
}

function cannotFork(error: string): BootFailure {
  return {
    reason: `the preloaded parent could not fork: ${error}`,
    mend: 'See that memory and the number of processes (pids limit) allow for another process.',
    traceback: '',
  };
}
