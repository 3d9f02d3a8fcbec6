// How an application process leaves: requests under way are finished first, then the application hears SIGTERM as it would
// from any process manager (it may close its WebSockets and its database), then the process exits with 0. How long this may
// take is the supervisor's business: it kills what lingers.
import type { Running } from './app-server.ts';

/** The application has heard SIGTERM and nothing of it runs, but it does not exit: long enough for a goodbye to a database. */
const GOODBYE_MS = 5_000;

export class Leaving {
  readonly #running: Running;
  #begun = false;
  /** Whether the application has heard SIGTERM, and whether it listens for it. */
  #told = false;
  #listens = false;

  constructor(running: Running) {
    this.#running = running;
    // Switches off Node's default, which is to end at once.
    process.on('SIGTERM', this.#onSignal);
    // Ctrl-C in a terminal reaches the whole process group; the supervisor hears it too, and decides.
    process.on('SIGINT', () => undefined);
  }

  /** Finish what runs, exit 0. Twice is safe. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    // A turn later: requests that are on their way in are read first, and a connection is idle only behind its response's end.
    this.#running.onFewer = () => setImmediate(() => this.#step());
    this.#running.onFewer();
  }

  /** The application's own listeners hear this very signal. */
  readonly #onSignal = (): void => {
    this.#listens = this.#hasListeners();
    this.#told = true;
    this.begin();
  };

  #step(): void {
    if (this.#running.requests > 0) return;
    if (!this.#told) this.#tell();
    this.#running.closeIdleConnections();
    if (this.#running.upgraded > 0) return;
    if (this.#listens) setTimeout(() => process.exit(0), GOODBYE_MS).unref();
    else process.exit(0);
  }

  #tell(): void {
    this.#told = true;
    this.#listens = this.#hasListeners();
    if (this.#listens) process.emit('SIGTERM', 'SIGTERM');
  }

  #hasListeners(): boolean {
    return process.listeners('SIGTERM').some((listener) => listener !== this.#onSignal);
  }
}
