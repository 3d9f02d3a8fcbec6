// Keeps the wanted application processes alive: one upkeep pass that looks, plans (upkeep.ts) and acts, woken by whatever
// happens and by the next deadline. Made by program.ts; the front takes its processes as a `ProcessPool`. Decisions are in
// upkeep.ts, lifecycle.ts, generation.ts and death.ts.
import type { Clock } from '../core/clock.ts';
import type { WorkerConfig } from '../core/config/worker.ts';
import type { Log } from '../core/log.ts';
import type { DeathCause } from '../core/status/worker.ts';
import type { Cgroup } from './cgroup.ts';
import { type Death, isRoutine } from './death.ts';
import { DeathRegister, type RecordedDeath } from './death-register.ts';
import { Generations, type MakeGenerationRuntime, type Place, PROVEN_MS } from './generation.ts';
import type { ProcessHandle } from './handle.ts';
import { Roster } from './roster.ts';
import type { BootFailure } from './runtimes/runtime.ts';
import type { AppProcess, BufferedRequest, ProcessPool } from './slot.ts';
import { type ProcessView, planUpkeep, type Wanted } from './upkeep.ts';

export interface SupervisorOptions {
  readonly place: Place;
  readonly makeRuntime: MakeGenerationRuntime;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** CPUs that may be used: decides `processes: auto`, and how many processes start at the same time. */
  readonly cpus: number;
  readonly cgroup: Cgroup;
  /** Resident bytes of a process; undefined when not known. */
  readonly residentOf: (pid: number) => number | undefined;
  /** A process could not start, and none ever was ready. */
  readonly onBootFailed?: (failure: BootFailure) => void;
}

/** What the status document and the metrics are made from. */
export interface SupervisorSnapshot {
  readonly desired: number;
  /** Slots that a process will have which is started now. */
  readonly threads: number;
  /** Whether any process ever was ready. */
  readonly booted: boolean;
  readonly handles: readonly ProcessHandle[];
  readonly deaths: readonly Death[];
  /** Ends of processes since the start, by cause. */
  readonly ends: ReadonlyMap<DeathCause, number>;
}

const MAX_PROCESSES = 256;
/** How often memory is looked at. */
const SAMPLE_MS = 5_000;
/** A limit that a process exceeds when it is new must not turn into a loop of restarts. */
const LEAST_AGE_FOR_MEMORY_MS = 30_000;

/** @param limit CPUs of the container, @param available CPUs of the machine @returns what `processes: auto` means */
export function autoProcesses(limit: number | null, available: number): number {
  return Math.min(MAX_PROCESSES, Math.max(2, Math.ceil(Math.min(limit ?? available, available))));
}

export class Supervisor implements ProcessPool {
  takers: readonly ProcessHandle[] = [];
  onFree: (() => void) | null = null;

  private readonly options: SupervisorOptions;
  private readonly roster: Roster;
  private readonly generations: Generations;
  private readonly deaths: DeathRegister;
  private config: WorkerConfig;
  /** TTIN and TTOU, on top of the configuration. */
  private extra = 0;
  private booted = false;
  private stopping = false;
  private woken = false;
  private timer: NodeJS.Timeout | undefined;
  private sampler: NodeJS.Timeout | undefined;
  private onEmpty: (() => void)[] = [];

  constructor(options: SupervisorOptions, config: WorkerConfig) {
    this.options = options;
    this.config = config;
    const { clock, random, log } = options;
    this.roster = new Roster(
      { clock, random, log, config: () => this.config, desired: () => this.desired },
      {
        onChange: () => this.wake(),
        onReady: (handle) => this.noteReady(handle),
        onBootGivenUp: (handle) => this.noteBootGivenUp(handle),
        onWithdrawn: () => this.chooseTakers(),
        onFree: () => this.onFree?.(),
        onGone: (handle) => this.noteGone(handle),
      },
    );
    this.deaths = new DeathRegister(options.cgroup, clock, log);
    this.generations = new Generations(options.place, options.makeRuntime, config);
  }

  start(): void {
    this.sampler = setInterval(() => this.sample(), SAMPLE_MS);
    this.wake();
  }

  /** Takes a new document in place. A change of what a process is begins a new generation. */
  configure(config: WorkerConfig): void {
    const before = this.config;
    this.config = config;
    if (config.processes !== before.processes) this.extra = 0;
    if (this.generations.configure(config)) this.chooseTakers();
    if (JSON.stringify(config.health) !== JSON.stringify(before.health)) this.roster.recheckHealth();
    this.wake();
  }

  /** Replaces every process, the replacement first. */
  reload(): void {
    this.options.log.info('reload: every process is replaced');
    this.generations.reload(this.config);
    this.chooseTakers();
    this.wake();
  }

  /** One process more or fewer than the configuration says, until that changes. */
  adjust(by: number): void {
    const wished = this.configured() + this.extra + by;
    this.extra = Math.min(MAX_PROCESSES, Math.max(1, wished)) - this.configured();
    this.options.log.info('process count adjusted by signal', { processes: this.desired });
    this.wake();
  }

  /** Every process is asked to leave and killed after `timeoutMs`. Twice is safe: the shorter time counts. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopping = true;
    clearInterval(this.sampler);
    const deadline = this.options.clock.now() + timeoutMs;
    this.upkeep();
    this.roster.hasten(deadline);
    this.upkeep();
    await this.empty();
    clearTimeout(this.timer);
    this.generations.close();
  }

  /** Kills every process now, without waiting for its end: for a program that cannot go on. */
  abandon(): void {
    this.stopping = true;
    clearInterval(this.sampler);
    clearTimeout(this.timer);
    this.roster.killAll();
    this.generations.close();
  }

  get desired(): number {
    return this.configured() + this.extra;
  }

  /** Why the application that is wanted does not start; null while that is not known, or it does. */
  get bootFailure(): BootFailure | null {
    return this.generations.target.failure;
  }

  snapshot(): SupervisorSnapshot {
    for (const handle of this.roster.all()) this.measure(handle);
    return this.glance();
  }

  /** As snapshot, with memory as it was measured last: for whoever looks often. */
  glance(): SupervisorSnapshot {
    return {
      desired: this.stopping ? 0 : this.desired,
      threads: this.config.threads,
      booted: this.booted,
      handles: this.roster.all(),
      deaths: this.deaths.latest,
      ends: this.deaths.counts,
    };
  }

  onServed(process: AppProcess): void {
    const handle = this.roster.get(process.id);
    if (handle === undefined) return;
    handle.served++;
    const { maxRequests } = this.config;
    if (maxRequests === undefined || handle.worn !== null) return;
    if (handle.served < maxRequests.count + Math.floor(handle.lot * (maxRequests.jitter + 1))) return;
    handle.worn = 'max-requests';
    this.wake();
  }

  onTimeout(process: AppProcess, request: BufferedRequest, ms: number): void {
    const handle = this.roster.get(process.id);
    if (handle === undefined) return;
    handle.markOverdue(request);
    const path = request.target.split('?', 1)[0];
    this.roster.apply(handle, 'timed-out', 'timeout', `${request.method} ${path} took longer than ${ms / 1000} s`);
  }

  onBroken(process: AppProcess, detail: string): void {
    const handle = this.roster.get(process.id);
    if (handle !== undefined) this.roster.apply(handle, 'broken', 'protocol', detail);
  }

  // ── the upkeep pass ──

  private wake(): void {
    if (this.woken) return;
    this.woken = true;
    setImmediate(() => {
      this.woken = false;
      this.upkeep();
    });
  }

  private upkeep(): void {
    this.forgive();
    const plan = planUpkeep(this.roster.all().map(viewOf), this.wanted(), this.options.clock.now());
    for (const { id, event, cause } of plan.steps) {
      const handle = this.roster.get(id);
      if (handle !== undefined) this.roster.apply(handle, event, cause);
    }
    for (const { generation, count } of plan.spawn) this.spawn(generation, count);
    // The plan has not seen those: their deadlines are the next pass's.
    if (plan.spawn.length > 0) this.wake();
    this.generations.closeUnused(new Set(this.roster.all().map((handle) => handle.generation)));
    this.rest(plan.wakeAt);
  }

  private spawn(number: number, count: number): void {
    const generation = this.generations.get(number);
    for (let i = 0; generation !== undefined && i < count; i++) this.roster.spawn(generation);
  }

  private rest(wakeAt: number): void {
    clearTimeout(this.timer);
    if (wakeAt === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(Math.max(1, Math.ceil(wakeAt - this.options.clock.now())), 2 ** 31 - 1);
    this.timer = setTimeout(() => this.upkeep(), wait);
  }

  private wanted(): Wanted {
    const { options } = this;
    const { target, fallback } = this.generations;
    return {
      processes: this.desired,
      generation: target.number,
      fallback:
        fallback === null || options.place.development
          ? null
          : { generation: fallback.number, spawnAfter: fallback.spawnAfter },
      failing: target.failing,
      spawnAfter: target.spawnAfter,
      exclusive: options.place.development,
      stopping: this.stopping,
      parallelBoots: options.cpus + 1,
    };
  }

  private configured(): number {
    const { processes } = this.config;
    return processes === 'auto' ? this.options.cpus : processes;
  }

  /** Processes that prove of use end the waiting after crashes that came before them. */
  private forgive(): void {
    if (!this.generations.target.failing && !this.generations.fallback?.failing) return;
    for (const handle of this.roster.all()) {
      if (handle.readyAt !== null && this.isOfUse(handle))
        this.generations.get(handle.generation)?.noteUse(handle.readyAt);
    }
  }

  private isOfUse(handle: ProcessHandle): boolean {
    return handle.useful || (handle.readyAt !== null && this.options.clock.now() - handle.readyAt >= PROVEN_MS);
  }

  // ── what the roster tells ──

  private noteReady(handle: ProcessHandle): void {
    this.booted = true;
    this.generations.noteReady(handle.generation);
    this.chooseTakers();
    this.onFree?.();
  }

  private chooseTakers(): void {
    const { development } = this.options.place;
    const wanted = this.generations.target.number;
    this.takers = this.roster
      .all()
      .filter((handle) => handle.state === 'ready' && (!development || handle.generation === wanted));
  }

  private noteGone(handle: ProcessHandle): void {
    this.account(handle, this.deaths.record(handle));
    if (this.roster.size === 0) for (const resolve of this.onEmpty.splice(0)) resolve();
  }

  /** Counted now, not at its end, so that no other is started meanwhile only to fail likewise. */
  private noteBootGivenUp(handle: ProcessHandle): void {
    handle.bootFailureIsNews = this.countDeath(handle);
  }

  /** What a death says about its generation. A hung request says nothing: its process had started. */
  private account(handle: ProcessHandle, { cause, bootFailure }: RecordedDeath): void {
    if (isRoutine(cause) || cause === 'timeout') return;
    const isNews = handle.bootFailureIsNews ?? this.countDeath(handle);
    const generation = this.generations.get(handle.generation);
    if (bootFailure === null || generation === undefined) return;
    generation.failure = bootFailure;
    if (isNews && !this.stopping) this.sayBootFailed(bootFailure);
  }

  /** @returns whether it tells anything new */
  private countDeath(handle: ProcessHandle): boolean {
    const shown = this.isOfUse(handle) ? 'use' : handle.readyAt === null ? 'nothing' : 'start';
    const { clock, random } = this.options;
    return this.generations.get(handle.generation)?.noteDeath(shown, clock.now(), random()) ?? false;
  }

  private sayBootFailed(failure: BootFailure): void {
    this.options.log.error('the application does not start', { code: 'BOOT_FAILED', ...failure });
    if (!this.booted) this.options.onBootFailed?.(failure);
  }

  private empty(): Promise<void> {
    return this.roster.size === 0 ? Promise.resolve() : new Promise((resolve) => this.onEmpty.push(resolve));
  }

  // ── memory ──

  private sample(): void {
    this.deaths.forgetOomKills();
    const { maxMemoryBytes } = this.config;
    if (maxMemoryBytes === undefined) return;
    for (const handle of this.roster.all()) {
      this.measure(handle);
      if (handle.state !== 'ready' || handle.worn !== null || (handle.residentBytes ?? 0) <= maxMemoryBytes) continue;
      if (this.options.clock.now() - handle.startedAt < LEAST_AGE_FOR_MEMORY_MS) continue;
      handle.worn = 'max-memory';
      this.wake();
    }
  }

  private measure(handle: ProcessHandle): void {
    if (handle.pid > 0) handle.residentBytes = this.options.residentOf(handle.pid);
  }
}

function viewOf(handle: ProcessHandle): ProcessView {
  const { id, generation, state, busy, stuck, blockedAt, upgraded, usedAt, deadline, drainingSince, worn } = handle;
  // One that has said it cannot start is leaving already.
  const asked = handle.asked !== 'no' || handle.bootFailure !== null;
  return { id, generation, state, busy, stuck, blockedAt, upgraded, usedAt, deadline, drainingSince, asked, worn };
}
