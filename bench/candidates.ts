// The stacks that are measured: each is started on loopback, tells which processes are its own, and is stopped. Real nginx
// (Debian), real gunicorn (PyPI), tuned http-proxy, and ours as built into dist/. Access logs are off everywhere.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { validateWebApp } from '../core/app/validate.ts';
import { makeProxyConfig } from '../core/config/proxy.ts';
import { makeWorkerConfig } from '../core/config/worker.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const apps = join(root, 'bench/apps');

export interface Running {
  readonly url: string;
  /** Roots of the process trees that are the candidate: their CPU is counted. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface Candidate {
  readonly name: string;
  start(): Promise<Running>;
}

/** Processes that serve the application, for every candidate of the whole stack. */
const PROCESSES = 2;

export function nginxGunicorn(python: string, threads: number): Candidate {
  const kind = threads > 1 ? `gthread ${threads}` : 'sync';
  return {
    name: `nginx + gunicorn (${kind})`,
    start: () =>
      running(async (place) => {
        const socket = join(place.folder, 'gunicorn.sock');
        const flags = [
          '-m',
          'gunicorn',
          'hello:app',
          '-w',
          `${PROCESSES}`,
          '--threads',
          `${threads}`,
          '-b',
          `unix:${socket}`,
          '--no-control-socket',
        ];
        const gunicorn = place.spawn(python, flags, apps);
        const nginx = startNginx(place, proxyTo(`unix:${socket}`));
        return [gunicorn, nginx];
      }),
  };
}

export function nginxExpress(): Candidate {
  return {
    name: 'nginx + node hello.js ×2',
    start: () =>
      running(async (place) => {
        const sockets = Array.from({ length: PROCESSES }, (_, i) => join(place.folder, `node-${i}.sock`));
        const nodes = sockets.map((socket) =>
          place.spawn(process.execPath, ['hello.js'], apps, { PORT_SOCKET: socket, NODE_ENV: 'production' }),
        );
        // nginx counts a server that is not there yet as failed, and answers 502 for ten seconds.
        await Promise.all(sockets.map(listens));
        return [...nodes, startNginx(place, proxyTo(...sockets.map((socket) => `unix:${socket}`)))];
      }),
  };
}

/** @param app `hello:app` or `hello.js` */
export function ourStack(name: string, app: string, python: string): Candidate {
  return {
    name,
    start: () =>
      running(async (place) => {
        const socket = `unix:${join(place.folder, 'w.sock')}`;
        const { workerFile, proxyFile } = writeDocuments(place.folder, app, socket);
        const admin = (which: string): string => `unix:${join(place.folder, `${which}-admin.sock`)}`;
        const worker = place.spawn(
          join(root, 'dist/webapp-worker.mjs'),
          ['--config', workerFile, '--listen', socket, '--admin', admin('worker'), '--directory', apps],
          root,
          { WEBAPP_PYTHON: python },
        );
        const proxy = place.spawn(
          join(root, 'dist/webapp-proxy.mjs'),
          [
            '--config',
            proxyFile,
            '--listen',
            `127.0.0.1:${place.port}`,
            '--admin',
            admin('proxy'),
            '--access-log',
            'off',
          ],
          root,
        );
        return [worker, proxy];
      }),
  };
}

/** A server that answers 1 KB as cheaply as can be: nginx, alone on its core besides wrk. Not measured itself. */
export function upstream1k(): Candidate {
  return {
    name: 'upstream',
    start: () => running(async (place) => [startNginx(place, `location / { return 200 "${'x'.repeat(1024)}"; }`)]),
  };
}

export function nginxProxy(upstream: string): Candidate {
  return { name: 'nginx', start: () => running(async (place) => [startNginx(place, proxyTo(upstream))]) };
}

export function ourProxy(upstream: string): Candidate {
  return {
    name: 'webapp-proxy',
    start: () =>
      running(async (place) => {
        const { proxyFile } = writeDocuments(place.folder, 'hello:app', upstream);
        const admin = `unix:${join(place.folder, 'admin.sock')}`;
        const flags = [
          '--config',
          proxyFile,
          '--listen',
          `127.0.0.1:${place.port}`,
          '--admin',
          admin,
          '--access-log',
          'off',
        ];
        return [place.spawn(join(root, 'dist/webapp-proxy.mjs'), flags, root)];
      }),
  };
}

export function tunedHttpProxy(upstream: string): Candidate {
  return {
    name: 'http-proxy, keep-alive agent',
    start: () =>
      running(async (place) => [
        place.spawn(process.execPath, [join(root, 'bench/http-proxy.ts'), `${place.port}`, `http://${upstream}`], root),
      ]),
  };
}

// ── how they are started ──

interface Place {
  readonly folder: string;
  readonly port: number;
  spawn(command: string, args: readonly string[], cwd: string, env?: Record<string, string>): ChildProcess;
}

/** Starts what `start` spawns at a free port and waits until it answers there. */
async function running(start: (place: Place) => Promise<ChildProcess[]>): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const port = await freePort();
  let errors = '';
  const place: Place = {
    folder,
    port,
    spawn: (command, args, cwd, env = {}) => {
      const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
      child.stderr?.on('data', (chunk: Buffer) => {
        errors = (errors + chunk.toString()).slice(-2_000);
      });
      return child;
    },
  };
  const children = await start(place);
  const stop = async (): Promise<void> => {
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : null)));
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}/`;
  try {
    await answers(url);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}\n${errors}`);
  }
  return { url, pids: children.map((child) => child.pid ?? 0), stop };
}

function startNginx(place: Place, server: string): ChildProcess {
  const file = join(place.folder, `nginx-${place.port}.conf`);
  writeFileSync(
    file,
    `daemon off; ${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 2; pid ${place.folder}/nginx.pid; error_log stderr;
     events { worker_connections 4096; }
     http {
       access_log off; keepalive_requests 1000000;
       client_body_temp_path ${place.folder}/body; proxy_temp_path ${place.folder}/proxy;
       fastcgi_temp_path ${place.folder}/f; uwsgi_temp_path ${place.folder}/u; scgi_temp_path ${place.folder}/s;
       ${server.includes('upstream') ? server.slice(0, server.indexOf('location')) : ''}
       server { listen 127.0.0.1:${place.port} backlog=4096; ${server.slice(server.indexOf('location'))} }
     }`,
  );
  return place.spawn('nginx', ['-c', file, '-p', place.folder, '-e', 'stderr'], place.folder);
}

/** As the guides write it: keep-alive upstream, forwarded headers. */
function proxyTo(...servers: string[]): string {
  return `upstream app { ${servers.map((server) => `server ${server};`).join(' ')} keepalive 64; keepalive_requests 1000000; }
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }`;
}

function writeDocuments(folder: string, app: string, endpoint: string): { workerFile: string; proxyFile: string } {
  const { webApp, problems } = validateWebApp({
    apiVersion: 'webapp-operator.io/v1alpha1',
    kind: 'WebApp',
    metadata: { name: 'bench' },
    spec: { image: 'bench', app, workers: { processes: PROCESSES } },
  });
  if (!webApp) throw new Error(JSON.stringify(problems));
  const files = { workerFile: join(folder, 'worker.json'), proxyFile: join(folder, 'proxy.json') };
  writeFileSync(files.workerFile, JSON.stringify(makeWorkerConfig(webApp)));
  writeFileSync(
    files.proxyFile,
    JSON.stringify(makeProxyConfig(webApp, { upstream: [endpoint], staticRoots: [apps] })),
  );
  return files;
}

/** Waits for the Unix socket; that nobody comes is noticed by `answers`. */
async function listens(socketPath: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!existsSync(socketPath) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

async function answers(url: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const status = await new Promise<number>((resolve) => {
      get(url, { agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', () => resolve(0));
    });
    if (status === 200) return;
    if (performance.now() > deadline) throw new Error(`${url} does not answer 200 within 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
