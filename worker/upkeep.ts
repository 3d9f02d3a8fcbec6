// One pass of upkeep, decided: time out, settle, cull, spawn. Pure: what the supervisor sees and the time come in, steps come
// out. A pass over a world that is as wanted plans nothing, so it may be run at any moment, and events merely run it sooner.
import type { DeathCause } from '../core/status/worker.ts';
import type { LifecycleEvent, ProcessState } from './lifecycle.ts';

/** Why a process that still serves should be replaced, the replacement first. */
export type WornCause = 'max-requests' | 'max-memory' | 'unhealthy';

/** Times are those of a monotonic clock, in milliseconds. */
export interface ProcessView {
  readonly id: number;
  readonly generation: number;
  readonly state: ProcessState;
  readonly busy: number;
  /** Of the busy slots, those whose request is past its deadline. */
  readonly stuck: number;
  /** When all that are busy count as stuck; Infinity: never. */
  readonly blockedAt: number;
  readonly upgraded: number;
  /** When it last began a request. */
  readonly usedAt: number;
  /** Starting: when it must be ready. Draining: when it is killed. */
  readonly deadline: number;
  /** When it began to drain. */
  readonly drainingSince: number;
  /** Whether it has been asked or made to leave. */
  readonly asked: boolean;
  readonly worn: WornCause | null;
}

export interface Wanted {
  readonly processes: number;
  /** The generation that all processes shall be of. */
  readonly generation: number;
  /** A generation known to start, for replacements while the wanted one does not; null: none. */
  readonly fallback: { readonly generation: number; readonly spawnAfter: number } | null;
  /** Processes of the wanted generation have died before they were of use: start one at a time, not before `spawnAfter`. */
  readonly failing: boolean;
  readonly spawnAfter: number;
  /** Old code must not be served: processes of older generations leave before the replacement is ready (development). */
  readonly exclusive: boolean;
  readonly stopping: boolean;
  /** Processes that may start at the same time. */
  readonly parallelBoots: number;
}

export interface PlannedStep {
  readonly id: number;
  readonly event: LifecycleEvent;
  readonly cause: DeathCause;
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  readonly spawn: readonly { readonly generation: number; readonly count: number }[];
  /** When the next pass is due though nothing happens; Infinity: never. */
  readonly wakeAt: number;
}

/** An upgraded connection that has just been opened may still be on its way to the process. */
const UPGRADE_SETTLE_MS = 1_000;

/** @returns how many processes may stand beside the wanted ones while these are replaced */
export function surgeOf(processes: number): number {
  return Math.max(1, Math.ceil(processes / 4));
}

export function planUpkeep(processes: readonly ProcessView[], wanted: Wanted, now: number): Plan {
  const due = [...planDeadlines(processes, now), ...planSettled(processes, now)];
  const cull = wanted.stopping ? planShutdown(processes) : planCull(processes, wanted);
  const culled = new Set(cull.map((step) => step.id));
  const kept = processes.filter((process) => !culled.has(process.id));
  const spawn = wanted.stopping ? NO_SPAWN : planSpawn(kept, wanted, now);
  return {
    steps: [...due, ...cull],
    spawn: spawn.spawn,
    wakeAt: Math.min(spawn.retryAt, ...processes.map((process) => nextLook(process, now))),
  };
}

function planDeadlines(processes: readonly ProcessView[], now: number): PlannedStep[] {
  const steps: PlannedStep[] = [];
  for (const { id, state, deadline } of processes) {
    if (now < deadline) continue;
    if (state === 'starting') steps.push({ id, event: 'late', cause: 'boot-timeout' });
    // The cause was said when it began to drain; that one stands.
    if (state === 'draining') steps.push({ id, event: 'stop-late', cause: 'shutdown' });
  }
  return steps;
}

function planSettled(processes: readonly ProcessView[], now: number): PlannedStep[] {
  const steps: PlannedStep[] = [];
  for (const process of processes) {
    if (process.state !== 'draining' || process.asked || now >= process.deadline) continue;
    if (isQuiet(process, now)) steps.push({ id: process.id, event: 'quiet', cause: 'shutdown' });
    else if (process.busy > 0 && process.busy === process.stuck)
      steps.push({ id: process.id, event: 'hung', cause: 'timeout' });
  }
  return steps;
}

function isQuiet(process: ProcessView, now: number): boolean {
  return process.busy === 0 && (process.upgraded === 0 || now >= process.drainingSince + UPGRADE_SETTLE_MS);
}

function nextLook(process: ProcessView, now: number): number {
  if (process.state === 'starting') return process.deadline;
  if (process.state !== 'draining') return Number.POSITIVE_INFINITY;
  const looks = [process.deadline];
  if (!process.asked) {
    const settlesAt = process.drainingSince + UPGRADE_SETTLE_MS;
    if (process.upgraded > 0 && now < settlesAt) looks.push(settlesAt);
    if (process.stuck < process.busy) looks.push(process.blockedAt);
  }
  return Math.min(...looks);
}

function planShutdown(processes: readonly ProcessView[]): PlannedStep[] {
  return processes.filter(isLive).map(({ id }) => ({ id, event: 'stop', cause: 'shutdown' }));
}

function isLive(process: ProcessView): boolean {
  return process.state === 'starting' || process.state === 'ready';
}

/** As it shall be: of the wanted generation, and not worn. */
function isFresh(process: ProcessView, wanted: Wanted): boolean {
  return process.generation === wanted.generation && process.worn === null;
}

function planCull(processes: readonly ProcessView[], wanted: Wanted): PlannedStep[] {
  const ready = processes.filter((process) => process.state === 'ready');
  const steps = [...cullStarting(processes, wanted), ...cullUnhealthy(ready)];
  const culled = new Set(steps.map((step) => step.id));
  const rest = ready.filter((process) => !culled.has(process.id));
  const outdated = wanted.exclusive ? rest.filter((process) => process.generation !== wanted.generation) : [];
  for (const { id } of outdated) steps.push({ id, event: 'stop', cause: 'reload' });
  return [...steps, ...cullReady(without(rest, outdated), wanted)];
}

/** Those that nobody waits for: of a generation that is not wanted any more, then the youngest beyond the count. */
function cullStarting(processes: readonly ProcessView[], wanted: Wanted): PlannedStep[] {
  const starting = processes.filter((process) => process.state === 'starting');
  const outdated = starting.filter(
    ({ generation }) =>
      generation !== wanted.generation && !(wanted.failing && generation === wanted.fallback?.generation),
  );
  const fresh = processes.filter((process) => isLive(process) && isFresh(process, wanted));
  const surplus = without(starting, outdated)
    .sort((a, b) => b.id - a.id)
    .slice(0, Math.max(0, fresh.length - wanted.processes));
  return [
    ...outdated.map(({ id }): PlannedStep => ({ id, event: 'stop', cause: 'reload' })),
    ...surplus.map(({ id }): PlannedStep => ({ id, event: 'stop', cause: 'resize' })),
  ];
}

/**
 * An unhealthy process leaves at once while a healthy one serves. When all are unhealthy (a database is away), they go on
 * serving what they can until replacements have shown that they are better.
 */
function cullUnhealthy(ready: readonly ProcessView[]): PlannedStep[] {
  const sick = ready.filter((process) => process.worn === 'unhealthy');
  if (sick.length === ready.length) return [];
  return sick.map(({ id }) => ({ id, event: 'unhealthy', cause: 'unhealthy' }));
}

/** Never below the wanted number of ready processes: the outdated and worn first, then the idlest. */
function cullReady(ready: readonly ProcessView[], wanted: Wanted): PlannedStep[] {
  const replaced = ready.some((process) => isFresh(process, wanted));
  return [...ready]
    .sort((a, b) => Number(isFresh(a, wanted)) - Number(isFresh(b, wanted)) || compareIdle(a, b))
    .slice(0, Math.max(0, ready.length - wanted.processes))
    .map((process) => ({ id: process.id, event: 'stop', cause: cullCause(process, wanted, replaced) }));
}

function compareIdle(a: ProcessView, b: ProcessView): number {
  return a.busy - b.busy || a.upgraded - b.upgraded || a.usedAt - b.usedAt;
}

function cullCause(process: ProcessView, wanted: Wanted, replaced: boolean): DeathCause {
  if (!replaced) return 'resize';
  return process.worn ?? (process.generation === wanted.generation ? 'resize' : 'reload');
}

interface SpawnPlan {
  readonly spawn: Plan['spawn'];
  /** When a spawn that is held back is due. */
  readonly retryAt: number;
}

const NO_SPAWN: SpawnPlan = { spawn: [], retryAt: Number.POSITIVE_INFINITY };

function planSpawn(processes: readonly ProcessView[], wanted: Wanted, now: number): SpawnPlan {
  const live = processes.filter(isLive);
  const starting = live.filter((process) => process.state === 'starting');
  const fresh = live.filter((process) => isFresh(process, wanted));
  const freshStarting = fresh.filter((process) => process.state === 'starting').length;
  const surge = surgeOf(wanted.processes);
  // Draining processes hold memory too, but a slow request in one must not hold up a replacement: a wide bound for all.
  const room = Math.min(wanted.processes + surge - live.length, 2 * wanted.processes + surge - processes.length);
  const boots = wanted.failing ? 1 - freshStarting : wanted.parallelBoots - starting.length;
  const possible = Math.max(0, Math.min(wanted.processes - fresh.length, room, boots));
  const held = possible > 0 && now < wanted.spawnAfter;
  const count = held ? 0 : possible;
  const spawn = count > 0 ? [{ generation: wanted.generation, count }] : [];
  const stopgap = planStopgap(live, wanted, now);
  return {
    spawn: [...spawn, ...stopgap.spawn],
    retryAt: Math.min(held ? wanted.spawnAfter : Number.POSITIVE_INFINITY, stopgap.retryAt),
  };
}

/** While the wanted generation does not start, what dies of the one before is replaced by its like. */
function planStopgap(live: readonly ProcessView[], wanted: Wanted, now: number): SpawnPlan {
  const { fallback } = wanted;
  if (!wanted.failing || fallback === null) return NO_SPAWN;
  const starting = live.filter((process) => process.state === 'starting');
  const trials = starting.filter((process) => process.generation === wanted.generation).length;
  const missing = wanted.processes - (live.length - trials);
  const count = Math.min(missing, wanted.parallelBoots - (starting.length - trials));
  if (count <= 0) return NO_SPAWN;
  if (now < fallback.spawnAfter) return { spawn: [], retryAt: fallback.spawnAfter };
  return { spawn: [{ generation: fallback.generation, count }], retryAt: Number.POSITIVE_INFINITY };
}

function without(all: readonly ProcessView[], some: readonly ProcessView[]): ProcessView[] {
  return all.filter((process) => !some.includes(process));
}
