// The running worker: supervisor, front, admin port and configuration file, put together and kept in step from the first
// process to the last. Started by main.ts; decides nothing about a single request or process.
import { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { type WorkerConfig, workerConfigSchema } from '../core/config/worker.ts';
import { formatProblem, type Problem } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { AppliedConfig, WorkerStatus } from '../core/status/worker.ts';
import { formatAddress } from '../http/address.ts';
import { type Admin, openAdmin } from '../http/admin.ts';
import { type ConfigFile, openConfigFile } from '../http/config-file.ts';
import { nameWebapp } from '../http/metrics.ts';
import { registerProcessMetrics } from '../http/process-metrics.ts';
import { Tracer } from '../tracing/tracer.ts';
import type { Cgroup } from './cgroup.ts';
import type { Settings } from './flags.ts';
import { type Front, openFront } from './front/front.ts';
import { registerWorkerMetrics } from './metrics.ts';
import { openRunDirectory, type RunDirectory } from './run-directory.ts';
import type { MakeRuntime } from './runtimes/runtime.ts';
import { makeWorkerStatus, newsOf, unreadyReason } from './status.ts';
import { Supervisor } from './supervisor.ts';

/** Why the worker leaves, and the exit code that says so. */
export const EXIT = { done: 0, bootFailed: 3, forced: 130 } as const;

/** After the front has drained its processes are idle: so long they may take to leave, whatever the time that is left. */
const LEAST_STOP_MS = 1_000;

export interface ProgramOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly clock: Clock;
  readonly pid: number;
  /** CPUs that may be used. */
  readonly cpus: number;
  readonly cgroup: Cgroup;
  readonly residentOf: (pid: number) => number | undefined;
  /** Where the private folder may be, in order. */
  readonly runParents: readonly string[];
  readonly runtimes: Readonly<Record<WorkerConfig['runtime'], MakeRuntime>>;
}

/** Everything that is open while the worker runs. */
interface Parts {
  readonly directory: RunDirectory;
  readonly supervisor: Supervisor;
  readonly front: Front;
  readonly admin: Admin | null;
}

export class Program {
  /** Resolves with the exit code when all is closed. */
  readonly ended: Promise<number>;

  private readonly options: ProgramOptions;
  private readonly registry = new Registry();
  private readonly startedAt: number;
  private readonly tracer: Tracer;
  private config: WorkerConfig | null = null;
  private applied: AppliedConfig = { hash: '', appliedAt: 0 };
  private file: ConfigFile<WorkerConfig> | null = null;
  private parts: Parts | null = null;
  private draining = false;
  private closing = false;
  /** Asked to stop before it had started. */
  private stopEarly = false;
  private endDelay: (() => void) | null = null;
  private end: (code: number) => void = () => {};

  constructor(options: ProgramOptions) {
    this.options = options;
    this.startedAt = options.clock.wall();
    this.tracer = new Tracer({ log: options.log, program: 'worker', pid: options.pid });
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /**
   * Listens, then starts the processes; what was opened before an error is closed.
   * @throws ProblemsError the document, AddressError an address, Error the private folder
   */
  async start(): Promise<void> {
    const config = await this.readConfig();
    this.config = config;
    this.tracer.configure(config.name, config.tracing);
    nameWebapp(this.registry, config.name);
    this.applied = { hash: config.hash, appliedAt: this.options.clock.wall() };
    try {
      this.parts = await this.open(config);
    } catch (error) {
      this.file?.close();
      throw error;
    }
    const { supervisor, front, admin } = this.parts;
    this.options.log.info('listening', {
      listen: formatAddress(front.address),
      ...(admin !== null && { admin: formatAddress(admin.address) }),
      app: config.app,
      processes: supervisor.desired,
    });
    supervisor.start();
    if (admin !== null) registerProcessMetrics(this.registry);
    // A change between the first reading and now.
    if (this.config !== null && this.config !== config) this.apply(this.config);
    if (this.stopEarly) void this.quit(EXIT.done);
  }

  /** Finishes what is there and ends with code 0. Not ready at once; still takes requests for the drain delay. */
  async drain(): Promise<void> {
    const { parts } = this;
    if (parts === null) this.stopEarly = true;
    if (parts === null || this.draining) return;
    this.draining = true;
    const { drainDelayMs } = this.options.settings;
    this.options.log.info('draining', { drainDelayMs });
    await this.delay(drainDelayMs);
    const gracefulMs = this.config?.timeouts.gracefulMs ?? LEAST_STOP_MS;
    const deadline = this.options.clock.now() + gracefulMs;
    const cut = await parts.front.drain(gracefulMs);
    if (cut > 0) this.options.log.warn('connections were cut: their time to finish was over', { connections: cut });
    await parts.supervisor.stop(Math.max(LEAST_STOP_MS, deadline - this.options.clock.now()));
    await this.close(EXIT.done);
  }

  /** Ends at once: requests are cut, processes killed. */
  async quit(code: number): Promise<void> {
    const { parts } = this;
    if (parts === null) this.stopEarly = true;
    if (parts === null) return;
    this.draining = true;
    this.endDelay?.();
    parts.supervisor.abandon();
    await this.close(code);
  }

  /** As `drain`; asked a second time while that lasts, as `quit`. */
  interrupt(): void {
    if (this.draining) void this.quit(EXIT.forced);
    else void this.drain();
  }

  reload(): void {
    this.parts?.supervisor.reload();
  }

  /** One process more or fewer. */
  adjust(by: number): void {
    this.parts?.supervisor.adjust(by);
  }

  /** For a program that cannot go on: kills what it started and leaves the rest to the kernel. */
  abandon(): void {
    this.parts?.supervisor.abandon();
    this.parts?.directory.close();
  }

  // ── opening and closing ──

  private async readConfig(): Promise<WorkerConfig> {
    const { source } = this.options.settings;
    if ('config' in source) return source.config;
    this.file = await openConfigFile<WorkerConfig>(source.file, workerConfigSchema, {
      onChange: (config) => this.apply(config),
      onInvalid: (problems) => this.refuse(problems),
    });
    return this.file.document;
  }

  private async open(config: WorkerConfig): Promise<Parts> {
    const { settings, log, clock, runParents } = this.options;
    const directory = await openRunDirectory(runParents);
    const supervisor = this.makeSupervisor(config, directory.path);
    try {
      const front = await openFront({
        listen: settings.listen,
        config,
        pool: supervisor,
        runDirectory: directory.path,
        log,
        clock,
        tracer: this.tracer,
        ...(settings.development && { bootFailure: () => supervisor.bootFailure }),
      });
      registerWorkerMetrics(this.registry, {
        supervisor: () => supervisor.snapshot(),
        front,
        config: () => this.applied,
        spans: this.tracer.counts,
      });
      const admin = await this.openAdmin(supervisor, front, this.registry);
      return { directory, supervisor, front, admin };
    } catch (error) {
      supervisor.abandon();
      directory.close();
      throw error;
    }
  }

  private makeSupervisor(config: WorkerConfig, runDirectory: string): Supervisor {
    const { settings, log, clock, cpus, cgroup, residentOf, runtimes } = this.options;
    return new Supervisor(
      {
        place: { directory: settings.directory, development: settings.development },
        makeRuntime: (kind, spec) => runtimes[kind](spec, runDirectory, log),
        clock,
        random: Math.random,
        log,
        cpus,
        cgroup,
        residentOf,
        onBootFailed: () => {
          if (settings.onBootError === 'exit') void this.quit(EXIT.bootFailed);
        },
      },
      config,
    );
  }

  /** The front listens already: it is stopped when the admin port cannot. */
  private async openAdmin(supervisor: Supervisor, front: Front, metrics: Registry): Promise<Admin | null> {
    const { admin } = this.options.settings;
    if (admin === null) return null;
    const ready = (): string | null => unreadyReason(this.draining, supervisor.snapshot());
    try {
      const status = (): WorkerStatus => this.status(supervisor, front);
      const news = (): string =>
        newsOf({ draining: this.draining, config: this.applied, supervisor: supervisor.glance() });
      return await openAdmin(admin, { ready, status, news, metrics });
    } catch (error) {
      await front.drain(0);
      throw error;
    }
  }

  private async close(code: number): Promise<void> {
    if (this.closing || this.parts === null) return;
    this.closing = true;
    this.file?.close();
    await Promise.all([this.parts.front.drain(0), this.parts.admin?.close()]);
    await this.tracer.close();
    this.parts.directory.close();
    this.end(code);
  }

  private delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endDelay = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  // ── configuration and status ──

  private apply(config: WorkerConfig): void {
    this.config = config;
    if (this.parts === null || this.draining) return;
    nameWebapp(this.registry, config.name);
    this.applied = { hash: config.hash, appliedAt: this.options.clock.wall() };
    this.parts.supervisor.configure(config);
    this.parts.front.configure(config);
    this.tracer.configure(config.name, config.tracing);
    this.options.log.info('configuration applied', { hash: config.hash, processes: this.parts.supervisor.desired });
  }

  private refuse(problems: readonly Problem[]): void {
    const error = problems.map(formatProblem).join('\n');
    this.applied = { ...this.applied, error };
    this.options.log.error('the new configuration is refused; the one before stays in force', {
      code: 'CONFIG_INVALID',
      problems,
    });
  }

  private status(supervisor: Supervisor, front: Front): WorkerStatus {
    return makeWorkerStatus({
      name: this.config?.name ?? '',
      pid: this.options.pid,
      startedAt: this.startedAt,
      draining: this.draining,
      config: this.applied,
      supervisor: supervisor.snapshot(),
      front: front.snapshot(),
    });
  }
}
