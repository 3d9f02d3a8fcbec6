// For tests: a runtime with real Python processes in a folder of its own, and consumers that record what they are told.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { makeLog } from '../../../core/log.ts';
import type { RawHeaders } from '../../../http/exchange.ts';
import type { BufferedRequest, Slot, SlotConsumer } from '../../slot.ts';
import type { AppSpec, BootFailure, Child, Runtime } from '../runtime.ts';
import { makeWsgiRuntime } from '../wsgi.ts';
import { makeRequest } from './sample-request.ts';

export interface TrialOptions {
  /** Real interpreter: `inject('python')`. */
  readonly python: string;
  readonly app: string;
  /** Source files of the application, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Instead of `files`: a folder that is there. */
  readonly directory?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly threads?: number;
  readonly preload?: boolean;
  readonly development?: boolean;
}

/** One process as its supervisor would see it. */
export class TrialProcess {
  child: Child | null = null;
  pid = 0;
  slots: readonly Slot[] = [];
  failure: BootFailure | null = null;
  exit: { readonly code: number | null; readonly signal: string | null } | null = null;
  /** Names of the callbacks, in order. */
  readonly told: string[] = [];

  get slot(): Slot {
    return at(this.slots, 0);
  }

  async ready(): Promise<this> {
    await until(() => this.slots.length > 0 || this.exit !== null);
    if (this.exit !== null) throw new Error(`it did not start: ${JSON.stringify(this.failure ?? this.exit)}`);
    return this;
  }

  async exited(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    await until(() => this.exit !== null);
    return this.exit ?? { code: null, signal: null };
  }

  /** Sends a request on the first slot and waits for all of the answer. */
  ask(request: Partial<BufferedRequest> = {}): Promise<Recorder> {
    return ask(this.slot, request);
  }
}

export class Trial {
  readonly folder = mkdtempSync(join(tmpdir(), 'wsgi-trial-'));
  readonly runDirectory: string;
  readonly spec: AppSpec;
  readonly runtime: Runtime;
  readonly processes: TrialProcess[] = [];

  constructor(options: TrialOptions) {
    this.spec = this.#makeSpec(options);
    this.runDirectory = join(this.folder, 'run');
    mkdirSync(this.runDirectory, { mode: 0o700 });
    this.runtime = makeWsgiRuntime(
      this.spec,
      this.runDirectory,
      makeLog(() => {}, Date.now),
    );
  }

  start(): TrialProcess {
    const started = new TrialProcess();
    this.processes.push(started);
    started.child = this.runtime.start(this.processes.length, {
      onPid: (pid) => {
        started.told.push('pid');
        started.pid = pid;
      },
      onReady: (slots) => {
        started.told.push('ready');
        started.slots = slots;
      },
      onBootFailed: (failure) => {
        started.told.push('boot-failed');
        started.failure = failure;
      },
      onExit: (code, signal) => {
        started.told.push('exit');
        started.exit = { code, signal };
      },
    });
    return started;
  }

  /** What the processes have written to stdout and stderr. */
  get out(): string {
    return readFileSync(join(this.folder, 'out'), 'utf8');
  }
  get err(): string {
    return readFileSync(join(this.folder, 'err'), 'utf8');
  }

  async close(): Promise<void> {
    for (const process of this.processes) if (process.exit === null) process.child?.kill(false);
    for (const process of this.processes) await process.exited();
    this.runtime.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The interpreter is a script that keeps what the processes print, which they inherit from this program otherwise. */
  #makeSpec(options: TrialOptions): AppSpec {
    const directory = options.directory ?? join(this.folder, 'app');
    for (const [name, source] of Object.entries(options.files ?? {})) this.#write(join(directory, name), source);
    const script = join(this.folder, 'python');
    const [out, err] = [join(this.folder, 'out'), join(this.folder, 'err')];
    for (const file of [out, err]) writeFileSync(file, '');
    writeFileSync(script, `#!/bin/sh\nexec '${options.python}' "$@" >>'${out}' 2>>'${err}'\n`);
    chmodSync(script, 0o755);
    return {
      app: options.app,
      env: { PYTHONDONTWRITEBYTECODE: '1', ...options.env, WEBAPP_PYTHON: script },
      threads: options.threads ?? 1,
      preload: options.preload ?? false,
      directory,
      development: options.development ?? false,
      trustForwarded: true,
      limits: {
        bodyBytes: 2 ** 20,
        bodyMemoryBytes: 2 ** 18,
        headBytes: 2 ** 16,
        responseBufferBytes: 2 ** 20,
        connections: 100,
      },
    };
  }

  #write(path: string, source: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, source);
  }
}

/** A consumer that records what it is told. */
export class Recorder implements SlotConsumer {
  /** Names of the callbacks, in order. */
  readonly told: string[] = [];
  status = 0;
  reason = '';
  headers: RawHeaders = [];
  readonly chunks: Buffer[] = [];
  readonly informed: { readonly status: number; readonly headers: RawHeaders }[] = [];
  failed = '';
  onEnded: () => void = () => {};

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }
  get text(): string {
    return this.body.toString('latin1');
  }
  get json(): Record<string, unknown> {
    return JSON.parse(this.text) as Record<string, unknown>;
  }
  get ended(): boolean {
    return this.told.some((name) => name === 'end' || name === 'whole' || name === 'failed');
  }

  /** All values of a header, by lower-case name. */
  all(name: string): string[] {
    return this.headers.filter((_, index) => index % 2 === 1 && this.headers[index - 1]?.toLowerCase() === name);
  }

  onAccepted(): void {
    this.told.push('accepted');
  }
  onInform(status: number, headers: RawHeaders): void {
    this.told.push('inform');
    this.informed.push({ status, headers });
  }
  onHead(status: number, reason: string, headers: RawHeaders): void {
    this.told.push('head');
    Object.assign(this, { status, reason, headers });
  }
  onData(chunk: Buffer): void {
    if (this.told.at(-1) !== 'data') this.told.push('data');
    this.chunks.push(chunk);
  }
  onWhole(status: number, reason: string, headers: RawHeaders, body: Buffer): void {
    Object.assign(this, { status, reason, headers });
    this.chunks.push(body);
    this.#end('whole');
  }
  onEnd(): void {
    this.#end('end');
  }
  onFailed(how: 'died' | 'aborted' | 'invalid', _detail: string): void {
    this.failed = how;
    this.#end('failed');
  }

  #end(name: string): void {
    this.told.push(name);
    this.onEnded();
  }
}

/** Sends a request; resolves when the answer has ended, however. */
export function ask(slot: Slot, request: Partial<BufferedRequest> = {}): Promise<Recorder> {
  const recorder = new Recorder();
  return new Promise((resolve) => {
    recorder.onEnded = () => resolve(recorder);
    slot.send(makeRequest(request), recorder);
  });
}

/** Waits for what must come. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) throw new Error(`it has not come: ${condition}`);
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** Whether a process with this pid is there (a zombie is not). */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there is no item ${index} of ${list.length}`);
  return found;
}
