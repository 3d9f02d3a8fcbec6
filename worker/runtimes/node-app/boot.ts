// The boot of an application process, from the load of the application to the listening socket. Everything that can end it
// is told to the supervisor before the process exits: an error, an exit of the application's own, or nothing that serves.
import cluster from 'node:cluster';
import type { Server as NetServer } from 'node:net';
import type { AppSettings } from '../node/settings.ts';
import { handOver, type Running, serverBefore, standBehindFront } from './app-server.ts';
import { describeFailure } from './boot-failure.ts';
import type { Control } from './control.ts';
import { captureListen, type ListenCapture } from './listening.ts';
import { type AppReference, loadApp, splitApp } from './load-app.ts';
import { HttpServer } from './node-http.ts';
import { findServable, listExports, NotServable, namedServable } from './servable.ts';
import { surroundingsOf } from './surroundings.ts';

/** Exit code of a process whose application does not start. */
const BOOT_FAILED = 3;
/** After so long without a server the application's author is told what is being waited for. */
const PATIENCE_MS = 10_000;
/** While the application loads: an error deep in a library shall still show which line of the application led there. */
const STACK_FRAMES = 50;

export class Boot {
  readonly #settings: AppSettings;
  readonly #control: Control;
  readonly #running: Running;
  readonly #app: AppReference;
  readonly #capture: ListenCapture;
  /** Serves, or is about to: the application's own server that listens, or one made for its export. */
  #serving: HttpServer | null = null;
  readonly #stackFrames = Error.stackTraceLimit;
  #loaded = false;
  #exports = 'none';
  #done = false;

  constructor(settings: AppSettings, control: Control, running: Running) {
    this.#settings = settings;
    this.#control = control;
    this.#running = running;
    this.#app = splitApp(settings.app, process.cwd());
    // A path of its own: which server is meant may be known only after it has begun to listen (`server.js:server`).
    this.#capture = captureListen(`${settings.socket}.own`, (server) => this.#captured(server));
  }

  /** Never throws: it ends in `ready`, in a failure told and the process's exit, or waits for the application to listen. */
  async start(): Promise<void> {
    process.on('uncaughtExceptionMonitor', this.#onUncaught);
    process.on('beforeExit', this.#onIdle);
    process.on('exit', this.#onExit);
    cluster.on('fork', this.#onFork);
    Error.stackTraceLimit = STACK_FRAMES;
    try {
      await this.#load();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #load(): Promise<void> {
    const exported = await loadApp(this.#app);
    this.#loaded = true;
    this.#exports = listExports(exported);
    const { exportName } = this.#app;
    if (exportName !== null) this.#serve(await namedServable(exported, exportName));
    else if (this.#serving === null) this.#serveFound(await findServable(exported));
  }

  #serveFound(server: HttpServer | null): void {
    // It may have listened meanwhile.
    if (this.#serving !== null) return;
    if (server !== null) this.#serve(server);
    // Else it may yet listen, when its database has answered.
    else setTimeout(() => this.#explainWaiting(), PATIENCE_MS).unref();
  }

  #serve(server: HttpServer): void {
    this.#serving = server;
    if (server === this.#capture.server) {
      this.#readyOnceListening(server, this.#capture.path);
    } else {
      standBehindFront(server, this.#settings, this.#running);
      this.#listen(server);
    }
  }

  /** Within the application's `listen`. */
  #captured(server: NetServer): void {
    if (server instanceof HttpServer) standBehindFront(server, this.#settings, this.#running);
    if (this.#app.exportName !== null) return;
    if (this.#serving !== null) {
      handOver(this.#serving, server);
    } else if (server instanceof HttpServer) {
      this.#serving = server;
      this.#readyOnceListening(server, this.#capture.path);
    } else {
      this.#serve(serverBefore(server));
    }
  }

  #listen(server: HttpServer): void {
    const { socket } = this.#settings;
    server.once('error', (error) => this.#fail(error));
    this.#capture.listen(server, socket);
    this.#readyOnceListening(server, socket);
  }

  #readyOnceListening(server: HttpServer, socket: string): void {
    if (server.listening) this.#ready(socket);
    else server.once('listening', () => this.#ready(socket));
  }

  #ready(socket: string): void {
    if (this.#done) return;
    this.end();
    this.#control.tell({ type: 'ready', socket });
  }

  /** The boot is over: what ends the process from now on is no failure of it. */
  end(): void {
    this.#done = true;
    process.off('uncaughtExceptionMonitor', this.#onUncaught);
    process.off('beforeExit', this.#onIdle);
    process.off('exit', this.#onExit);
    cluster.off('fork', this.#onFork);
    if (Error.stackTraceLimit === STACK_FRAMES) Error.stackTraceLimit = this.#stackFrames;
  }

  #fail(error: unknown): void {
    if (this.#done) return;
    this.#done = true;
    this.#control.tell({ type: 'boot-failed', ...describeFailure(error, surroundingsOf(this.#app.file)) });
    process.exit(BOOT_FAILED);
  }

  /** Before Node ends the process for an error that nobody catches; one that the application catches is its own affair. */
  readonly #onUncaught = (error: unknown): void => {
    if (process.listenerCount('uncaughtException') === 0) this.#fail(error);
  };

  /** Nothing is left that could listen. */
  readonly #onIdle = (): void => {
    const { app } = this.#settings;
    this.#fail(
      this.#loaded
        ? new NotServable(
            `${app} exports nothing that serves requests and does not listen; its exports: ${this.#exports}`,
            'Export a (req, res) function such as an Express app, an http.Server or an object with fetch(Request), or call listen().',
          )
        : new NotServable(`${app} awaits something at its top level that never comes`, 'Look at its top-level awaits.'),
    );
  };

  readonly #onExit = (code: number): void => {
    this.#fail(
      new NotServable(
        `The application ended the process while it was starting (process.exit with code ${code})`,
        'What it printed before says why.',
      ),
    );
  };

  /** Its workers would listen on the public port past the front, and this process never would. */
  readonly #onFork = (): void => {
    this.#fail(
      new NotServable(
        'The application starts processes of its own by node:cluster',
        'Let it listen in the process itself: how many processes there are is set by workers.processes.',
      ),
    );
  };

  #explainWaiting(): void {
    const { app } = this.#settings;
    if (!this.#done)
      console.error(`webapp: ${app} has not called listen() yet, and its exports do not serve: ${this.#exports}`);
  }
}
