// Keeps a Sink in step with one collection of the API server: a paged list, then watches one after another, for ever. It may be
// late, and says so through `health`; it is never silently dead.

import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { isOutage, KubeError } from './errors.ts';
import { failureFields } from './failure-log.ts';
import { listTurnsOf } from './list-turns.ts';
import { pathOf, type Resource } from './object.ts';
import { type ReflectorMeter, reflectorMeter } from './reflector-metrics.ts';
import { nextTurn, type Turn } from './reflector-turn.ts';
import type { Sink } from './store.ts';
import type { Transport } from './transport.ts';
import { type Page, readPage, readWatchLine, type WatchEvent } from './watch-lines.ts';

export interface ReflectorOptions {
  readonly transport: Transport;
  readonly resource: Resource;
  /** One namespace; absent: all. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly sink: Sink;
  readonly log: Log;
  readonly clock: Clock;
  readonly registry?: Registry;
  /** In [0, 1), for jitter. Default Math.random. */
  readonly random?: () => number;
  /** Told of every list or watch that failed, besides the log. */
  readonly onTrouble?: (error: unknown) => void;
}

export interface Reflector {
  start(): void;
  /** Resolves when the first list is in the sink. Never rejects; a close before that resolves it too. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
  /** null: in step, or away for less than the limit (2 min). Else what is wrong, for /healthz and logs. */
  health(): string | null;
  /** Aborts what is in flight. Twice is safe. Nothing reaches the sink afterwards. */
  close(): void;
}

export function makeReflector(options: ReflectorOptions): Reflector {
  return new Reflection(options);
}

/** Objects a page. A page is parsed at once: 500 objects of 7 kB with managedFields cost 60 MiB of RSS more than 250 (measured). */
const PAGE = 250;
/** A page of a server that throttles us. */
const LIST_TIMEOUT_MS = 60_000;
/** The server ends a watch after 240 to 340 s, so that watches spread over its replicas again. */
const WATCH_SECONDS = { least: 240, spread: 100 } as const;
/** Bookmarks come about once a minute: after so long without a byte the connection is taken for half open. Going on from the last version is cheap. */
const IDLE_MS = 150_000;
/** A watch that was open for so long was in step, though it was silent: a collection may be still. */
const IN_STEP_MS = 10_000;
/** Away for longer is unhealthy. */
const MAX_AWAY_MS = 120_000;

class Reflection implements Reflector {
  readonly synced: Promise<void>;
  readonly #options: ReflectorOptions;
  readonly #path: string;
  readonly #log: Log;
  readonly #meter: ReflectorMeter;
  readonly #random: () => number;
  readonly #abort = new AbortController();
  #resolveSynced: () => void = () => {};
  #hasStarted = false;
  #hasSynced = false;
  /** All up to here is in the sink. undefined: a list is due. */
  #version: string | undefined;
  #isOpen = false;
  /** When a watch last told something, or was open for a while. */
  #inStepAt = 0;
  /** Why nothing will come any more. */
  #over: string | undefined;
  /** Turns in a row that got nowhere. */
  #failures = 0;
  #lastError: unknown;
  #wake: () => void = () => {};

  constructor(options: ReflectorOptions) {
    const { resource, namespace, log, registry, random = Math.random } = options;
    this.#options = options;
    this.#path = pathOf(resource, { namespace });
    this.#log = log.with({ path: this.#path });
    this.#meter = reflectorMeter(registry, resource);
    this.#random = random;
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  start(): void {
    if (this.#hasStarted || this.#isClosed()) return;
    this.#hasStarted = true;
    this.#inStepAt = this.#options.clock.now();
    void this.#run();
  }

  hasSynced(): boolean {
    return this.#hasSynced;
  }

  health(): string | null {
    if (this.#over !== undefined) return `${this.#path}: ${this.#over}`;
    const awayMs = this.#options.clock.now() - this.#inStepAt;
    if (!this.#hasStarted || this.#isClosed() || this.#isOpen || awayMs <= MAX_AWAY_MS) return null;
    const { code, status, error } = failureFields(this.#lastError);
    const cause =
      this.#lastError === undefined ? 'no watch stays open' : [code, status, error].filter(Boolean).join(' ');
    return `${this.#path}: not in step for ${Math.round(awayMs / 1_000)} s: ${cause}`;
  }

  close(): void {
    this.#abort.abort();
    this.#wake();
    this.#resolveSynced();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed()) {
      const turn = await this.#turn();
      if (this.#isClosed()) return;
      if (isOver(turn.error)) return this.#end(turn.error);
      await this.#pause(this.#judge(turn));
    }
  }

  /** A list, when one is due, and one watch. Never rejects. */
  async #turn(): Promise<Turn> {
    const { clock } = this.#options;
    let openedAt: number | undefined;
    let progressed = false;
    let failure: unknown;
    try {
      this.#version ??= await this.#list();
      await this.#watch(this.#version, {
        onOpen: () => {
          openedAt = clock.now();
          this.#isOpen = true;
        },
        onEvent: (event) => {
          progressed = true;
          this.#hear(event);
        },
      });
    } catch (error) {
      failure = error;
    }
    this.#isOpen = false;
    return {
      error: failure,
      openMs: openedAt === undefined ? 0 : clock.now() - openedAt,
      progressed,
      afterOutage: isOutage(this.#lastError),
    };
  }

  /** @returns milliseconds until the next turn */
  #judge(turn: Turn): number {
    const next = nextTurn(turn, this.#failures, this.#random());
    this.#failures = next.failures;
    this.#lastError = turn.error;
    if (turn.progressed || turn.openMs >= IN_STEP_MS) this.#inStepAt = this.#options.clock.now();
    if (next.relist) this.#version = undefined;
    if (turn.error !== undefined) this.#options.onTrouble?.(turn.error);
    if (turn.openMs > 0 && !turn.progressed) this.#meter.cutShort();
    // The 1st, 2nd, 4th, 8th, … in a row: an outage of hours is some lines, not thousands.
    if (turn.error !== undefined && (this.#failures & (this.#failures - 1)) === 0)
      this.#log.warn('watch ended', {
        ...failureFields(turn.error),
        ...{ failures: this.#failures, relist: next.relist, waitMs: Math.round(next.waitMs) },
      });
    return next.waitMs;
  }

  // ---- The list ------------------------------------------------------------------------------------------------------------------

  /** One page at a time: the next is asked for when the sink has taken this one. @returns the list's version */
  async #list(): Promise<string> {
    this.#meter.listed();
    const turns = listTurnsOf(this.#options.transport);
    const { resourceVersion, next } = await turns.take(() => this.#takePage(undefined));
    for (let token = next; token !== undefined; ) token = (await turns.take(() => this.#takePage(token))).next;
    this.#deliver((sink) => sink.commit());
    this.#hasSynced ||= !this.#isClosed();
    this.#resolveSynced();
    return resourceVersion;
  }

  /** @returns without the objects: nobody else keeps them */
  async #takePage(token: string | undefined): Promise<Omit<Page, 'objects'>> {
    const { objects, resourceVersion, next } = await this.#page(token);
    if (token === undefined) this.#deliver((sink) => sink.begin(resourceVersion));
    this.#deliver((sink) => sink.page(objects));
    return { resourceVersion, next };
  }

  /** Without a resourceVersion the first page is read from etcd, so it is not older than what we knew; later ones are of the same version. */
  async #page(token: string | undefined): Promise<Page> {
    const { transport, resource, labelSelector, fieldSelector } = this.#options;
    const body = await transport.request<unknown>({
      ...{ method: 'GET', path: this.#path, timeoutMs: LIST_TIMEOUT_MS, signal: this.#abort.signal },
      query: { limit: PAGE, continue: token, labelSelector, fieldSelector },
    });
    return readPage(body, resource);
  }

  // ---- The watch -----------------------------------------------------------------------------------------------------------------

  async #watch(
    resourceVersion: string,
    { onOpen, onEvent }: { onOpen: () => void; onEvent: (event: WatchEvent) => void },
  ): Promise<void> {
    const { transport, labelSelector, fieldSelector } = this.#options;
    const timeoutSeconds = Math.round(WATCH_SECONDS.least + WATCH_SECONDS.spread * this.#random());
    this.#meter.watched();
    await transport.watch({
      path: this.#path,
      query: { watch: true, allowWatchBookmarks: true, timeoutSeconds, resourceVersion, labelSelector, fieldSelector },
      idleMs: IDLE_MS,
      signal: this.#abort.signal,
      onOpen,
      onLine: (line) => onEvent(readWatchLine(line)),
    });
  }

  #hear(event: WatchEvent): void {
    if (event.type !== 'BOOKMARK') this.#deliver((sink) => sink.event(event.type, event.object));
    this.#version = event.resourceVersion;
    if (this.#failures > 1) this.#log.info('in step again', { failures: this.#failures });
    this.#failures = 0;
  }

  /** What the sink throws concerns one object or one listener: it is told, and the others go on. */
  #deliver(act: (sink: Sink) => void): void {
    if (this.#isClosed()) return;
    try {
      act(this.#options.sink);
    } catch (error) {
      this.#log.error('a change could not be dealt with', failureFields(error));
    }
  }

  // ---- Waiting and ending --------------------------------------------------------------------------------------------------------

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Whoever was told of the failure may have closed us.
      if (this.#isClosed()) return resolve();
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The transport is closed, and not by our own abort. */
  #end(error: unknown): void {
    this.#over = error instanceof Error ? error.message : String(error);
    this.#resolveSynced();
  }

  #isClosed(): boolean {
    return this.#abort.signal.aborted;
  }
}

function isOver(error: unknown): boolean {
  return error instanceof KubeError && error.code === 'CLOSED';
}
