// `webapp up` as a person runs it, for promises: in a folder of files, read from outside.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { inject, onTestFinished, vi } from 'vitest';
import { allPids, commandLine, descendants, isAlive } from './processes.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export const FLASK = `
import os, time
from flask import Flask
app = Flask(__name__)

@app.get('/')
def index():
    return 'version one'

@app.get('/pid')
def pid():
    return str(os.getpid())

@app.get('/slow')
def slow():
    time.sleep(2)
    return 'slow'

@app.get('/boom')
def boom():
    return 1 / 0
`;

export interface Up {
  readonly folder: string;
  readonly pid: number;
  /** All that it printed. */
  output(): string;
  /** Address of the WebApp, once it is printed. */
  url(name: string): Promise<string>;
  /** Waits until it has printed this. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  write(file: string, text: string): void;
  signal(name: NodeJS.Signals): void;
  /** Exit code. */
  readonly ended: Promise<number | null>;
  /** Pids of everything it has started. */
  below(): number[];
  /** Of the proxy or the worker program. */
  program(name: 'proxy' | 'worker'): number;
}

/** A folder of files, removed when the test ends. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'up-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const app = join(folder, 'shop');
  mkdirSync(app);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(app, name)), { recursive: true });
    writeFileSync(join(app, name), text);
  }
  return app;
}

export function manifest(name: string, spec: string, source = '.'): string {
  const annotations = `annotations: {webapp-operator.io/source: ${source}}`;
  return `apiVersion: webapp-operator.io/v1alpha1\nkind: WebApp\nmetadata: {name: ${name}, ${annotations}}\nspec: {image: x, ${spec}}\n`;
}

/** Starts it in a folder, on any free port; ends it with the test. */
export function up(folder: string, words = '--port 0', variables: Readonly<Record<string, string>> = {}): Up {
  const environment = { ...process.env, VIRTUAL_ENV: join(inject('python'), '../..'), ...variables };
  const child = spawn(process.execPath, [main, 'up', ...words.split(' ')], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid as number;
  const output = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    const left = descendants(pid);
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    for (const one of left) if (isAlive(one)) process.kill(one, 'SIGKILL');
    await ended;
  });
  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    eventually(() => {
      const match = pattern.exec(output());
      if (!match) throw new Error(`not said: ${pattern}\n${output()}`);
      return match;
    });
  return {
    folder,
    pid,
    output,
    says,
    ended,
    url: async (name) => (await says(new RegExp(`[✓✗] ${name} +(http://\\S+)`)))[1] ?? '',
    write: (file, text) => writeFileSync(join(folder, file), text),
    signal: (name) => void child.kill(name),
    below: () => descendants(pid),
    program: (name) => programBelow(pid, name),
  };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  const take = (chunk: Buffer): void => {
    text = (text + stripVTControlCharacters(chunk.toString())).slice(-200_000);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => text;
}

function programBelow(pid: number, name: 'proxy' | 'worker'): number {
  const found = descendants(pid).find((one) => commandLine(one).some((word) => word.endsWith(`/${name}/main.ts`)));
  if (found === undefined) throw new Error(`no ${name} below ${pid}`);
  return found;
}

/** @returns the programs that a `webapp up` which has ended still has running: their command line names its folder */
export function leftBehind(pid: number): string[] {
  const lines = allPids().map((one) => commandLine(one).join(' '));
  return lines.filter((line) => line.includes(`/webapp-up-${pid}-`));
}

/** A hang fails as an assertion, with the last reason. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 50 });
}

export async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
}

export async function allGone(pids: readonly number[]): Promise<void> {
  await eventually(() => {
    const alive = pids.filter(isAlive);
    if (alive.length > 0)
      throw new Error(`still there: ${alive.map((pid) => `${pid} ${commandLine(pid).join(' ')}`).join('; ')}`);
  });
}
