// A Kubernetes API server for tests, in this process, on loopback: resource versions, paged lists, watches with bookmarks, conflicts and
// compaction, and every way of failing that a client must live through. What it does not hold: schemas, admission, RBAC, controllers, and the
// true merge of server-side apply. Those are tested on a real one (e2e/cluster).
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { apiVersionOf, type KubeObject, keyOf, type Place, type Resource } from '../object.ts';
import type { Access } from '../transport.ts';
import { cutSocket } from './cut-socket.ts';
import { FakeDiscovery } from './fake-discovery.ts';
import { type Fault, type FaultEffect, type FaultMatch, Faults } from './fake-faults.ts';
import { collectionOf, parsePath, type Target } from './fake-paths.ts';
import { makeMatches } from './fake-selectors.ts';
import { Refusal, statusOf } from './fake-status.ts';
import { FakeStorage } from './fake-storage.ts';
import { type Answer, FakeVerbs } from './fake-verbs.ts';
import { OpenWatch } from './fake-watches.ts';

export type { Fault, FaultEffect, FaultMatch, WatchEnd } from './fake-faults.ts';
export { EXPIRED } from './fake-watches.ts';

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly authorization: string | undefined;
  /** Parsed JSON; undefined: none. */
  readonly body: unknown;
  /** Number of the connection it came on, from 1. */
  readonly socket: number;
  readonly watch: boolean;
}

export interface FakeOptions {
  /** Known to discovery from the start; others become known by their first object. All are served anyway. */
  readonly resources?: readonly Resource[];
  /** A bookmark to every watch that takes them, so often. Default: only when `bookmark()` is called and when a watch times out. */
  readonly bookmarkMs?: number;
  /** HTTPS with this certificate (PEM). */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
}

/** Bodies above this are answered 413, as by the real one. */
const MAX_BODY = 3 * 1024 * 1024;
/** Requests kept in the log; older ones are dropped. */
const MAX_LOG = 50_000;

export async function startFakeApiServer(options: FakeOptions = {}): Promise<FakeApiServer> {
  const fake = new FakeApiServer(options);
  await fake.up();
  return fake;
}

export class FakeApiServer {
  readonly #options: FakeOptions;
  readonly #server: Server | TlsServer;
  readonly #storage = new FakeStorage();
  readonly #verbs = new FakeVerbs(this.#storage);
  readonly #faults = new Faults();
  readonly #watches = new Set<OpenWatch>();
  readonly #sockets = new Map<Socket, { number: number; requests: number }>();
  readonly #discovery = new FakeDiscovery();
  readonly #texts = new Map<string, string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #log: LoggedRequest[] = [];
  #token: string | undefined;
  #port = 0;
  #socketsEver = 0;
  #socketsPeak = 0;

  constructor(options: FakeOptions) {
    this.#options = options;
    const take = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response);
    const settings = { keepAliveTimeout: 0, requestTimeout: 0, connectionsCheckingInterval: 1_000 };
    this.#server =
      options.tls === undefined ? createServer(settings, take) : createTlsServer({ ...settings, ...options.tls }, take);
    this.#server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket) => this.#welcome(socket));
    this.#storage.onChange = (change) => {
      for (const watch of this.#watches) watch.tell(change);
    };
    for (const resource of options.resources ?? []) this.serve(resource);
  }

  // ---- Its place, and being away -------------------------------------------------------------------------------------------------

  get url(): URL {
    return new URL(`${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`);
  }

  /** For `makeTransport`. Shows the token that is required now. */
  access(): Access {
    const tls = {};
    return {
      server: this.url,
      headers: () => (this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` }),
      tls: () => tls,
    };
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    const { bookmarkMs } = this.#options;
    if (bookmarkMs !== undefined) this.#timers.add(setInterval(() => this.bookmark(), bookmarkMs));
  }

  /** As when the API server is restarted: connections are refused and those there are reset. What it stores stays. Twice is safe. */
  async down(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.dropConnections();
    if (!this.#server.listening) return;
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ends all. Twice is safe. */
  close(): Promise<void> {
    return this.down();
  }

  // ---- What is in it, changed by another actor -----------------------------------------------------------------------------------

  /** Creates or replaces as a whole, status included. @returns the object as stored */
  put(resource: Resource, object: KubeObject): KubeObject {
    this.#discovery.learn(resource);
    return this.#storage.write(collectionOf(resource), object);
  }

  /** @returns false: it was not there */
  remove(resource: Resource, place: Place): boolean {
    return this.#storage.delete(collectionOf(resource), keyAt(place)) !== undefined;
  }

  get(resource: Resource, place: Place): KubeObject | undefined {
    return this.#storage.get(collectionOf(resource), keyAt(place));
  }

  list(resource: Resource): KubeObject[] {
    return this.#storage.all(collectionOf(resource));
  }

  /** Of the last change. */
  get resourceVersion(): string {
    return String(this.#storage.version);
  }

  /** Removes what is owned by objects that are gone, as the garbage collector would. @returns how many */
  collectGarbage(): number {
    const stored = this.#storage
      .collections()
      .flatMap((collection) => this.#storage.all(collection).map((object) => ({ collection, object })));
    const alive = new Set(stored.map(({ object }) => object.metadata.uid));
    const orphans = stored.filter(({ object: { metadata } }) => {
      const owners = metadata.ownerReferences ?? [];
      return owners.length > 0 && owners.every((owner) => !alive.has(owner.uid));
    });
    for (const { collection, object } of orphans) this.#storage.delete(collection, keyOf(object));
    return orphans.length === 0 ? 0 : orphans.length + this.collectGarbage();
  }

  /** Makes discovery list it. */
  serve(resource: Resource): void {
    this.#discovery.serve(resource);
  }

  /** As if its CRD were not installed: not in discovery, every request 404. */
  unserve(resource: Resource): void {
    this.#discovery.unserve(resource);
  }

  /** A GET of exactly this path is answered with `text`, such as a pod's log. */
  serveText(path: string, text: string): void {
    this.#texts.set(path, text);
  }

  /** New TLS connections are shown this certificate (PEM). */
  renewCertificate(tls: { readonly key: string; readonly cert: string }): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls);
  }

  /** Requests without this bearer token are answered 401. undefined: anybody may come. */
  requireToken(token: string | undefined): void {
    this.#token = token;
  }

  // ---- What goes wrong -----------------------------------------------------------------------------------------------------------

  /** The next requests that match fail so; see `FaultEffect`. */
  fail(match: FaultMatch, effect: FaultEffect): Fault {
    return this.#faults.add(match, effect);
  }

  /** Nothing that was set by `fail` and is not used up fails any more. */
  heal(): void {
    this.#faults.clear();
  }

  /** History is gone: lists that go on, and watches from an older version, get 410; open watches too, as an ERROR event, unless `keep`. */
  compact(openWatches: 'expire' | 'keep' = 'expire'): void {
    this.#storage.compact();
    this.#verbs.forgetPages();
    if (openWatches === 'expire') this.endWatches('gone');
  }

  /** Ends the watches that are open now; `silence` leaves them half open. */
  endWatches(how: 'end' | 'cut' | 'silence' | 'garbage' | 'gone'): void {
    for (const watch of this.#watches) watch.end(how);
  }

  /** A bookmark to every watch that takes them. */
  bookmark(): void {
    for (const watch of this.#watches) watch.bookmark(this.#storage.version);
  }

  /** Resets every connection, idle ones and watches included. */
  dropConnections(): void {
    for (const socket of this.#sockets.keys()) cutSocket(socket);
  }

  // ---- What happened -------------------------------------------------------------------------------------------------------------

  /** All requests in the order they came, faults included. */
  get requests(): readonly LoggedRequest[] {
    return this.#log;
  }

  /** Those that are no GET. */
  get writes(): readonly LoggedRequest[] {
    return this.#log.filter(({ method }) => method !== 'GET');
  }

  clearLog(): void {
    this.#log = [];
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Connections: open now, ever taken, most at a time. */
  get connections(): { open: number; ever: number; peak: number } {
    return { open: this.#sockets.size, ever: this.#socketsEver, peak: this.#socketsPeak };
  }

  // ---- One request ---------------------------------------------------------------------------------------------------------------

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return;
    const watch = url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1';
    const reused = this.#note(request, url, body, watch);
    const effect = this.#faults.take({ method: request.method ?? '', url: request.url ?? '', watch, reused });
    await this.#perform(effect, { request, response, url, body, watch });
  }

  async #perform(effect: FaultEffect | undefined, exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    if (effect === undefined || 'watch' in effect) return this.#answer(exchange, effect);
    if ('silence' in effect) return;
    if ('reset' in effect) {
      if (effect.reset === 'after') this.#answerTo(exchange);
      cutSocket(request.socket);
    } else if ('delayMs' in effect) {
      await this.#wait(effect.delayMs);
      this.#answer(exchange, undefined);
    } else if ('answer' in effect) {
      sendInstead(response, effect);
    } else {
      const { status, reason, message = 'a fault of the fake', retryAfter } = effect;
      if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
      sendJson(response, { status, body: statusOf(new Refusal(status, message, reason)) });
    }
  }

  #answer(exchange: Exchange, fault: Extract<FaultEffect, { watch: unknown }> | undefined): void {
    const { response, url, watch, request } = exchange;
    const text = this.#texts.get(url.pathname);
    if (text !== undefined && request.method === 'GET') {
      response.end(text);
      return;
    }
    try {
      if (watch && this.#watch(exchange, fault)) return;
      sendJson(response, this.#answerTo(exchange));
    } catch (error) {
      sendJson(response, answerFor(error));
    }
  }

  #answerTo({ request, url, body }: Exchange): Answer {
    try {
      if (this.#token !== undefined && request.headers.authorization !== `Bearer ${this.#token}`)
        throw new Refusal(401, 'Unauthorized');
      const discovered = this.#discovery.answer(url.pathname);
      if (discovered !== undefined) return { status: 200, body: discovered };
      const target = this.#targetOf(url.pathname);
      const contentType = request.headers['content-type'] ?? 'application/json';
      const parsed = parseBody(body);
      this.#discovery.learnFrom(target, parsed);
      return this.#verbs.answer({
        method: request.method ?? '',
        target,
        query: url.searchParams,
        body: parsed,
        contentType,
      });
    } catch (error) {
      return answerFor(error);
    }
  }

  /** @returns false: it is refused before it begins, which `#answerTo` words */
  #watch({ request, response, url }: Exchange, fault: Extract<FaultEffect, { watch: unknown }> | undefined): boolean {
    const target = parsePath(url.pathname);
    if (target === undefined || !('collection' in target) || this.#discovery.isAbsent(target)) return false;
    if (this.#token !== undefined && request.headers.authorization !== `Bearer ${this.#token}`) return false;
    const { searchParams: query } = url;
    const kind = this.#discovery.kindOf(target);
    const watch: OpenWatch = new OpenWatch(
      {
        collection: target.collection,
        apiVersion: apiVersionOf(target),
        kind,
        matches: makeMatches(target, query),
        bookmarks: query.get('allowWatchBookmarks') === 'true',
        timeoutMs: Number(query.get('timeoutSeconds') ?? 0) * 1_000,
        fault,
      },
      response,
      () => void this.#watches.delete(watch),
    );
    this.#begin(watch, Number(query.get('resourceVersion') ?? 0));
    return true;
  }

  /** Version 0 or none: what is there comes first, as ADDED. */
  #begin(watch: OpenWatch, from: number): void {
    const { collection } = watch.terms;
    const version = (): number => this.#storage.version;
    const missed =
      from > 0
        ? this.#storage.since(from)
        : this.#storage.all(collection).map((object) => {
            return { type: 'ADDED' as const, collection, object, old: undefined, version: version() };
          });
    if (missed === undefined) {
      watch.end('gone');
      return;
    }
    this.#watches.add(watch);
    watch.begin(missed, version);
  }

  #targetOf(path: string): Target {
    const target = parsePath(path);
    if (target === undefined || !('collection' in target) || this.#discovery.isAbsent(target))
      throw new Refusal(404, 'the server could not find the requested resource');
    return target;
  }

  // ---- Connections and the log ---------------------------------------------------------------------------------------------------

  #welcome(socket: Socket): void {
    this.#sockets.set(socket, { number: ++this.#socketsEver, requests: 0 });
    this.#socketsPeak = Math.max(this.#socketsPeak, this.#sockets.size);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** @returns whether its connection had carried a request before */
  #note(request: IncomingMessage, url: URL, body: string, watch: boolean): boolean {
    const socket = this.#sockets.get(request.socket);
    this.#log.push({
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      contentType: request.headers['content-type'] ?? '',
      authorization: request.headers.authorization,
      body: readJson(body),
      socket: socket?.number ?? 0,
      watch,
    });
    if (this.#log.length > MAX_LOG) this.#log.splice(0, MAX_LOG / 2);
    return socket !== undefined && socket.requests++ > 0;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly body: string;
  readonly watch: boolean;
}

const keyAt = ({ namespace, name = '' }: Place): string => (namespace === undefined ? name : `${namespace}/${name}`);

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function readJson(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}

function parseBody(text: string): unknown {
  if (text.length > MAX_BODY) throw new Refusal(413, 'Request entity too large: limit is 3145728');
  const parsed = readJson(text);
  if (typeof parsed === 'string') throw new Refusal(400, 'the body is no JSON');
  return parsed;
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof RangeError) return new Refusal(400, error.message);
  return new Refusal(500, error instanceof Error ? (error.stack ?? error.message) : String(error));
}

function answerFor(error: unknown): Answer {
  const refusal = refusalOf(error);
  return { status: refusal.status, body: statusOf(refusal) };
}

function sendJson(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function sendInstead(response: ServerResponse, { answer, cut = false }: { answer: string; cut?: boolean }): void {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(answer) + (cut ? 1 : 0),
  });
  response.write(answer, () => {
    if (cut) cutSocket(response.socket);
    else response.end();
  });
}
