// For tests: an application written into a folder of its own and run by makeNodeRuntime in a real process, and requests to its
// slots as promises.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeLog } from '../../../core/log.ts';
import type { RawHeaders } from '../../../http/exchange.ts';
import type { BufferedRequest, Slot, SlotConsumer } from '../../slot.ts';
import { makeNodeRuntime } from '../node.ts';
import type { AppSpec, BootFailure, Child } from '../runtime.ts';

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

export interface AppOptions {
  readonly app?: string;
  readonly env?: Record<string, string>;
  readonly threads?: number;
  readonly development?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export class TestApp {
  readonly directory: string;
  readonly child: Child;
  pid = 0;
  /** What the runtime told, in order. */
  readonly story: string[] = [];
  readonly exited: Promise<Exit>;
  readonly #booted: Promise<readonly Slot[] | BootFailure>;
  readonly runDirectory: string;
  slots: readonly Slot[] = [];

  constructor(files: Readonly<Record<string, string>>, options: AppOptions = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'node-app-'));
    this.runDirectory = mkdtempSync(join(tmpdir(), 'node-run-'));
    writeFiles(this.directory, files);
    const runtime = makeNodeRuntime(specOf(this.directory, files, options), this.runDirectory, SILENT);
    const booted = Promise.withResolvers<readonly Slot[] | BootFailure>();
    const exited = Promise.withResolvers<Exit>();
    this.#booted = booted.promise;
    this.exited = exited.promise;
    this.child = runtime.start(1, {
      onPid: (pid) => {
        this.pid = pid;
        this.story.push('pid');
      },
      onReady: (slots) => {
        this.story.push('ready');
        booted.resolve(slots);
      },
      onBootFailed: (failure) => {
        this.story.push('boot-failed');
        booted.resolve(failure);
      },
      onExit: (code, signal) => {
        this.story.push('exit');
        exited.resolve({ code, signal });
        booted.reject(new Error(`it ended before it was ready: ${code} ${signal}`));
      },
    });
    this.#booted.catch(() => undefined);
  }

  /** @throws what kept it from starting */
  async ready(): Promise<this> {
    const outcome = await this.#booted;
    if ('reason' in outcome) throw new Error(`${outcome.reason}\n${outcome.traceback}`);
    this.slots = outcome;
    return this;
  }

  async failure(): Promise<BootFailure> {
    const outcome = await this.#booted;
    if ('reason' in outcome) return outcome;
    throw new Error('it is ready');
  }

  send(request: Partial<BufferedRequest> = {}, slot = 0): Answer {
    const answer = new Answer();
    const taken = this.slots[slot];
    if (taken === undefined) throw new Error(`there is no slot ${slot}`);
    taken.send(makeRequest(request), answer);
    return answer;
  }

  /** The whole answer to a request. @throws when it failed */
  async ask(request: Partial<BufferedRequest> = {}, slot = 0): Promise<Answer> {
    const answer = this.send(request, slot);
    await answer.over;
    if (answer.failure !== null) throw new Error(answer.failure);
    return answer;
  }

  async close(): Promise<void> {
    this.child.kill(false);
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.runDirectory, { recursive: true, force: true });
  }
}

/** One response, as the slot told it. */
export class Answer implements SlotConsumer {
  status = 0;
  headers: RawHeaders = [];
  accepted = false;
  /** onWhole instead of onHead, onData and onEnd. */
  whole = false;
  failure: string | null = null;
  readonly informed: number[] = [];
  readonly chunks: Buffer[] = [];
  readonly over: Promise<void>;
  readonly #finish: () => void;
  /** Called at everything that is told. */
  onNews: (() => void) | null = null;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#finish = resolve;
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }
  get text(): string {
    return this.body.toString();
  }
  /** All values of a field. */
  all(name: string): string[] {
    return this.headers.flatMap((value, index) =>
      index % 2 === 0 && value.toLowerCase() === name ? [this.headers[index + 1] ?? ''] : [],
    );
  }

  /** Resolves when `condition` holds, looked at whenever something is told. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      this.onNews = () => {
        if (!condition()) return;
        this.onNews = null;
        resolve();
      };
    });
  }

  onAccepted(): void {
    this.accepted = true;
    this.onNews?.();
  }
  onInform(status: number): void {
    this.informed.push(status);
    this.onNews?.();
  }
  onHead(status: number, _reason: string, headers: RawHeaders): void {
    this.status = status;
    this.headers = headers;
    this.onNews?.();
  }
  onData(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.onNews?.();
  }
  onWhole(status: number, _reason: string, headers: RawHeaders, body: Buffer): void {
    this.whole = true;
    this.status = status;
    this.headers = headers;
    this.chunks.push(body);
    this.onEnd();
  }
  onEnd(): void {
    this.onNews?.();
    this.#finish();
  }
  onFailed(how: string, detail: string): void {
    this.failure = `${how}: ${detail}`;
    this.onEnd();
  }
}

/** @param partial `body` decides the body's fields */
export function makeRequest(partial: Partial<BufferedRequest>): BufferedRequest {
  const hasBody = partial.body !== undefined || partial.bodyFile !== undefined;
  return {
    method: 'GET',
    target: '/',
    version: '1.1',
    headers: ['Host', 'shop.test'],
    host: 'shop.test',
    peer: { address: '192.0.2.7', port: 4711, encrypted: false, localAddress: '192.0.2.1', localPort: 80 },
    scheme: 'http',
    clientAddress: '192.0.2.7',
    hasBody,
    bodyBytes: partial.body?.length ?? 0,
    body: null,
    bodyFile: null,
    wantAccept: partial.method === 'POST',
    ...partial,
  };
}

function specOf(directory: string, files: Readonly<Record<string, string>>, options: AppOptions): AppSpec {
  return {
    app: options.app ?? Object.keys(files)[0] ?? 'server.js',
    env: options.env ?? {},
    threads: options.threads ?? 4,
    preload: false,
    directory,
    development: options.development ?? false,
    trustForwarded: true,
    limits: {
      bodyBytes: 10 ** 9,
      bodyMemoryBytes: 256 * 1024,
      headBytes: 64 * 1024,
      responseBufferBytes: 1024 * 1024,
      connections: 1000,
    },
  };
}

function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  symlinkSync(modules, join(directory, 'node_modules'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}

const SILENT = makeLog(
  () => undefined,
  () => 0,
);
