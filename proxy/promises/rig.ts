// What the tests of this folder share: the proxy as its users start it, an application behind it, and clients that say exactly
// what they want. Everything is closed by `close`, in any order.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProxyConfig } from '../../core/config/proxy.ts';
import { type ProxyStatus, proxyStatusSchema } from '../../core/status/proxy.ts';
import { parseAddress } from '../../http/address.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Longest wait for anything; a hang fails as an assertion. */
const PATIENCE_MS = 20_000;

/** Waits until `holds` does not answer false. */
export async function until<T>(holds: () => T | Promise<T>, what: string): Promise<Exclude<T, false>> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await holds();
    if (answer !== false) return answer as Exclude<T, false>;
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export type ConfigChange = Partial<Pick<ProxyConfig, 'groups' | 'static' | 'maintenance' | 'tracing'>> & {
  limits?: Partial<ProxyConfig['limits']>;
  timeouts?: Partial<ProxyConfig['timeouts']>;
};

let versions = 0;

export function makeConfig(endpoints: readonly string[], change: ConfigChange = {}): ProxyConfig {
  return {
    kind: 'ProxyConfig',
    version: 1,
    name: 'test',
    hash: `h${++versions}`,
    groups: change.groups ?? [{ name: 'current', weight: 1, endpoints: endpoints.map((address) => ({ address })) }],
    static: change.static ?? [],
    ...(change.maintenance && { maintenance: change.maintenance }),
    ...(change.tracing && { tracing: change.tracing }),
    limits: { bodyBytes: 2 ** 40, headBytes: 32_768, connections: 1000, ...change.limits },
    timeouts: {
      requestHeadMs: 30_000,
      requestBodyMs: 30_000,
      idleMs: 30_000,
      sendMs: 30_000,
      connectMs: 5_000,
      responseMs: 15_000,
      ...change.timeouts,
    },
  };
}

export interface ProxyOptions extends ConfigChange {
  readonly flags?: readonly string[];
  /** Laid over the environment, in which no pod is. */
  readonly env?: Readonly<Record<string, string>>;
}

/** `webapp-proxy` in front of `endpoints`, ready. */
export async function startProxy(endpoints: readonly string[], options: ProxyOptions = {}): Promise<ProxyProcess> {
  const proxy = new ProxyProcess(endpoints, options);
  await proxy.listening();
  return proxy;
}

export class ProxyProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'proxy-'));
  /** Lines of the log. */
  readonly log: Record<string, unknown>[] = [];
  /** Lines of the access log. */
  readonly access: Record<string, unknown>[] = [];
  readonly exited: Promise<number | null>;
  port = 0;
  #adminPort = 0;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(endpoints: readonly string[], { flags = [], env = {}, ...change }: ProxyOptions) {
    this.configure(makeConfig(endpoints, change));
    const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const args = [MAIN, '--config', join(this.folder, 'proxy.json'), ...ports, ...flags];
    this.#child = spawn(process.execPath, args, { env: { ...process.env, KUBERNETES_SERVICE_HOST: '', ...env } });
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve));
    eachLine(this.#child.stderr, (line) => this.log.push(JSON.parse(line)));
    eachLine(this.#child.stdout, (line) => this.access.push(JSON.parse(line)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Finds out the ports, of the latest start. */
  async listening(): Promise<void> {
    const line = await until(
      () => this.log.findLast(({ msg }) => msg === 'listening' || msg === 'the proxy cannot start') ?? false,
      'listening',
    );
    if (line['msg'] !== 'listening') throw new Error(JSON.stringify(line));
    this.port = portOf(String(line['listen']));
    this.#adminPort = portOf(String(line['admin']));
  }

  /** Swaps the document as a person's editor or the kubelet does. */
  configure(config: ProxyConfig): void {
    writeFileSync(join(this.folder, 'proxy.json.new'), JSON.stringify(config));
    renameSync(join(this.folder, 'proxy.json.new'), join(this.folder, 'proxy.json'));
  }

  /** Swaps it, and waits until the program says that it is in force. */
  async apply(config: ProxyConfig): Promise<void> {
    this.configure(config);
    await until(async () => (await this.status()).config.hash === config.hash, 'the new configuration');
  }

  async admin(path: string): Promise<{ status: number; body: string }> {
    const { status, body } = await ask(this.#adminPort, { path });
    return { status, body: body.toString() };
  }

  async status(): Promise<ProxyStatus> {
    return proxyStatusSchema.parse(JSON.parse((await this.admin('/status')).body));
  }

  /** What the program sees when whoever started it is gone. */
  endInput(): void {
    this.#child.stdin.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function portOf(address: string): number {
  const parsed = parseAddress(address);
  return 'port' in parsed ? parsed.port : 0;
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(line);
  });
}

/** An application of node:http behind the proxy. */
export interface App {
  readonly address: string;
  readonly server: Server;
  close(): Promise<void>;
}

export async function startApp(listener: RequestListener): Promise<App> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `127.0.0.1:${port}`, server, close };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Ask {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own. @throws when the answer is cut */
export function ask(port: number, { path, method = 'GET', headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** A client that writes bytes as they are. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;
  /** The connection was reset rather than ended. */
  reset = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('error', () => {
      this.reset = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  async receives(text: string): Promise<void> {
    await until(() => this.received.includes(text), `${JSON.stringify(text)} in ${JSON.stringify(this.received)}`);
  }

  async closes(): Promise<void> {
    await until(() => this.closed, `a close after ${JSON.stringify(this.received)}`);
  }
}
