// `webapp up` as a person runs it, for promises: started, edited, watched from outside (the operating system and the status
// documents on the admin ports), stopped. Black box: nothing of the product is imported but the documents' schemas.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { type ProxyStatus, proxyStatusSchema } from '../../core/status/proxy.ts';
import { type WorkerStatus, workerStatusSchema } from '../../core/status/worker.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const SHOPS = [
  { name: 'flask-shop', app: 'shop:app' },
  { name: 'express-shop', app: 'server.js' },
] as const;

export interface Stack {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** Process of `webapp up`. */
  readonly pid: number;
  /** All that `webapp up` printed. */
  output(): string;
  workerStatus(): Promise<WorkerStatus>;
  proxyStatus(): Promise<ProxyStatus>;
  /** What one of the programs tells at /metrics. */
  metrics(of: 'worker' | 'proxy', accept?: string): Promise<string>;
  /** Pids of the two programs. */
  programs(): { worker: number; proxy: number };
  /** Writes the manifest anew with this spec; `webapp up` is to apply it. */
  edit(spec: object): void;
  /** Ctrl-C; @returns the exit code */
  stop(): Promise<number | null>;
}

/**
 * Starts it, and stops it when the test ends.
 * @param source folder of the application, relative to the repository's root
 */
export function startStack(source: string, spec: object, ...flags: string[]): Promise<Stack> {
  return startNamedStack('app', source, spec, ...flags);
}

/** Of a name that no other `webapp up` on this machine has, so that `webapp` commands find it. */
export async function startNamedStack(name: string, source: string, spec: object, ...flags: string[]): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'stack-'));
  const manifest = join(folder, 'webapp.yaml');
  const write = (wanted: object): void =>
    writeFileSync(
      manifest,
      stringify({
        apiVersion: 'webapp-operator.io/v1alpha1',
        kind: 'WebApp',
        metadata: { name, annotations: { 'webapp-operator.io/source': relative(folder, join(root, source)) } },
        spec: { image: 'not-used', ...wanted },
      }),
    );
  write(spec);

  const child = spawn('node', ['cli/main.ts', 'up', manifest, '--port', '0', ...flags], {
    cwd: root,
    env: { ...process.env, VIRTUAL_ENV: join(inject('python'), '../..'), SHOP_DATABASE: join(folder, 'shop.sqlite') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-100_000)));
  child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-100_000)));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

  onTestFinished(async () => {
    child.kill('SIGINT');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });

  const port = Number(
    await until(
      'an address',
      () => /http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1],
      child,
      () => output,
    ),
  );
  const stack: Stack = {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid as number,
    output: () => output,
    workerStatus: async () => workerStatusSchema.parse(await status(programOf(child.pid as number, 'worker').admin)),
    proxyStatus: async () => proxyStatusSchema.parse(await status(programOf(child.pid as number, 'proxy').admin)),
    metrics: (of, accept = '') => ask(programOf(child.pid as number, of).admin, '/metrics', accept),
    programs: () => ({
      worker: programOf(child.pid as number, 'worker').pid,
      proxy: programOf(child.pid as number, 'proxy').pid,
    }),
    edit: write,
    stop: () => {
      child.kill('SIGINT');
      return exited;
    },
  };
  await until(
    'as many ready processes as wanted',
    async () => {
      const processes = (await stack.workerStatus().catch(() => null))?.processes;
      return processes && processes.ready === processes.desired ? true : undefined;
    },
    child,
    () => output,
  );
  return stack;
}

/** Polls until `look` gives a value. A hang fails as an assertion that says what was waited for. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  child?: ChildProcess,
  output: () => string = () => '',
): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (child && child.exitCode !== null)
      throw new Error(`webapp up ended with code ${child.exitCode} before ${what}:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`no ${what} within 60 s\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The worker or proxy program below `pid`, with the admin socket that its command line names. */
function programOf(pid: number, kind: 'worker' | 'proxy'): { pid: number; admin: string } {
  for (const descendant of descendants(pid)) {
    const args = commandLine(descendant);
    if (!args.some((arg) => arg.endsWith(`${kind}/main.ts`) || arg.endsWith(`webapp-${kind}.mjs`))) continue;
    const admin = args[args.indexOf('--admin') + 1]?.replace(/^unix:/, '');
    if (admin) return { pid: descendant, admin };
  }
  throw new Error(`no ${kind} program below process ${pid}`);
}

/** @returns pids of all processes below `pid`, nearest first */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (let next = parents.get(pid) ?? []; next.length > 0; next = next.flatMap((child) => parents.get(child) ?? []))
    found.push(...next);
  return found;
}

function parentOf(pid: number): number | undefined {
  const stat = readProc(pid, 'stat');
  return stat === '' ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function commandLine(pid: number): string[] {
  return readProc(pid, 'cmdline').split('\0');
}

/** @returns whether the process lives (a zombie does not) */
export function isAlive(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

/** @returns resident memory, bytes */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readProc(pid, 'status'))?.[1] ?? 0) * 1024;
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

async function status(socketPath: string): Promise<unknown> {
  return JSON.parse(await ask(socketPath, '/status'));
}

function ask(socketPath: string, path: string, accept = '*/*'): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = get({ socketPath, path, headers: { accept } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('the admin port does not answer')));
  });
}
