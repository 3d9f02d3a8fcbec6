// A Kubernetes API server for tests, in this process, on loopback: resource versions, paged lists, watches with bookmarks, conflicts and
// compaction, and every way of failing that a client must live through. What it does not hold: schemas, admission, RBAC, controllers, and the
// true merge of server-side apply. Those are tested on a real one (e2e/cluster).
import { apiVersionOf, type KubeObject, keyOf, type Place, type Resource } from '../object.ts';
import type { Access } from '../transport.ts';
import { cutSocket } from './cut-socket.ts';
import { sendError, sendInstead, sendJson } from './fake-answers.ts';
import { FakeDiscovery } from './fake-discovery.ts';
import { type Fault, type FaultEffect, type FaultMatch, Faults, type WatchEnd } from './fake-faults.ts';
import { type Certificate, type Exchange, FakeFront, type LoggedRequest } from './fake-front.ts';
import { collectionOf, parsePath, type Target } from './fake-paths.ts';
import { makeMatches } from './fake-selectors.ts';
import { Refusal } from './fake-status.ts';
import { FakeStorage } from './fake-storage.ts';
import { type Answer, FakeVerbs } from './fake-verbs.ts';
import { OpenWatch } from './fake-watches.ts';

export type { Fault, FaultEffect, FaultMatch, WatchEnd } from './fake-faults.ts';
export type { LoggedRequest } from './fake-front.ts';
export { EXPIRED } from './fake-watches.ts';

export interface FakeOptions {
  /** Known to discovery from the start; others become known by their first object. All are served anyway. */
  readonly resources?: readonly Resource[];
  /** A bookmark to every watch that takes them, so often. Default: only when `bookmark()` is called and when a watch times out. */
  readonly bookmarkMs?: number;
  /** HTTPS with this certificate (PEM). */
  readonly tls?: Certificate;
}

/** Bodies above this are answered 413, as by the real one. */
const MAX_BODY = 3 * 1024 * 1024;

export async function startFakeApiServer(options: FakeOptions = {}): Promise<FakeApiServer> {
  const fake = new FakeApiServer(options);
  await fake.up();
  return fake;
}

export class FakeApiServer {
  readonly #front: FakeFront;
  readonly #storage = new FakeStorage();
  readonly #verbs = new FakeVerbs(this.#storage);
  readonly #discovery = new FakeDiscovery();
  readonly #faults = new Faults();
  readonly #watches = new Set<OpenWatch>();
  readonly #texts = new Map<string, string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #bookmarkMs: number | undefined;
  #token: string | undefined;

  constructor({ tls, bookmarkMs, resources = [] }: FakeOptions) {
    this.#front = new FakeFront((exchange) => this.#take(exchange), tls);
    this.#bookmarkMs = bookmarkMs;
    this.#storage.onChange = (change) => {
      for (const watch of this.#watches) watch.tell(change);
    };
    for (const resource of resources) this.serve(resource);
  }

  get url(): URL {
    return this.#front.url;
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
    await this.#front.listen();
    if (this.#bookmarkMs !== undefined) this.#timers.add(setInterval(() => this.bookmark(), this.#bookmarkMs));
  }

  /** As when the API server is restarted: connections are refused and those there are reset. What it stores stays. Twice is safe. */
  async down(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.#front.close();
  }

  /** Ends all. Twice is safe. */
  close(): Promise<void> {
    return this.down();
  }

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
  renewCertificate(certificate: Certificate): void {
    this.#front.renewCertificate(certificate);
  }

  /** Requests without this bearer token are answered 401. undefined: anybody may come. */
  requireToken(token: string | undefined): void {
    this.#token = token;
  }

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
  endWatches(how: WatchEnd): void {
    for (const watch of this.#watches) watch.end(how);
  }

  /** A bookmark to every watch that takes them. */
  bookmark(): void {
    for (const watch of this.#watches) watch.bookmark(this.#storage.version);
  }

  /** Resets every connection, idle ones and watches included. */
  dropConnections(): void {
    this.#front.dropConnections();
  }

  /** All requests in the order they came, faults included. */
  get requests(): readonly LoggedRequest[] {
    return this.#front.log;
  }

  /** Those that are no GET. */
  get writes(): readonly LoggedRequest[] {
    return this.#front.log.filter(({ method }) => method !== 'GET');
  }

  clearLog(): void {
    this.#front.clearLog();
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Connections: open now, ever taken, most at a time. */
  get connections(): { open: number; ever: number; peak: number } {
    return this.#front.connections;
  }

  #take(exchange: Exchange): void {
    const { request, logged, reused } = exchange;
    const subject = { method: logged.method, url: request.url ?? '', watch: logged.watch, reused };
    this.#settle(exchange, () => this.#perform(this.#faults.take(subject), exchange));
  }

  #settle({ response }: Exchange, step: () => void): void {
    try {
      step();
    } catch (error) {
      sendError(response, error);
    }
  }

  #perform(effect: FaultEffect | undefined, exchange: Exchange): void {
    const { request, response } = exchange;
    if (effect === undefined) this.#answer(exchange, undefined);
    else if ('watch' in effect) this.#answer(exchange, effect);
    else if ('answer' in effect) sendInstead(response, effect);
    else if ('delayMs' in effect) this.#later(effect.delayMs, exchange);
    else if ('reset' in effect) {
      if (effect.reset === 'after') this.#settle(exchange, () => void this.#carryOut(exchange));
      cutSocket(request.socket);
    } else if ('status' in effect) {
      const { status, reason, message = 'a fault of the fake', retryAfter } = effect;
      if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
      throw new Refusal(status, message, reason);
    }
  }

  #later(ms: number, exchange: Exchange): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#settle(exchange, () => this.#answer(exchange, undefined));
    }, ms);
    this.#timers.add(timer);
  }

  #answer(exchange: Exchange, fault: WatchFault | undefined): void {
    const { response, logged, url } = exchange;
    this.#authenticate(logged);
    const text = logged.method === 'GET' ? this.#texts.get(url.pathname) : undefined;
    if (text !== undefined) response.end(text);
    else if (logged.watch) this.#watch(exchange, fault);
    else sendJson(response, this.#carryOut(exchange));
  }

  #authenticate({ authorization }: LoggedRequest): void {
    if (this.#token !== undefined && authorization !== `Bearer ${this.#token}`) throw new Refusal(401, 'Unauthorized');
  }

  #carryOut({ url, logged: { method, body, contentType }, bodyBytes }: Exchange): Answer {
    const discovered = this.#discovery.answer(url.pathname);
    if (discovered !== undefined) return { status: 200, body: discovered };
    const target = this.#targetOf(url.pathname);
    if (bodyBytes > MAX_BODY) throw new Refusal(413, `Request entity too large: limit is ${MAX_BODY}`);
    if (typeof body === 'string') throw new Refusal(400, 'the body is no JSON');
    this.#discovery.learnFrom(target, body);
    return this.#verbs.answer({ method, target, query: url.searchParams, body, contentType });
  }

  #watch({ response, url }: Exchange, fault: WatchFault | undefined): void {
    const target = this.#targetOf(url.pathname);
    const { searchParams: query } = url;
    const terms = {
      collection: target.collection,
      apiVersion: apiVersionOf(target),
      kind: this.#discovery.kindOf(target),
      matches: makeMatches(target, query),
      bookmarks: query.get('allowWatchBookmarks') === 'true',
      timeoutMs: Number(query.get('timeoutSeconds') ?? 0) * 1_000,
      fault,
    };
    const watch: OpenWatch = new OpenWatch(terms, response, () => void this.#watches.delete(watch));
    this.#begin(watch, Number(query.get('resourceVersion') ?? 0));
  }

  /** Version 0 or none: what is there comes first, as ADDED. */
  #begin(watch: OpenWatch, from: number): void {
    const { collection } = watch.terms;
    const added = (object: KubeObject) => ({
      type: 'ADDED' as const,
      collection,
      object,
      old: undefined,
      version: from,
    });
    const missed = from > 0 ? this.#storage.since(from) : this.#storage.all(collection).map(added);
    if (missed === undefined) {
      watch.end('gone');
      return;
    }
    this.#watches.add(watch);
    watch.begin(missed, () => this.#storage.version);
  }

  #targetOf(path: string): Target {
    const target = parsePath(path);
    if (target === undefined || !('collection' in target) || this.#discovery.isAbsent(target))
      throw new Refusal(404, 'the server could not find the requested resource');
    return target;
  }
}

type WatchFault = Extract<FaultEffect, { watch: WatchEnd }>;

const keyAt = ({ namespace, name = '' }: Place): string => (namespace === undefined ? name : `${namespace}/${name}`);
