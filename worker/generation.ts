// A generation: all processes that run the same application in the same way, and how that goes. A change of what a new
// process is, or a reload, begins a new one; the processes of the old are replaced, the replacement first.
import { type BackoffPolicy, backoffMs } from '../core/backoff.ts';
import type { WorkerConfig } from '../core/config/worker.ts';
import type { AppSpec, BootFailure, Runtime } from './runtimes/runtime.ts';

/** What the place where the program runs adds to the document. */
export interface Place {
  /** Absolute folder of the application. */
  readonly directory: string;
  readonly development: boolean;
}

export type MakeGenerationRuntime = (kind: WorkerConfig['runtime'], spec: AppSpec) => Runtime;

/** What a process has shown when it dies: nothing, that it starts, that it is of use. */
export type Shown = 'nothing' | 'start' | 'use';

/** Until the next is started: long where none starts, short where they start and something ends them soon. */
const RESPAWN: Readonly<Record<Exclude<Shown, 'use'>, BackoffPolicy>> = {
  nothing: { firstMs: 250, maxMs: 30_000, factor: 2 },
  start: { firstMs: 250, maxMs: 2_000, factor: 2 },
};

/** A process that was ready for so long has shown that the application works. */
export const PROVEN_MS = 10_000;

export function makeSpec(config: WorkerConfig, place: Place): AppSpec {
  return {
    app: config.app,
    env: config.env,
    threads: config.threads,
    preload: config.preload,
    directory: place.directory,
    development: place.development,
    trustForwarded: config.trustForwarded,
    limits: config.limits,
  };
}

/** @returns a text that differs when a process made from the one must be replaced by one made from the other */
export function keyOf(kind: WorkerConfig['runtime'], spec: AppSpec): string {
  // Of the limits only the size of a head reaches a process; for the others, which are the front's, none need leave.
  const { limits, env, ...rest } = spec;
  const sorted = Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([kind, rest, limits.headBytes, sorted]);
}

export class Generation {
  readonly number: number;
  readonly key: string;
  readonly runtime: Runtime;
  /** Whether a process of it was ever ready. */
  proven = false;
  /** Why its last process could not start; null after one could. */
  failure: BootFailure | null = null;
  /** Rounds of processes that died before they were of use. */
  crashes = 0;
  /** No process of it starts before this, on the supervisor's clock. */
  spawnAfter = 0;
  private crashedAt = Number.NEGATIVE_INFINITY;

  constructor(number: number, key: string, runtime: Runtime) {
    this.number = number;
    this.key = key;
    this.runtime = runtime;
  }

  get failing(): boolean {
    return this.crashes > 0;
  }

  /** A process of it is ready. */
  noteReady(): void {
    this.proven = true;
    this.failure = null;
  }

  /** A process, ready since `readyAt`, has proved of use: what crashed before it is forgiven. */
  noteUse(readyAt: number): void {
    if (readyAt > this.crashedAt) this.crashes = 0;
  }

  /**
   * A process died unasked. One that was of use is replaced at once; others ever later, together rather than each.
   * @returns whether it tells anything new: those that started together and die together are one round
   */
  noteDeath(shown: Shown, now: number, random: number): boolean {
    if (shown === 'use') {
      this.crashes = 0;
      this.spawnAfter = now;
      return true;
    }
    this.crashedAt = now;
    if (this.crashes > 0 && now < this.spawnAfter) return false;
    this.crashes++;
    this.spawnAfter = now + backoffMs(RESPAWN[shown], this.crashes, random);
    return true;
  }
}

/** The generation that is wanted, one to fall back on, and those that still have processes. */
export class Generations {
  target: Generation;
  /** Known to start; kept while the target has not shown that it does. */
  fallback: Generation | null = null;

  private readonly all = new Map<number, Generation>();
  private readonly place: Place;
  private readonly makeRuntime: MakeGenerationRuntime;
  private numbers = 0;

  constructor(place: Place, makeRuntime: MakeGenerationRuntime, config: WorkerConfig) {
    this.place = place;
    this.makeRuntime = makeRuntime;
    this.target = this.make(config);
  }

  get(number: number): Generation | undefined {
    return this.all.get(number);
  }

  /** @returns whether another generation is wanted now */
  configure(config: WorkerConfig): boolean {
    const key = keyOf(config.runtime, makeSpec(config, this.place));
    if (key === this.target.key) return false;
    this.aim(this.fallback?.key === key ? this.fallback : this.make(config));
    return true;
  }

  /** Begins a new generation of the same kind: the files of the application may have changed. */
  reload(config: WorkerConfig): void {
    this.aim(this.make(config));
  }

  noteReady(number: number): void {
    this.get(number)?.noteReady();
    if (number === this.target.number) this.fallback = null;
  }

  /** Ends what generations without processes hold. @param used numbers of those that have some */
  closeUnused(used: ReadonlySet<number>): void {
    for (const generation of this.all.values()) {
      if (generation === this.target || generation === this.fallback || used.has(generation.number)) continue;
      this.all.delete(generation.number);
      generation.runtime.close();
    }
  }

  close(): void {
    for (const generation of this.all.values()) generation.runtime.close();
  }

  private aim(generation: Generation): void {
    if (this.target.proven) this.fallback = this.target;
    if (generation.proven) this.fallback = null;
    this.target = generation;
  }

  private make(config: WorkerConfig): Generation {
    const spec = makeSpec(config, this.place);
    const runtime = this.makeRuntime(config.runtime, spec);
    const generation = new Generation(++this.numbers, keyOf(config.runtime, spec), runtime);
    this.all.set(generation.number, generation);
    return generation;
  }
}
