// Events (events.k8s.io/v1) for people: `kubectl describe` shows them. Told in the background, bounded, aggregated: a repeated event becomes a
// series on the first one's object, and a source that floods is cut (client-go: burst 25 per object, refill 1 per 300 s; LRU of 4,096).
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Client } from './client.ts';
import { KubeError } from './errors.ts';
import { EVENTS, eventKey, eventObject, objectKey, seriesPatch } from './event-object.ts';
import { type FailureLog, makeFailureLog } from './failure-log.ts';
import { LastUsed } from './last-used.ts';
import type { KubeObject } from './object.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface KubeEvent {
  readonly regarding: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What was done or tried, CamelCase. */
  readonly action: string;
  /** For people; cut to 1,024 bytes. */
  readonly note: string;
}

export interface EventRecorder {
  /** Never throws, never waits. */
  record(event: KubeEvent): void;
  /** Sends what is queued, for at most `graceMs`. Twice is safe. */
  close(graceMs: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Client;
  /** reportingController, such as `webapp-operator.io/operator`. */
  readonly controller: string;
  /** reportingInstance: this process' identity. */
  readonly instance: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** Holds a timer while a series has repeats that were not told yet: whoever makes one closes it. */
export function makeEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

/** kube-rs' and client-go's window: what comes again later than that is a new Event. */
const SERIES_MS = 360_000;
/** A series is told of at most so often. */
const PATCH_MS = 60_000;
/** client-go's EventSourceObjectSpamFilter. */
const BURST = 25;
const REFILL_MS = 300_000;
const REMEMBERED = 4_096;
/** Calls that wait. What is beyond drops the oldest. */
const MAX_QUEUED = 2_000;

/** An Event in the cluster, and how often it has happened. */
interface Series {
  readonly key: string;
  readonly objectKey: string;
  readonly namespace: string;
  readonly name: string;
  count: number;
  /** Of what the cluster knows. */
  toldCount: number;
  toldAt: number;
  lastAt: number;
  lastWall: number;
}

/** One call to make: the Event itself, or what is new of its series when the turn has come. */
type Call = { readonly series: Series; readonly create: KubeObject | undefined };

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #failures: FailureLog;
  readonly #series = new LastUsed<Series>(REMEMBERED);
  readonly #allowance = new TokenBuckets({ burst: BURST, refillMs: REFILL_MS, keys: REMEMBERED });
  readonly #queue: Call[] = [];
  #dropped = 0;
  #made = Math.floor(Math.random() * 0x1_0000);
  #sending: Promise<void> | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;
  #givenUp = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#failures = makeFailureLog({ log: options.log, clock: options.clock, burst: 1, everyMs: 60_000 });
  }

  record(event: KubeEvent): void {
    if (this.#closed !== undefined) return;
    const now = this.#options.clock.now();
    const key = eventKey(event);
    const series = this.#series.get(key);
    if (series === undefined || now - series.lastAt > SERIES_MS) this.#begin(key, event, now);
    else this.#repeat(series, now);
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    clearTimeout(this.#sweep);
    this.#tellSeries(() => true);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.#sending, late]);
    clearTimeout(timer);
    this.#givenUp = true;
    this.#queue.length = 0;
  }

  #begin(key: string, event: KubeEvent, now: number): void {
    const { clock, controller, instance } = this.#options;
    const object = objectKey(event.regarding);
    if (!this.#allowance.take(object, now)) {
      this.#dropped += 1;
      return;
    }
    const wall = clock.wall();
    const create = eventObject(event, { controller, instance, wall, hex: this.#hex(wall) });
    const { namespace = 'default', name } = create.metadata;
    const told = { count: 1, toldCount: 1, toldAt: now, lastAt: now, lastWall: wall };
    const series = { key, objectKey: object, namespace, name, ...told };
    this.#series.set(key, series);
    this.#enqueue({ series, create });
  }

  #repeat(series: Series, now: number): void {
    series.count += 1;
    series.lastAt = now;
    series.lastWall = this.#options.clock.wall();
    if (this.#sweep === undefined) this.#sweepIn(Math.max(series.toldAt + PATCH_MS - now, 0));
  }

  /** One timer for all series: those whose time has come are told of, and it runs again while others wait. */
  #sweepIn(ms: number): void {
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined;
      const now = this.#options.clock.now();
      this.#tellSeries((series) => now - series.toldAt >= PATCH_MS);
      const waiting = this.#series.values().some((series) => series.count > series.toldCount);
      if (waiting) this.#sweepIn(PATCH_MS / 4);
    }, ms);
  }

  #tellSeries(due: (series: Series) => boolean): void {
    const now = this.#options.clock.now();
    for (const series of this.#series.values()) {
      if (series.count === series.toldCount || !due(series)) continue;
      series.toldAt = now;
      if (!this.#allowance.take(series.objectKey, now)) continue;
      this.#enqueue({ series, create: undefined });
    }
  }

  #enqueue(call: Call): void {
    this.#queue.push(call);
    if (this.#queue.length > MAX_QUEUED) this.#dropOldest();
    this.#sending ??= this.#send();
  }

  #dropOldest(): void {
    const call = this.#queue.shift();
    if (call?.create !== undefined) this.#forget(call.series);
    this.#dropped += 1;
    this.#failures.warn('Events are dropped: the API server takes them too slowly', { dropped: this.#dropped });
  }

  /** One at a time: a series is never told of before its Event is there, and events never crowd out the work itself. */
  async #send(): Promise<void> {
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) await this.#try(call);
    this.#sending = undefined;
  }

  async #try({ series, create }: Call): Promise<void> {
    const { client } = this.#options;
    const { namespace, name, count, lastWall } = series;
    try {
      if (create !== undefined) await client.create(EVENTS, create);
      else if (count > series.toldCount) {
        await client.patch(EVENTS, { namespace, name }, seriesPatch(count, lastWall));
        series.toldCount = count;
      }
    } catch (error) {
      this.#failed(series, error);
    }
  }

  #failed(series: Series, error: unknown): void {
    this.#forget(series);
    this.#dropped += 1;
    if (this.#givenUp || isUnwelcome(error)) return;
    this.#failures.say('an Event could not be told', error, { dropped: this.#dropped });
  }

  /** An Event that is not in the cluster cannot have a series: what comes again begins anew. */
  #forget(series: Series): void {
    if (this.#series.get(series.key) === series) this.#series.delete(series.key);
  }

  /** Time and a running number: unique in this process, and with the time in milliseconds among several. */
  #hex(wall: number): string {
    this.#made = (this.#made + 1) % 0x1_0000;
    return `${wall.toString(16)}${this.#made.toString(16).padStart(4, '0')}`;
  }
}

/** The namespace is gone or being deleted, or the Event is (they live an hour), or we may not write any: nothing to be done, nothing to say. */
function isUnwelcome(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 404 || error.status === 403);
}
