// One WebApp running here: its proxy, its worker, and what they tell of themselves. The proxy stays for as long as the WebApp
// does; the worker is replaced, the new one first, when its folder or its environment changes.
import type { Failure } from '../failure.ts';
import type { Style } from '../terminal/paint.ts';
import type { ProgramRecord } from '../terminal/program-line.ts';
import { RateMeter, type StackView } from '../terminal/status-row.ts';
import { changedFields } from './changes.ts';
import { News } from './news.ts';
import type { Exit } from './program.ts';
import type { ProgramName } from './program-path.ts';
import { ProxyUnit } from './proxy-unit.ts';
import type { StackSettings } from './settings.ts';
import { makeDocuments, type Target } from './target.ts';
import { WorkerUnit } from './worker-unit.ts';

/** Where one stack stands. */
export interface StackPlace {
  /** Private folder of this stack. */
  readonly folder: string;
  /** 0: any free one. */
  readonly port: number;
  readonly style: Style;
}

export interface StackEvents {
  /** A record of a program's own log. */
  onRecord(stack: Stack, record: ProgramRecord, from: ProgramName): void;
  /** A line of the application, or of the access log. */
  onLine(stack: Stack, line: string, from: ProgramName): void;
  /** A program ended by itself and is started again. */
  onCrash(stack: Stack, program: ProgramName, exit: Exit, againInMs: number): void;
}

/** What `apply` did. */
export interface Applied {
  /** Such as `workers.processes 3 → 8`; empty when nothing that runs here has changed. */
  readonly changes: readonly string[];
  /** Why it is not in force; null when it is. */
  readonly refused: { readonly message: string; readonly failure?: Failure } | null;
}

type Variables = Readonly<Record<string, string>>;

/** Of WebApps whose manifest names none. */
const NAMESPACE = 'default';
const POLL_MS = 500;
/** While somebody waits for what it will say. */
const POLL_EAGER_MS = 100;
/** Until both programs say that they run by a new document. */
const APPLY_MS = 15_000;
/** Added to the time that requests may take: until a program that drains is ended. */
const DRAIN_SLACK_MS = 10_000;

export class Stack {
  readonly name: string;
  readonly place: StackPlace;
  readonly #settings: StackSettings;
  readonly #events: StackEvents;
  readonly #news: News;
  readonly #rate = new RateMeter();
  readonly #proxy: ProxyUnit;
  #target: Target;
  #worker: WorkerUnit;
  #workers = 0;
  /** Workers that were replaced and still finish what they have. */
  readonly #leaving = new Set<WorkerUnit>();
  #phase: StackView['phase'] = 'starting';
  #requestsPerSecond = 0;
  #poll: NodeJS.Timeout | undefined;

  /** @param variables of the application's environment: WEBAPP_PYTHON and the like */
  constructor(target: Target, variables: Variables, place: StackPlace, settings: StackSettings, events: StackEvents) {
    this.name = target.name;
    this.place = place;
    this.#target = target;
    this.#settings = settings;
    this.#events = events;
    this.#news = new News(settings.now);
    this.#worker = this.#makeWorker(target, variables);
    this.#proxy = new ProxyUnit(place.folder, place.port, settings, {
      onRecord: (record) => events.onRecord(this, record, 'proxy'),
      onLine: (line) => events.onLine(this, line, 'proxy'),
      onListening: () => this.#news.tell(),
      onCrash: (exit, againInMs) => events.onCrash(this, 'proxy', exit, againInMs),
      onFailed: () => this.#news.tell(),
    });
  }

  #makeWorker({ source }: Target, variables: Variables): WorkerUnit {
    const place = { folder: this.place.folder, number: ++this.#workers, source, variables };
    return new WorkerUnit(place, this.#settings, {
      onRecord: (record) => this.#events.onRecord(this, record, 'worker'),
      onLine: (line) => this.#events.onLine(this, line, 'worker'),
      onCrash: (exit, againInMs) => this.#events.onCrash(this, 'worker', exit, againInMs),
      onFailed: () => this.#news.tell(),
    });
  }

  get target(): Target {
    return this.#target;
  }

  get namespace(): string {
    return this.#target.webApp.metadata.namespace ?? NAMESPACE;
  }

  get variables(): Variables {
    return this.#worker.place.variables;
  }

  /** 0 while any free one is still to be found. */
  get port(): number {
    return this.#proxy.port;
  }

  view(): StackView {
    return {
      name: this.name,
      address: this.#proxy.url,
      phase: this.#phase,
      style: this.place.style,
      worker: this.#worker.status,
      proxy: this.#proxy.status,
      rate: this.#requestsPerSecond,
      trouble: this.#worker.trouble,
    };
  }

  /**
   * Starts both programs and resolves when the application answers; with --reload, when it could not start, too.
   * @throws Failure PROGRAM_FAILED | APPLICATION_FAILED | ADDRESS_UNUSABLE
   */
  async start(): Promise<void> {
    const documents = makeDocuments(this.#target, this.#worker.address, this.#settings.reload);
    this.#worker.run(documents.worker);
    this.#proxy.run(documents.proxy);
    this.#pollIn(POLL_EAGER_MS);
    const failure = (): Failure | null => this.#proxy.failed ?? this.#worker.failed;
    const isUp = (): boolean => this.#proxy.listens && this.#worker.isUp(this.#settings.reload);
    await this.#news.until(() => failure() !== null || isUp());
    const failed = failure();
    if (failed) throw failed;
    this.#worker.establish();
    this.#proxy.establish();
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  #pollIn(ms: number): void {
    this.#poll = setTimeout(() => void this.#pollNow(), ms);
  }

  /** Asks both programs now, besides what is done all the time. */
  async look(): Promise<void> {
    await Promise.all([this.#worker.look(), this.#proxy.look()]);
  }

  async #pollNow(): Promise<void> {
    await this.look();
    const { status } = this.#proxy;
    if (status) this.#requestsPerSecond = this.#rate.take(this.#settings.now(), status.requests.total);
    this.#news.tell();
    // Whoever waits on looks again only after this: a turn later it is known.
    await Promise.resolve();
    if (this.#poll) this.#pollIn(this.#news.isAwaited ? POLL_EAGER_MS : POLL_MS);
  }

  /**
   * Brings a changed WebApp into force: in place, or with a new worker where its folder or its environment has changed.
   * Resolves when both programs say that they run by it.
   */
  async apply(target: Target, variables: Variables): Promise<Applied> {
    const before = this.#target;
    const changes = changedFields(before.webApp, target.webApp);
    if (before.source !== target.source) changes.unshift(`source ${before.source} → ${target.source}`);
    const moved = before.source !== target.source || !isSame(this.variables, variables);
    if (changes.length === 0 && !moved) return { changes, refused: null };
    this.#target = target;
    const refused = moved ? await this.#replaceWorker(variables) : await this.#tellBoth();
    if (moved && refused) this.#target = before;
    return { changes, refused };
  }

  async #tellBoth(): Promise<Applied['refused']> {
    const { worker, proxy } = makeDocuments(this.#target, this.#worker.address, this.#settings.reload);
    this.#worker.tell(worker);
    this.#proxy.tell(proxy);
    const isTaken = (): boolean =>
      this.#worker.status?.config.hash === worker.hash && this.#proxy.status?.config.hash === proxy.hash;
    const error = (): string | undefined => this.#worker.status?.config.error ?? this.#proxy.status?.config.error;
    const told = await this.#news.until(() => isTaken() || error() !== undefined, APPLY_MS);
    if (isTaken()) return null;
    return { message: told ? (error() ?? '') : `not confirmed by the programs within ${APPLY_MS / 1000} s` };
  }

  /** The new one is ready before the proxy hears of it; the old one finishes what it has. */
  async #replaceWorker(variables: Variables): Promise<Applied['refused']> {
    const old = this.#worker;
    const next = this.#makeWorker(this.#target, variables);
    next.run(makeDocuments(this.#target, next.address, this.#settings.reload).worker);
    const eager = setInterval(() => void next.look().then(() => this.#news.tell()), POLL_EAGER_MS);
    const isUp = await this.#news.until(() => next.failed !== null || next.isUp(this.#settings.reload));
    clearInterval(eager);
    if (!isUp || next.failed) {
      await next.kill();
      return { message: next.failed?.message ?? 'stopped', ...(next.failed && { failure: next.failed }) };
    }
    next.establish();
    this.#worker = next;
    const refused = await this.#tellBoth();
    this.#leaving.add(old);
    void old.stop(this.#drainMs().worker).then(() => this.#leaving.delete(old));
    return refused;
  }

  /** New code: every process is replaced. */
  reload(): void {
    this.#worker.reload();
  }

  #drainMs(): { worker: number; proxy: number } {
    const { worker, proxy } = makeDocuments(this.#target, this.#worker.address, false);
    return {
      worker: worker.timeouts.gracefulMs + DRAIN_SLACK_MS,
      proxy: proxy.timeouts.responseMs + DRAIN_SLACK_MS,
    };
  }

  /** The proxy first, so that no request finds its worker gone. Resolves when both have ended. */
  async drain(): Promise<void> {
    this.#phase = 'draining';
    const within = this.#drainMs();
    await this.#proxy.stop(within.proxy);
    await Promise.all([this.#worker, ...this.#leaving].map((worker) => worker.stop(within.worker)));
    this.#close();
  }

  /** At once. Twice is safe, and while it drains. */
  async kill(): Promise<void> {
    await Promise.all([this.#proxy, this.#worker, ...this.#leaving].map((unit) => unit.kill()));
    this.#close();
  }

  #close(): void {
    clearTimeout(this.#poll);
    this.#poll = undefined;
    this.#news.close();
  }
}

function isSame(a: Variables, b: Variables): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}
