// The status document, made from what supervisor and front say of themselves. Pure.
import { createHash } from 'node:crypto';
import type { AppliedConfig, WorkerStatus } from '../core/status/worker.ts';
import { isRoutine } from './death.ts';
import type { FrontSnapshot } from './front/front.ts';
import type { ProcessHandle } from './handle.ts';
import type { SupervisorSnapshot } from './supervisor.ts';

/** What is news when it changes. */
export interface NewsFacts {
  /** Whether the program has been asked to stop. */
  readonly draining: boolean;
  readonly config: AppliedConfig;
  readonly supervisor: SupervisorSnapshot;
}

export interface StatusFacts extends NewsFacts {
  readonly name: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly front: FrontSnapshot;
}

export function makeWorkerStatus(facts: StatusFacts): WorkerStatus {
  const { supervisor, front } = facts;
  const handles = supervisor.handles.filter((handle) => handle.state !== 'gone');
  return {
    kind: 'WorkerStatus',
    version: 1,
    name: facts.name,
    pid: facts.pid,
    startedAt: facts.startedAt,
    state: stateOf(facts),
    config: facts.config,
    news: newsOf(facts),
    processes: countProcesses(supervisor.desired, handles),
    slots: countSlots(handles, supervisor.threads),
    ...front,
    list: handles.map(describeProcess),
    deaths: [...supervisor.deaths],
  };
}

/** Short, whatever a configuration or a death has to say. */
export function newsOf(facts: NewsFacts): string {
  const { config, supervisor } = facts;
  const { desired, ready } = countProcesses(supervisor.desired, supervisor.handles);
  const death = supervisor.deaths.find(({ cause }) => !isRoutine(cause))?.id;
  const told = [stateOf(facts), config.hash, config.error, desired, ready, death];
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 16);
}

function stateOf({ draining, supervisor }: NewsFacts): WorkerStatus['state'] {
  if (draining) return 'draining';
  return supervisor.booted ? 'running' : 'starting';
}

/** `busy` counts those that serve something, whether they are still wanted or not. */
export function countProcesses(desired: number, handles: readonly ProcessHandle[]): WorkerStatus['processes'] {
  const counts = { desired, ready: 0, busy: 0, starting: 0, draining: 0 };
  for (const { state, busy } of handles) {
    if (state !== 'gone') counts[state]++;
    if (busy > 0) counts.busy++;
  }
  return counts;
}

type SlotCounts = Record<'total' | 'busy' | 'idle' | 'booting', number>;

/** @param threads slots of a process that has not shown its own yet */
export function countSlots(handles: readonly ProcessHandle[], threads: number): SlotCounts {
  const slots = { total: 0, busy: 0, idle: 0, booting: 0 };
  for (const handle of handles) {
    if (handle.state === 'starting') slots.booting += handle.threads || threads;
    if (handle.state !== 'ready') continue;
    slots.total += handle.threads;
    slots.busy += handle.busy;
    slots.idle += handle.threads - handle.busy;
  }
  return slots;
}

function describeProcess(handle: ProcessHandle): WorkerStatus['list'][number] {
  const { id, place, pid, state, startedWall, served, residentBytes } = handle;
  return {
    id,
    place,
    pid,
    state: state === 'gone' ? 'draining' : state,
    startedAt: startedWall,
    served,
    ...(residentBytes !== undefined && { residentBytes }),
    requests: handle.running(),
  };
}

/** @returns why the worker should get no requests, for /readyz; null when it may */
export function unreadyReason(draining: boolean, supervisor: SupervisorSnapshot): string | null {
  if (draining) return 'The worker is draining.';
  if (supervisor.handles.some((handle) => handle.state === 'ready')) return null;
  const last = supervisor.deaths[0];
  return `No application process is ready.${last ? ` ${last.message}` : ''}`;
}
