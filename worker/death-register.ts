// Writes down each death once: for the log, for the status document, for the metrics.
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { DeathCause } from '../core/status/worker.ts';
import type { Cgroup } from './cgroup.ts';
import { bootFailureOf, causeOf, type Death, type DeathFacts, describeDeath, isRoutine, remember } from './death.ts';
import type { ProcessHandle } from './handle.ts';
import type { BootFailure } from './runtimes/runtime.ts';

/** How long a kill of the kernel may take to become a death. */
const OOM_MEMORY_MS = 10_000;
/** As many as there may be processes. */
const MOST_OOM_KILLS = 256;

export interface RecordedDeath {
  readonly cause: DeathCause;
  /** Why it never was ready, when it was not and should have been. */
  readonly bootFailure: BootFailure | null;
}

export class DeathRegister {
  /** The latest first. */
  latest: readonly Death[] = [];
  readonly counts = new Map<DeathCause, number>();
  private readonly cgroup: Cgroup;
  private readonly clock: Clock;
  private readonly log: Log;
  private oomSeen: number;
  /** When each kill of the kernel was seen that no death has been explained by. */
  private oomKills: number[] = [];

  constructor(cgroup: Cgroup, clock: Clock, log: Log) {
    this.cgroup = cgroup;
    this.clock = clock;
    this.log = log;
    this.oomSeen = cgroup.oomKills();
  }

  record(handle: ProcessHandle): RecordedDeath {
    const facts = this.factsOf(handle);
    const cause = causeOf(facts);
    const message = describeDeath(facts, cause);
    const { id, pid, exitCode, signal } = facts;
    this.counts.set(cause, (this.counts.get(cause) ?? 0) + 1);
    this.latest = remember(this.latest, {
      id,
      pid,
      at: this.clock.wall(),
      cause,
      ...(exitCode !== null && { exitCode }),
      ...(signal !== null && { signal }),
      message,
      ...(facts.bootFailure?.traceback && { traceback: facts.bootFailure.traceback }),
    });
    this.log[isRoutine(cause) ? 'info' : 'warn'](message, { process: id, pid, cause, exitCode, signal });
    return { cause, bootFailure: facts.wasReady || isRoutine(cause) ? null : bootFailureOf(facts, cause) };
  }

  /**
   * The kernel also kills what is not ours to explain: an old kill must not explain a later death. A process that has much memory takes its time from
   * being killed to being gone.
   */
  forgetOomKills(): void {
    this.countOomKills();
    const since = this.clock.now() - OOM_MEMORY_MS;
    this.oomKills = this.oomKills.filter((at) => at > since);
  }

  private factsOf(handle: ProcessHandle): DeathFacts {
    const { id, pid, asked, blame, bootFailure, exitCode, signal, fallen } = handle;
    return {
      id,
      pid,
      wasReady: handle.readyAt !== null,
      asked,
      blame,
      bootFailure,
      exitCode,
      signal,
      oom: signal === 'SIGKILL' && asked !== 'kill' && this.takeOomKill(),
      memoryLimit: this.cgroup.memoryLimit(),
      fallen,
    };
  }

  /** Each kill of the kernel explains one death. */
  private takeOomKill(): boolean {
    this.countOomKills();
    return this.oomKills.shift() !== undefined;
  }

  private countOomKills(): void {
    const count = this.cgroup.oomKills();
    const fresh = Math.min(MOST_OOM_KILLS, count - this.oomSeen);
    this.oomSeen = count;
    for (let i = 0; i < fresh; i++) this.oomKills.push(this.clock.now());
    this.oomKills = this.oomKills.slice(-MOST_OOM_KILLS);
  }
}
