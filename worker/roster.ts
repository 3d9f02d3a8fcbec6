// The application processes that there are: starts them, moves each through its lifecycle, and does what the table says. Which
// processes there shall be is the supervisor's business.
import type { Clock } from '../core/clock.ts';
import type { WorkerConfig } from '../core/config/worker.ts';
import type { Log } from '../core/log.ts';
import { formatBytes } from '../core/quantity.ts';
import type { DeathCause } from '../core/status/worker.ts';
import { isRoutine } from './death.ts';
import type { Generation } from './generation.ts';
import { ProcessHandle } from './handle.ts';
import { HealthChecks } from './health.ts';
import { LIFECYCLE, type LifecycleAction, type LifecycleEvent } from './lifecycle.ts';
import type { ChildEvents } from './runtimes/runtime.ts';

export interface RosterOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** The configuration in force. */
  readonly config: () => WorkerConfig;
  /** Processes that are wanted. */
  readonly desired: () => number;
}

export interface RosterEvents {
  /** Something may have to be done: the upkeep pass is due. */
  onChange(): void;
  onReady(handle: ProcessHandle): void;
  /** It will not become ready; its end follows. */
  onBootGivenUp(handle: ProcessHandle): void;
  onWithdrawn(): void;
  /** A slot of a ready process is free. */
  onFree(): void;
  /** It has ended and is no more in the roster. */
  onGone(handle: ProcessHandle): void;
}

/** A process that has said it cannot start, or has been told to write its stacks, is killed after so long. */
const LAST_WORDS_MS = 2_000;
/** A SIGKILL that did nothing (the process waits in the kernel) is sent again, so that it does not look forgotten. */
const KILL_AGAIN_MS = 10_000;

export class Roster {
  private readonly options: RosterOptions;
  private readonly events: RosterEvents;
  private readonly handles = new Map<number, ProcessHandle>();
  private readonly health = new Map<number, HealthChecks>();
  private ids = 0;

  private readonly actions: Readonly<Record<LifecycleAction, (handle: ProcessHandle) => void>> = {
    serve: (handle) => this.serve(handle),
    withdraw: () => this.events.onWithdrawn(),
    stop: (handle) => this.askToStop(handle),
    kill: (handle) => this.kill(handle, false, KILL_AGAIN_MS),
    dump: (handle) => this.kill(handle, true, LAST_WORDS_MS),
    bury: (handle) => this.bury(handle),
  };

  constructor(options: RosterOptions, events: RosterEvents) {
    this.options = options;
    this.events = events;
  }

  get size(): number {
    return this.handles.size;
  }

  get(id: number): ProcessHandle | undefined {
    return this.handles.get(id);
  }

  all(): ProcessHandle[] {
    return [...this.handles.values()];
  }

  /** Starts one process. What becomes of it is told by its events. */
  spawn(generation: Generation): void {
    const { clock, random, config } = this.options;
    const handle = new ProcessHandle({
      id: ++this.ids,
      place: this.freePlace(),
      generation: generation.number,
      clock,
      bootDeadline: clock.now() + config().timeouts.bootMs,
      lot: random(),
      events: {
        onFree: (freed) => this.freed(freed),
        onLost: (lost) => this.apply(lost, 'broken', 'protocol', 'its connection closed'),
      },
    });
    this.handles.set(handle.id, handle);
    handle.attachChild(generation.runtime.start(handle.id, this.childEvents(handle)));
  }

  /** The smallest: so there are few, and what is plotted by place goes on when a process is replaced (see moveInto). */
  private freePlace(): number {
    const taken = new Set(this.all().map((handle) => handle.place));
    let place = 1;
    while (taken.has(place)) place++;
    return place;
  }

  private childEvents(handle: ProcessHandle): ChildEvents {
    return {
      onPid: (pid) => {
        handle.pid = pid;
      },
      onReady: (slots) => {
        handle.attachSlots(slots);
        this.checkHealth(handle);
      },
      onBootFailed: (failure) => {
        handle.bootFailure = failure;
        this.apply(handle, 'boot-failed', 'boot', failure.reason);
      },
      onExit: (exitCode, signal) => {
        handle.exitCode = exitCode;
        handle.signal = signal;
        this.apply(handle, 'exited', 'exit');
      },
    };
  }

  /** Moves `handle` by one event. `cause` and `detail` are kept when it begins to leave by this one. */
  apply(handle: ProcessHandle, event: LifecycleEvent, cause: DeathCause, detail = ''): void {
    const before = handle.state;
    const [next, ...actions] = LIFECYCLE[before][event];
    if (next === 'draining' && before !== 'draining') this.beginDrain(handle, event, cause, detail);
    handle.state = next;
    for (const action of actions) this.actions[action](handle);
    this.events.onChange();
  }

  /** None may take longer than until `deadline` to leave. */
  hasten(deadline: number): void {
    for (const handle of this.handles.values()) handle.deadline = Math.min(handle.deadline, deadline);
  }

  /** Every process at once. */
  killAll(): void {
    for (const handle of this.handles.values()) {
      handle.blame ??= { cause: 'shutdown', detail: '' };
      this.kill(handle, false, KILL_AGAIN_MS);
    }
  }

  // ── health ──

  /** The policy has changed: every process is asked now. */
  recheckHealth(): void {
    for (const checks of this.health.values()) checks.start();
  }

  /** The first check that passes makes the process ready; without a policy it is so at once. */
  private checkHealth(handle: ProcessHandle): void {
    const checks = new HealthChecks(handle, () => this.options.config().health, {
      onPassed: () => {
        if (handle.worn === 'unhealthy') handle.worn = null;
        if (handle.state === 'starting') this.apply(handle, 'booted', 'exit');
      },
      onFailed: (inARow, detail) => this.noteUnhealthy(handle, inARow, detail),
    });
    this.health.set(handle.id, checks);
    checks.start();
  }

  private noteUnhealthy(handle: ProcessHandle, inARow: number, detail: string): void {
    handle.healthDetail = detail;
    const { health } = this.options.config();
    if (health === undefined || handle.state !== 'ready' || handle.worn !== null || inARow < health.failures) return;
    this.options.log.warn('process is unhealthy', { process: handle.id, pid: handle.pid, detail });
    handle.worn = 'unhealthy';
    this.events.onChange();
  }

  // ── steps ──

  private freed(handle: ProcessHandle): void {
    if (handle.state === 'draining') this.events.onChange();
    else this.events.onFree();
  }

  private beginDrain(handle: ProcessHandle, event: LifecycleEvent, cause: DeathCause, detail: string): void {
    const now = this.options.clock.now();
    const { gracefulMs } = this.options.config().timeouts;
    handle.blame = { cause, detail: detail || detailOf(handle, cause) };
    handle.drainingSince = now;
    handle.deadline = now + (event === 'boot-failed' ? LAST_WORDS_MS : gracefulMs);
    this.health.get(handle.id)?.close();
    if (handle.readyAt === null && !isRoutine(cause)) this.events.onBootGivenUp(handle);
  }

  private serve(handle: ProcessHandle): void {
    const now = this.options.clock.now();
    handle.readyAt = now;
    const bootMs = Math.round(now - handle.startedAt);
    this.options.log.info('process ready', { process: handle.id, pid: handle.pid, bootMs });
    this.events.onReady(handle);
  }

  private askToStop(handle: ProcessHandle): void {
    handle.asked = 'stop';
    handle.child?.stop();
  }

  private kill(handle: ProcessHandle, dump: boolean, againMs: number): void {
    handle.asked = 'kill';
    handle.deadline = this.options.clock.now() + againMs;
    handle.child?.kill(dump);
  }

  private bury(handle: ProcessHandle): void {
    this.handles.delete(handle.id);
    this.health.get(handle.id)?.close();
    this.health.delete(handle.id);
    this.moveInto(handle.place);
    this.events.onGone(handle);
    handle.clear();
  }

  /** A replacement is often started before the end of the one it replaces: beyond the places that there shall be, until one of those is free. */
  private moveInto(place: number): void {
    const desired = this.options.desired();
    if (place > desired) return;
    const beyond = this.all().filter((handle) => handle.place > desired && handle.state !== 'draining');
    const [first] = beyond.sort((a, b) => a.place - b.place);
    if (first !== undefined) first.place = place;
  }
}

function detailOf(handle: ProcessHandle, cause: DeathCause): string {
  if (cause === 'unhealthy' || cause === 'boot-timeout') return handle.healthDetail;
  if (cause === 'max-memory' && handle.residentBytes !== undefined) return formatBytes(handle.residentBytes);
  return '';
}
