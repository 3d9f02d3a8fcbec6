// The process that holds the proxy's socket, as nginx's master does: the proxy is its child, and when that dies the next one takes the
// connections that came meanwhile, which wait in the kernel's queue instead of being refused. It never accepts one itself.
import { type ChildProcess, spawn } from 'node:child_process';
import type { BoundSocket } from 'node:net';
import { type BackoffPolicy, backoffMs } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { EXIT_INTERNAL } from './failure.ts';

export interface MasterOptions {
  /** Bound, and not listening: the child listens. */
  readonly socket: BoundSocket;
  /** Of the proxy, with its script; it finds the socket as file descriptor 3. */
  readonly command: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
}

const BACKOFF: BackoffPolicy = { firstMs: 100, maxMs: 5_000, factor: 2 };
/** A proxy that served for so long begins its backoff anew. */
const STABLE_MS = 30_000;
/** Beyond, whoever started the master is told: it has a longer backoff, and shows the last words to people. */
const MAX_FAILURES = 5;

/** Exit codes that say why the proxy ended and that starting it again would change nothing: asked to stop, an address, the command line or the configuration. */
const FINAL_CODES: readonly (number | null)[] = [0, 1, 2];

export class Master {
  readonly #options: MasterOptions;
  readonly #ended = Promise.withResolvers<number>();
  #child: ChildProcess | null = null;
  #startedAt = 0;
  #failures = 0;
  #stopping = false;
  #again: NodeJS.Timeout | undefined;

  constructor(options: MasterOptions) {
    this.#options = options;
  }

  /** The code to exit with. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  start(): void {
    const { command, socket, clock } = this.#options;
    const [executable = '', ...args] = command;
    // Its standard input is a pipe that ends with this process, whichever way that goes (http/parent-watch.ts).
    const child = spawn(executable, args, { stdio: ['pipe', 'inherit', 'inherit', socket.fd()] });
    this.#child = child;
    this.#startedAt = clock.now();
    child.stdin?.on('error', () => {}); // it ended first
    child.once('error', (error) => this.#onEnd(null, error.message));
    child.once('exit', (code, signal) => this.#onEnd(code, signal));
  }

  /** The proxy drains and ends; it has the socket by itself, so that nobody waits on one that is not served any more. */
  stop(signal: NodeJS.Signals): void {
    if (!this.#stopping) this.#options.socket.close();
    this.#stopping = true;
    clearTimeout(this.#again);
    if (this.#child === null) this.#ended.resolve(0);
    else this.#child.kill(signal);
  }

  /** What a signal asks of the proxy alone. */
  pass(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  #onEnd(code: number | null, signal: string | null): void {
    if (this.#child === null) return;
    this.#child = null;
    if (this.#stopping || FINAL_CODES.includes(code)) this.#ended.resolve(code ?? EXIT_INTERNAL);
    else this.#startAgain(signal ?? `exit code ${code}`);
  }

  #startAgain(cause: string): void {
    const { clock, log } = this.#options;
    if (clock.now() - this.#startedAt >= STABLE_MS) this.#failures = 0;
    this.#failures++;
    if (this.#failures > MAX_FAILURES) {
      log.error('the proxy dies again and again', { code: 'INTERNAL', cause, deaths: this.#failures });
      this.#ended.resolve(EXIT_INTERNAL);
      return;
    }
    // The first time at once: connections wait.
    const waitMs = this.#failures === 1 ? 0 : Math.round(backoffMs(BACKOFF, this.#failures - 1, Math.random()));
    log.error('the proxy died and is started again', { cause, inMs: waitMs });
    this.#again = setTimeout(() => this.start(), waitMs);
  }
}
