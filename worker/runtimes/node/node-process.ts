// One Node application process as the supervisor's side sees it: starts it, hears it on the control pipe, gives its slots.
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Log } from '../../../core/log.ts';
import { connectWire } from '../../../http/wire/http1-connection.ts';
import { afterLastWords } from '../last-words.ts';
import type { AppSpec, BootFailure, Child, ChildEvents } from '../runtime.ts';
import { makeCommand } from './command.ts';
import { Connections } from './connections.ts';
import { prefaceStart } from './preface.ts';
import { type ChildMessage, CONTROL_FD, Lines, PING_LINE, STOP_LINE } from './settings.ts';
import { NodeSlot, type SlotProcess } from './slot.ts';

export interface Place {
  readonly runDirectory: string;
  readonly secret: string;
}

/** A Unix socket of a live process refuses only when its backlog is full, at once. */
const CONNECT_MS = 10_000;
/** sun_path of sockaddr_un, less its final NUL: 108 bytes on Linux, 104 on macOS and the BSDs. */
const MAX_SOCKET_PATH = 103;

/**
 * SIGABRT would only leave a core file, and a debugger's port (SIGUSR1), which tells the stack, would let in every user of the
 * machine.
 */
const NO_STACK =
  'A Node process whose event loop does not turn is killed. Node tells nobody where it is; look for a loop, a regular expression or synchronous work in what it served.';

export class NodeProcess implements Child, SlotProcess {
  readonly blocksAsOne = true;
  readonly connections: Connections;
  readonly prefaceStart: string;
  gone = false;
  readonly #spec: AppSpec;
  readonly #place: Place;
  readonly #log: Log;
  #events: ChildEvents | null = null;
  #child: ChildProcess | null = null;
  #socket = '';
  #listensOn = '';
  #slots: NodeSlot[] = [];
  /** Slots of the ping under way, and those for the next. */
  #pinged: NodeSlot[] = [];
  readonly #waiting: NodeSlot[] = [];
  /** Whether onReady or onBootFailed has been called, or need not be: the supervisor ends it itself. */
  #told = false;
  #exited = false;

  constructor(spec: AppSpec, place: Place, log: Log) {
    this.#spec = spec;
    this.#place = place;
    this.#log = log;
    this.prefaceStart = prefaceStart(place.secret);
    this.connections = new Connections(() => connectWire({ path: this.#listensOn }, { connectMs: CONNECT_MS }));
  }

  /** Once. Events come later, never within this call. */
  start(id: number, events: ChildEvents): void {
    this.#events = events;
    this.#socket = join(this.#place.runDirectory, `node-${id}.sock`);
    try {
      this.#spawn();
    } catch (error) {
      setImmediate(() => this.#notStarted(error));
    }
  }

  #spawn(): void {
    const { app, trustForwarded, directory } = this.#spec;
    const { secret } = this.#place;
    if (Buffer.byteLength(`${this.#socket}.own`) > MAX_SOCKET_PATH) {
      throw new Error(`the path of its socket is longer than ${MAX_SOCKET_PATH} bytes: ${this.#socket}`);
    }
    const settings = { app, parent: process.pid, socket: this.#socket, secret, trustForwarded };
    const command = makeCommand(this.#spec, settings, process.env);
    // A session of its own: Ctrl-C in a terminal is for the supervisor, which then lets the processes finish.
    const child = spawn(command.file, command.args, {
      cwd: directory,
      env: command.env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#child = child;
    if (child.pid !== undefined) setImmediate(() => this.#events?.onPid(child.pid ?? 0));
    child.on('error', (error) => this.#notStarted(error));
    child.on('exit', (code, signal) => this.#ended(code, signal));
    this.#listen(child.stdio[CONTROL_FD] as Duplex);
  }

  #listen(control: Duplex): void {
    const lines = new Lines();
    control.setEncoding('utf8');
    control.on('data', (text: string) => {
      for (const line of lines.push(text)) this.#hear(line);
    });
    control.on('end', () => this.#lost());
    control.on('error', () => this.#lost());
  }

  #hear(line: string): void {
    const message = readMessage(line);
    if (message?.type === 'pong') this.#turned();
    else if (message?.type === 'boot-failed') this.#tellFailure(message);
    else if (message?.type === 'ready' && !this.#told) this.#becomeReady(message.socket);
  }

  awaitTurn(slot: NodeSlot): void {
    this.#waiting.push(slot);
    if (this.#pinged.length === 0) this.#ping();
  }

  /** One ping at a time, for all that have waited since the last. */
  #ping(): void {
    this.#pinged = this.#waiting.splice(0);
    if (this.#pinged.length > 0) this.#write(PING_LINE);
  }

  #turned(): void {
    const pinged = this.#pinged;
    this.#ping();
    for (const slot of pinged) slot.turned();
  }

  #write(line: string): void {
    const control = this.#child?.stdio[CONTROL_FD] as Duplex | undefined;
    if (control?.writable) control.write(`${line}\n`);
  }

  #becomeReady(socket: string): void {
    this.#told = true;
    // Nowhere but where we asked: the line comes from a process that runs other people's code.
    this.#listensOn = socket === this.#socket ? this.#socket : `${this.#socket}.own`;
    this.#slots = Array.from({ length: this.#spec.threads }, () => new NodeSlot(this));
    this.#events?.onReady(this.#slots);
  }

  #tellFailure({ reason, mend, traceback }: BootFailure): void {
    if (this.#told) return;
    this.#told = true;
    this.#events?.onBootFailed({ reason, mend, traceback });
  }

  /** The control pipe has closed: the process has ended, or is ending. */
  #lost(): void {
    this.gone = true;
    for (const slot of this.#slots) slot.processGone();
  }

  #notStarted(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.#tellFailure({
      reason: `The process could not be started: ${detail}`,
      mend: `Look whether ${this.#spec.directory} is there, and at the limits on processes and memory.`,
      traceback: '',
    });
    this.#ended(null, null);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#exited) return;
    this.#exited = true;
    this.#lost();
    afterLastWords(() => this.#tellEnd(code, signal));
  }

  #tellEnd(code: number | null, signal: NodeJS.Signals | null): void {
    this.#tellFailure({
      reason: `The process ended while it was starting, ${signal === null ? `with code ${code}` : `by ${signal}`}`,
      mend: 'What it printed before says why.',
      traceback: '',
    });
    this.connections.close();
    for (const path of [this.#socket, `${this.#socket}.own`]) rmSync(path, { force: true });
    this.#events?.onExit(code, signal);
  }

  stop(): void {
    this.#told ||= this.#slots.length === 0;
    this.#write(STOP_LINE);
  }

  kill(dump: boolean): void {
    this.#told ||= this.#slots.length === 0;
    if (dump) this.#log.warn(NO_STACK, { pid: this.#child?.pid });
    this.#child?.kill('SIGKILL');
  }

  connect(): Socket {
    return connect({ path: this.#listensOn });
  }
}

function readMessage(line: string): ChildMessage | null {
  try {
    const message: unknown = JSON.parse(line);
    return isMessage(message) ? message : null;
  } catch {
    return null;
  }
}

function isMessage(value: unknown): value is ChildMessage {
  if (typeof value !== 'object' || value === null) return false;
  const strings = (names: readonly string[]): boolean =>
    names.every((name) => typeof Reflect.get(value, name) === 'string');
  const type: unknown = Reflect.get(value, 'type');
  if (type === 'ready') return strings(['socket']);
  return type === 'pong' || (type === 'boot-failed' && strings(['reason', 'mend', 'traceback']));
}
