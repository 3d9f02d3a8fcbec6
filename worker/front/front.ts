// The worker's front: takes HTTP requests from the front door, holds each until its body is whole and a slot of an
// application process is free, carries the response back, and answers for the process when it dies, hangs or is not there.
// Opened by worker/program.ts. Knows processes only as `ProcessPool` (slot.ts): not how they are started or spoken to.
import type { Clock } from '../../core/clock.ts';
import type { WorkerConfig } from '../../core/config/worker.ts';
import type { Log } from '../../core/log.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import type { AccessLog } from '../../http/access-log.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type DoorLimits, type FrontDoor, type ListenAddress, openFrontDoor } from '../../http/listen.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { BootFailure } from '../runtimes/runtime.ts';
import type { ProcessPool } from '../slot.ts';
import { BodyStore } from './body-store.ts';
import { makeBootPage } from './boot-page.ts';
import { FrontCounters } from './counters.ts';
import { Dispatcher } from './dispatch.ts';
import { Reception } from './reception.ts';
import { Upgrades } from './upgrade.ts';

export interface FrontOptions {
  readonly listen: ListenAddress;
  readonly config: WorkerConfig;
  /** The front sets its `onFree`. */
  readonly pool: ProcessPool;
  /** Absolute path of a private folder (mode 0700) for request bodies. It exists; its owner removes it. */
  readonly runDirectory: string;
  readonly log: Log;
  readonly clock: Clock;
  /**
   * Development only: why no process could be started last time. While this says something and no process is there,
   * requests are answered with a page that shows it, instead of waiting for a process.
   */
  readonly bootFailure?: () => BootFailure | null;
  /** Absent: none. That is the rule behind our proxy, which has one. Its owner closes it. */
  readonly accessLog?: AccessLog;
  /** Absent: no request is traced. Its owner configures and closes it. */
  readonly tracer?: Tracer;
}

/** The front's part of the status document. */
export type FrontSnapshot = {
  [Part in 'queue' | 'requests' | 'durations' | 'bytes' | 'errors']: NonNullable<WorkerStatus[Part]>;
};

export interface Front {
  /** The address in force: the port when 0 was asked for. */
  readonly address: ListenAddress;
  /** Takes a new configuration in place. Requests under way keep the deadlines they began with. */
  configure(config: WorkerConfig): void;
  snapshot(): FrontSnapshot;
  /** Since the start; for metrics. */
  readonly counters: FrontCounters;
  /** Behind which all this is. */
  readonly door: Pick<FrontDoor, 'openConnections' | 'maxConnections' | 'counters'>;
  /**
   * Stops listening, serves what waits and what runs, and resolves when all connections are gone or `timeoutMs` has passed
   * (then the rest is cut). Twice is safe. Processes must live until it has resolved.
   * @returns how many connections had to be cut
   */
  drain(timeoutMs: number): Promise<number>;
}

/** How long a client may keep an idle connection: longer than our proxy does, so that it is the one who closes. */
const IDLE_MS = 75_000;
const REQUEST_HEAD_MS = 30_000;
const REQUEST_BODY_MS = 60_000;
const SEND_MS = 60_000;
/** While developing: how soon those that wait hear that the application does not start. */
const STAND_IN_MS = 100;

/** @throws CodedError 'ADDRESS_IN_USE' | 'ADDRESS_DENIED' | 'ADDRESS_INVALID' with a mend in its message */
export async function openFront(options: FrontOptions): Promise<Front> {
  const front = new OpenFront(options);
  await front.open(options.listen);
  return front;
}

class OpenFront implements Front {
  private readonly options: FrontOptions;
  private config: WorkerConfig;
  readonly counters = new FrontCounters();
  private readonly store: BodyStore;
  private readonly dispatcher: Dispatcher;
  private readonly reception: Reception;
  private readonly upgrades: Upgrades;
  private opened: FrontDoor | null = null;
  private standInTimer: NodeJS.Timeout | undefined;

  constructor(options: FrontOptions) {
    const { clock, config, log, pool, tracer } = options;
    this.options = options;
    this.config = config;
    const { counters } = this;
    const store = new BodyStore(options.runDirectory, config.limits);
    const standIn = (exchange: Exchange): boolean => this.standIn(exchange);
    const dispatcher = new Dispatcher({ config, pool, store, counters, clock, log, standIn });
    this.store = store;
    this.dispatcher = dispatcher;
    this.reception = new Reception(config.trustForwarded, {
      dispatcher,
      store,
      counters,
      log,
      ...(tracer && { tracer }),
    });
    this.upgrades = new Upgrades({ config, pool, counters, clock, makeId: this.reception.makeId });
    pool.onFree = () => this.serve();
  }

  get address(): ListenAddress {
    return this.opened?.address ?? this.options.listen;
  }

  get door(): FrontDoor {
    if (this.opened === null) throw new Error('the front is not open');
    return this.opened;
  }

  async open(address: ListenAddress): Promise<void> {
    const { accessLog, bootFailure, clock, log } = this.options;
    this.opened = await openFrontDoor(address, {
      limits: makeDoorLimits(this.config),
      onRequest: (exchange) => this.reception.receive(exchange),
      onUpgrade: (exchange) => this.upgrades.receive(exchange),
      // Only a Node application can take the connection over; a WSGI application sees such a request as any other.
      takesUpgrade: () => this.config.runtime === 'node',
      onFault: (code) => this.counters.answers.fault(code),
      onDone: (exchange) => {
        this.counters.answers.done(exchange);
        accessLog?.write(exchange, clock.now());
      },
      onRefused: (record) => {
        this.counters.answers.done(record);
        accessLog?.write(record, clock.now());
      },
      onHandlerError: (error) => log.error('an error in the front', { error }),
    });
    if (bootFailure === undefined) return;
    this.standInTimer = setInterval(() => this.dispatcher.standInForWaiting(), STAND_IN_MS).unref();
  }

  private serve(): void {
    this.dispatcher.serve();
    this.upgrades.serve();
  }

  configure(config: WorkerConfig): void {
    this.config = config;
    this.opened?.configure(makeDoorLimits(config));
    this.store.configure(config.limits);
    this.dispatcher.configure(config);
    this.upgrades.configure(config);
    this.reception.trustForwarded = config.trustForwarded;
  }

  snapshot(): FrontSnapshot {
    const { queue } = this.dispatcher;
    const { received, sent } = this.door.counters;
    const oldestMs = queue.oldestMs(this.options.clock.now());
    return {
      queue: { length: queue.length, max: this.config.queue.max, oldestMs },
      requests: this.counters.requests(),
      durations: this.counters.durations(),
      bytes: { received, sent },
      errors: this.counters.answers.errors.list(),
    };
  }

  async drain(timeoutMs: number): Promise<number> {
    const cut = (await this.opened?.drain(timeoutMs)) ?? 0;
    clearInterval(this.standInTimer);
    return cut;
  }

  private standIn(exchange: Exchange): boolean {
    const { bootFailure, pool } = this.options;
    const failure = pool.takers.length === 0 ? bootFailure?.() : null;
    if (failure === null || failure === undefined) return false;
    exchange.respond(
      500,
      ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store'],
      makeBootPage(failure),
    );
    return true;
  }
}

function makeDoorLimits({ limits }: WorkerConfig): DoorLimits {
  return {
    bodyBytes: limits.bodyBytes,
    headBytes: limits.headBytes,
    connections: limits.connections,
    requestHeadMs: REQUEST_HEAD_MS,
    requestBodyMs: REQUEST_BODY_MS,
    idleMs: IDLE_MS,
    sendMs: SEND_MS,
  };
}
