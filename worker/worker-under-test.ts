// For tests: the real program as a child process in a folder of its own, and a client for it.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type WorkerConfig, workerConfigSchema } from '../core/config/worker.ts';
import { type WorkerStatus, workerStatusSchema } from '../core/status/worker.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));

export type LogLine = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface WorkerPlan {
  /** Name in the application's folder → content. */
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** @throws Error naming `what` when it does not come true in time */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 25_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The program, from its start to its end. */
export class WorkerUnderTest {
  /** The application's folder. */
  readonly directory: string;
  /** Where its private folder is made. */
  readonly temporary: string;
  readonly lines: LogLine[] = [];
  /** What is no log line: the application's own output. */
  output = '';
  exitCode: number | null = null;
  signal: string | null = null;
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true });
  #rest = '';

  constructor(plan: WorkerPlan) {
    this.temporary = mkdtempSync(join(tmpdir(), 'wut-'));
    this.directory = mkdtempSync(join(tmpdir(), 'wut-app-'));
    for (const [name, content] of Object.entries(plan.files)) this.write(name, content);
    symlinkSync(MODULES, join(this.directory, 'node_modules'));
    this.#child = spawn(process.execPath, [MAIN, ...plan.args], {
      cwd: this.directory,
      env: { ...process.env, TMPDIR: this.temporary, ...plan.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own process group, as a terminal makes it for a command.
      detached: true,
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk;
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#hear(`${chunk}`));
    this.#child.on('exit', (code, signal) => {
      this.exitCode = code;
      this.signal = signal;
    });
  }

  #hear(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) {
      if (line.startsWith('{"time"')) this.lines.push(JSON.parse(line));
      else this.output += `${line}\n`;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.exitCode !== null || this.signal !== null;
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.directory, name), content);
  }

  line(field: string, value: unknown): LogLine | undefined {
    return this.lines.find((line) => line[field] === value);
  }

  async listening(): Promise<this> {
    await until('listening', () => this.line('msg', 'listening') !== undefined || this.hasEnded);
    if (this.hasEnded) throw new Error(`it ended with ${this.exitCode}: ${JSON.stringify(this.lines)} ${this.output}`);
    return this;
  }

  async ready(processes: number): Promise<this> {
    await this.listening();
    await until(`${processes} ready processes`, async () => (await this.status()).processes.ready === processes);
    return this;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As Ctrl-C in a terminal: every process of its group gets SIGINT. */
  interruptGroup(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  async ended(): Promise<number | null> {
    await until('the end of the program', () => this.hasEnded);
    return this.exitCode;
  }

  /** Asks a path of the application. Rejects when there is no whole answer. */
  ask(path: string, options: { method?: string; body?: string } = {}): Promise<Answer> {
    return this.#request(String(this.line('msg', 'listening')?.['listen']), path, options);
  }

  askAdmin(path: string): Promise<Answer> {
    return this.#request(String(this.line('msg', 'listening')?.['admin']), path, {});
  }

  async status(): Promise<WorkerStatus> {
    return workerStatusSchema.parse(JSON.parse((await this.askAdmin('/status')).text));
  }

  #request(address: string, path: string, options: { method?: string; body?: string }): Promise<Answer> {
    const [host, port] = address.split(':');
    const { method = 'GET', body } = options;
    return new Promise((resolve, reject) => {
      const asked = request({ host, port: Number(port), path, method, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  /** Ends what is left of it. */
  async close(): Promise<void> {
    this.#agent.destroy();
    if (!this.hasEnded) this.kill('SIGKILL');
    await this.ended();
    for (const path of [this.directory, this.temporary]) rmSync(path, { recursive: true, force: true });
  }
}

/** Steady requests until stopped; what was not answered with 200 is a failure. */
export class Load {
  ok = 0;
  readonly failures: string[] = [];
  readonly #worker: WorkerUnderTest;
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(worker: WorkerUnderTest, path: string, clients: number) {
    this.#worker = worker;
    this.#running = Array.from({ length: clients }, () => this.#client(path));
  }

  async #client(path: string): Promise<void> {
    while (!this.#stopped) {
      try {
        const { status, text } = await this.#worker.ask(path);
        if (status === 200) this.ok++;
        else this.failures.push(`${status} ${text}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }

  /** Lets so many more requests succeed. */
  async goOn(requests: number): Promise<void> {
    const goal = this.ok + requests;
    await until(`${requests} more requests; failed: ${this.failures}`, () => this.ok >= goal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }
}

/** A whole document with what a test wants otherwise. */
export function makeDocument(more: Partial<WorkerConfig>): WorkerConfig {
  return workerConfigSchema.parse({
    kind: 'WorkerConfig',
    version: 1,
    name: 'test',
    hash: 'first',
    app: 'app:app',
    runtime: 'wsgi',
    env: {},
    processes: 2,
    threads: 1,
    preload: false,
    timeouts: { requestMs: 30_000, gracefulMs: 20_000, bootMs: 20_000 },
    queue: { max: 100, timeoutMs: 20_000 },
    limits: {
      bodyBytes: 1_000_000,
      bodyMemoryBytes: 100_000,
      headBytes: 65_536,
      responseBufferBytes: 65_536,
      connections: 1_000,
    },
    trustForwarded: false,
    ...more,
  });
}

export const ANY_PORT = ['--bind', '127.0.0.1:0', '--admin', '127.0.0.1:0'] as const;

/** A Flask and an Express application with the same paths. */
export const FLASK_APP = `
import os, signal, time
from flask import Flask, request
app = Flask(__name__)

@app.get('/')
def index():
    return f'{os.getpid()} {os.environ.get("COLOUR", "")}'

@app.get('/slow')
def slow():
    time.sleep(float(request.args['s']))
    return 'slow'

@app.get('/hang')
def hang():
    while True:
        time.sleep(60)

@app.get('/crash')
def crash():
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)
`;

export const EXPRESS_APP = `
const express = require('express');
const app = express();
app.get('/', (request, response) => response.send(process.pid + ' ' + (process.env.COLOUR ?? '')));
app.get('/slow', (request, response) => setTimeout(() => response.send('slow'), 1000 * Number(request.query.s)));
app.get('/hang', () => { for (;;); });
app.get('/crash', () => process.kill(process.pid, 'SIGSEGV'));
module.exports = app;
`;
