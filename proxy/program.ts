// The running proxy: configuration file, way to the workers, front door and admin port, put together and kept in step. Started
// by main.ts; decides nothing about a single request.
import { existsSync } from 'node:fs';
import { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { type ProxyConfig, proxyConfigSchema } from '../core/config/proxy.ts';
import { formatProblem, type Problem, ProblemsError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { ProxyStatus } from '../core/status/proxy.ts';
import { type AccessLog, openAccessLog } from '../http/access-log.ts';
import { formatAddress, type ListenAddress } from '../http/address.ts';
import { type Admin, openAdmin } from '../http/admin.ts';
import { type ConfigFile, openConfigFile } from '../http/config-file.ts';
import type { Handler, UpgradeExchange } from '../http/exchange.ts';
import { type DoorLimits, type FrontDoor, openFrontDoor } from '../http/listen.ts';
import { nameWebapp } from '../http/metrics.ts';
import { registerProcessMetrics } from '../http/process-metrics.ts';
import { Tracer } from '../tracing/tracer.ts';
import { Accounts } from './accounts.ts';
import type { PodApiServer } from './api-server.ts';
import type { Flags } from './flags.ts';
import { makeForward } from './forward.ts';
import { account, endOf } from './handlers/account.ts';
import { maintenance } from './handlers/maintenance.ts';
import { makeRequestIds, requestId } from './handlers/request-id.ts';
import { staticFiles } from './handlers/static.ts';
import { tracing } from './handlers/tracing.ts';
import { registerProxyMetrics } from './metrics.ts';
import { makePipeline } from './pipeline.ts';
import { makeProxySpans } from './proxy-spans.ts';
import { drainBoundMs, makeDoorLimits } from './settings.ts';
import { makeProxyStatus } from './status.ts';
import { makeUpgradeRecord } from './upgrade/record.ts';
import { isWebSocket, type UpgradeOutcome, Upgrades } from './upgrade/upgrades.ts';
import { Workers } from './workers.ts';

export interface ProgramOptions {
  readonly flags: Flags;
  readonly log: Log;
  readonly clock: Clock;
  readonly pid: number;
  /** The API server of the pod that this runs in, if any; a flag goes before it. */
  readonly pod: PodApiServer | null;
}

/**
 * Reads the configuration, opens all ports and logs where they are.
 * @throws ProblemsError when the configuration is not valid; AddressError; the error of opening the access log
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const program = new Program(options);
  try {
    await program.start();
  } catch (error) {
    await program.close();
    throw error;
  }
  return program;
}

export class Program {
  readonly #options: ProgramOptions;
  readonly #registry = new Registry();
  readonly #accounts = new Accounts();
  readonly #workers: Workers;
  readonly #nextId = makeRequestIds();
  readonly #upgrades: Upgrades;
  readonly #tracer: Tracer;
  readonly #startedAt: number;
  #state: ProxyStatus['state'] = 'starting';
  #config: ProxyConfig | null = null;
  #appliedAt = 0;
  /** Why the newest document was not taken. */
  #refusal: string | undefined;
  #handle: Handler = (exchange) => exchange.fail('NO_ENDPOINT');
  #file: ConfigFile<ProxyConfig> | null = null;
  #accessLog: AccessLog | null = null;
  #door: FrontDoor | null = null;
  #admin: Admin | null = null;
  #stopping: Promise<void> | null = null;
  #hurry = Promise.withResolvers<void>();

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.#startedAt = options.clock.wall();
    const { flags, pod, log, clock, pid } = options;
    this.#tracer = new Tracer({ log, program: 'proxy', pid });
    this.#workers = new Workers({ apiServer: flags.apiServer ?? pod, log, clock, registry: this.#registry });
    this.#upgrades = new Upgrades({
      pick: () => this.#workers.upstreams.pick(),
      refusal: () => (this.#inForce().maintenance === undefined ? null : 'MAINTENANCE'),
      nextId: this.#nextId,
      timeouts: () => this.#inForce().timeouts,
      clock,
      trace: (headers) => this.#tracer.begin(headers),
      onError: (error, { requestId, target }) =>
        log.error('an upgrade failed', { code: 'INTERNAL', id: requestId, target, reason: error }),
      onClosed: (upgrade, outcome) => this.#onUpgradeClosed(upgrade, outcome),
    });
  }

  async start(): Promise<void> {
    const { flags } = this.#options;
    this.#file = await openConfigFile(flags.config, proxyConfigSchema, {
      onChange: (config) => this.#take(config),
      onInvalid: (problems) => this.#refuse(problems),
    });
    const problems = this.#workers.problemsOf(this.#file.document);
    if (problems.length > 0) throw new ProblemsError(flags.config, problems);
    this.#apply(this.#file.document);
    const accessLog = this.#openAccessLog(flags.accessLog);
    this.#accessLog = accessLog;
    this.#door = await this.#openDoor(flags.listen, makeDoorLimits(this.#inForce()), accessLog);
    registerProxyMetrics(this.#registry, {
      status: () => this.status(),
      upstreams: () => this.#workers.upstreams.counters,
      accounts: this.#accounts,
      door: this.#door,
      spans: this.#tracer.counts,
      accessLogDropped: () => accessLog.dropped,
    });
    this.#admin = await openAdmin(flags.admin, {
      ready: () => (this.#state === 'running' ? this.#workers.whyNotReady() : this.#state),
      status: () => this.status(),
      metrics: this.#registry,
    });
    this.#state = 'running';
    const { address } = this.#door;
    this.#options.log.info('listening', { listen: formatAddress(address), admin: formatAddress(this.#admin.address) });
    registerProcessMetrics(this.#registry);
  }

  #openAccessLog(target: Flags['accessLog']): AccessLog {
    try {
      return openAccessLog(target, ({ message }) => this.#options.log.warn('access log failed', { reason: message }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const mend = 'choose a file that this user may write to, or off';
      throw new ProblemsError('The command line', [{ field: '--access-log', message, mend }]);
    }
  }

  #openDoor(address: ListenAddress, limits: DoorLimits, accessLog: AccessLog): Promise<FrontDoor> {
    const { log, clock } = this.#options;
    return openFrontDoor(address, {
      limits,
      onRequest: (exchange) => this.#handle(exchange),
      onUpgrade: (upgrade) => this.#upgrades.take(upgrade),
      takesUpgrade: isWebSocket,
      onFault: (code) => this.#accounts.answers.fault(code),
      onDone: endOf(this.#accounts, accessLog, clock, this.#tracer),
      onRefused: (record) => {
        this.#accounts.answers.done(record);
        accessLog.write(record, clock.now());
      },
      onHandlerError: (error, { requestId, method, target }) =>
        log.error('a handler failed', { code: 'INTERNAL', id: requestId, method, target, reason: error }),
    });
  }

  /** A new document while running. */
  #take(config: ProxyConfig): void {
    const problems = this.#workers.problemsOf(config);
    if (problems.length > 0) {
      this.#refuse(problems);
      return;
    }
    this.#apply(config);
    this.#door?.configure(makeDoorLimits(config));
    this.#options.log.info('configuration applied', { hash: config.hash });
  }

  #refuse(problems: readonly Problem[]): void {
    this.#refusal = problems.map(formatProblem).join('\n');
    this.#options.log.error('configuration refused, the one before stays in force', {
      code: 'CONFIG_INVALID',
      reason: this.#refusal,
      problems,
    });
  }

  #apply(config: ProxyConfig): void {
    this.#config = config;
    this.#appliedAt = this.#options.clock.wall();
    nameWebapp(this.#registry, config.name);
    this.#tracer.configure(config.name, config.tracing);
    this.#refusal = undefined;
    this.#workers.configure(config);
    this.#warnOfMissing(config);
    this.#handle = this.#makeHandler(config);
  }

  /** The current version's may come yet: until then its requests go to earlier ones and the application. */
  #warnOfMissing({ static: folders }: ProxyConfig): void {
    for (const { path, directories } of folders) {
      const [directory = ''] = directories;
      if (!existsSync(directory)) this.#options.log.warn('a static folder is not there', { path, directory });
    }
  }

  #makeHandler(config: ProxyConfig): Handler {
    const { clock, log } = this.#options;
    const links = {
      account: account(this.#accounts),
      requestId: requestId(this.#nextId),
      tracing: tracing(this.#tracer),
      staticFiles: staticFiles({
        folders: config.static,
        clock,
        onServed: () => this.#accounts.static++,
        onError: (error, path) => log.error('a static file could not be read', { path, reason: error }),
      }),
      maintenance: maintenance(config.maintenance),
    };
    return makePipeline(links, makeForward(this.#workers.upstreams, { clock, bodyBytes: config.limits.bodyBytes }));
  }

  #onUpgradeClosed(upgrade: UpgradeExchange, outcome: UpgradeOutcome): void {
    const record = makeUpgradeRecord(upgrade, outcome);
    this.#accounts.answers.done(record);
    const now = this.#options.clock.now();
    const { trace, address } = outcome;
    this.#accessLog?.write(record, now, address, -1, trace?.traceId);
    if (trace === null || trace.spanId === '') return;
    const ended = { ...record, version: '1.1' } as const;
    for (const span of makeProxySpans(ended, trace, undefined, now, this.#tracer.epochOffset()))
      this.#tracer.record(span);
  }

  #inForce(): ProxyConfig {
    if (this.#config === null) throw new Error('no configuration yet');
    return this.#config;
  }

  status(): ProxyStatus {
    const { name, hash, limits } = this.#inForce();
    return makeProxyStatus({
      name,
      pid: this.#options.pid,
      startedAt: this.#startedAt,
      state: this.#state,
      config: { hash, appliedAt: this.#appliedAt, ...(this.#refusal !== undefined && { error: this.#refusal }) },
      connections: {
        open: this.#door?.openConnections ?? 0,
        max: limits.connections,
        upgraded: this.#upgrades.open,
      },
      requests: this.#accounts.requests(),
      retried: this.#workers.upstreams.counters.retried,
      queue: this.#workers.upstreams.queue(),
      durations: this.#accounts.durations(),
      bytes: { received: this.#door?.counters.received ?? 0, sent: this.#door?.counters.sent ?? 0 },
      errors: this.#accounts.answers.errors.list(),
      groups: this.#workers.status(),
    });
  }

  reopenAccessLog(): void {
    this.#accessLog?.reopen();
  }

  /**
   * Not ready at once; takes requests for the drain delay more; lets what is there finish, for as long as the largest timeout
   * at most; then closes. Asked a second time it waits for nothing.
   */
  stop(): Promise<void> {
    if (this.#stopping !== null) this.#hurry.resolve();
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { log, flags } = this.#options;
    this.#state = 'draining';
    log.info('draining', { delayMs: flags.drainDelayMs });
    this.#door?.leave();
    await this.#delay(flags.drainDelayMs);
    void this.#hurry.promise.then(() => this.#door?.drain(0));
    const cut = (await this.#door?.drain(drainBoundMs(this.#inForce()))) ?? 0;
    await this.close();
    log.info('stopped', { cutConnections: cut });
  }

  #delay(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    const over = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
    return Promise.race([over, this.#hurry.promise]);
  }

  /** Everything that was opened, at once. Twice is safe. */
  async close(): Promise<void> {
    this.#file?.close();
    await this.#door?.drain(0);
    this.#upgrades.close();
    this.#workers.close();
    await this.#admin?.close();
    await this.#accessLog?.close();
    await this.#tracer.close();
  }
}
