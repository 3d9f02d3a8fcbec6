// An application process as its parent sees it: what it is, what it serves, and why it shall leave. The front borrows its
// slots; the supervisor alone changes its state.
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { DeathCause, WorkerStatus } from '../core/status/worker.ts';
import type { RawHeaders } from '../http/exchange.ts';
import type { ProcessState } from './lifecycle.ts';
import type { BootFailure, Child } from './runtimes/runtime.ts';
import type { AppProcess, BufferedRequest, Slot, SlotConsumer } from './slot.ts';
import type { WornCause } from './upkeep.ts';

type RunningRequest = WorkerStatus['list'][number]['requests'][number];

/** A process may have a thousand slots: so many requests are told of, the longest-running first. */
const MAX_TOLD = 20;

/** An event loop that does not turn for so long is blocked. */
const BLOCKED_MS = 500;

/** What a handle tells its supervisor. */
export interface HandleEvents {
  /** A slot has become free. */
  onFree(handle: ProcessHandle): void;
  /** A connection to the process is gone. */
  onLost(handle: ProcessHandle): void;
}

export interface HandleOptions {
  readonly id: number;
  /** From 1: the smallest that is free. */
  readonly place: number;
  readonly generation: number;
  readonly clock: Clock;
  /** By when it must be ready, on `clock.now()`. */
  readonly bootDeadline: number;
  /** In [0, 1): places this process within the jitter of maxRequests, for its whole life. */
  readonly lot: number;
  readonly events: HandleEvents;
}

export class ProcessHandle implements AppProcess {
  readonly id: number;
  readonly generation: number;
  readonly lot: number;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly startedWall: number;
  /** From 1; another when the one that it replaces is gone (roster.ts). */
  place: number;
  pid = 0;
  state: ProcessState = 'starting';
  child: Child | null = null;
  connect?: () => Socket;
  upgraded = 0;
  /** Requests that the front counts as served by it. */
  served = 0;
  /** Whether a response of it has come whole since it was ready. */
  useful = false;
  readyAt: number | null = null;
  usedAt: number;
  residentBytes: number | undefined = undefined;
  worn: WornCause | null = null;
  /** Whether its failure to start told anything new to its generation; null: its generation has not been told. */
  bootFailureIsNews: boolean | null = null;
  /** The last thing a health check said, for people. */
  healthDetail = '';

  /** Starting: when it must be ready. Draining: when it is killed. On `clock.now()`. */
  deadline: number;
  drainingSince = 0;
  /** Why it is leaving, and in which words, when it did not leave by itself. */
  blame: { readonly cause: DeathCause; readonly detail: string } | null = null;
  /** The strongest thing it has been told. */
  asked: 'no' | 'stop' | 'kill' = 'no';
  bootFailure: BootFailure | null = null;
  exitCode: number | null = null;
  signal: string | null = null;
  /** What it was serving when the connection to it was lost. */
  readonly fallen: RunningRequest[] = [];

  private slots: readonly HandleSlot[] = [];
  /** Last in, first out: the same few slots, and their threads' memory, stay warm. */
  private free: HandleSlot[] = [];
  private lost = false;
  private readonly events: HandleEvents;

  constructor(options: HandleOptions) {
    this.id = options.id;
    this.place = options.place;
    this.generation = options.generation;
    this.lot = options.lot;
    this.clock = options.clock;
    this.events = options.events;
    this.deadline = options.bootDeadline;
    this.startedAt = options.clock.now();
    this.startedWall = options.clock.wall();
    this.usedAt = this.startedAt;
  }

  attachChild(child: Child): void {
    this.child = child;
    if (child.connect) this.connect = () => this.openUpgrade(child);
  }

  attachSlots(slots: readonly Slot[]): void {
    this.slots = slots.map((slot) => new HandleSlot(this, slot));
    this.free = [...this.slots].reverse();
  }

  get threads(): number {
    return this.slots.length;
  }

  get busy(): number {
    return this.slots.length - this.free.length;
  }

  /** Busy slots whose request will not end: it is past its deadline, or the event loop that all share is blocked. */
  get stuck(): number {
    return this.clock.now() >= this.blockedAt
      ? this.busy
      : this.slots.filter(({ overdueAt }) => overdueAt !== null).length;
  }

  /** When the event loop that all slots share is known to be blocked, unless an overdue one comes back before. Infinity: never. */
  get blockedAt(): number {
    if (!this.child?.blocksAsOne) return Number.POSITIVE_INFINITY;
    return Math.min(...this.slots.map(({ overdueAt }) => (overdueAt ?? Number.POSITIVE_INFINITY) + BLOCKED_MS));
  }

  acquire(): Slot | undefined {
    return this.state === 'ready' ? this.borrow() : undefined;
  }

  /** As `acquire`, but also before the process is ready: for health checks. */
  borrow(): Slot | undefined {
    const slot = this.lost ? undefined : this.free.pop();
    if (slot !== undefined) slot.borrowed = true;
    return slot;
  }

  release(slot: Slot): void {
    if (!(slot instanceof HandleSlot) || !slot.clear()) return;
    this.free.push(slot);
    this.events.onFree(this);
  }

  /** Marks the slot that runs `request` as past its deadline. */
  markOverdue(request: BufferedRequest): void {
    for (const slot of this.slots) if (slot.request === request) slot.overdueAt = this.clock.now();
  }

  /** Called by a slot whose connection is gone: nothing more may be sent to this process. */
  lose(request: BufferedRequest | null, sentAt: number): void {
    if (request !== null && this.fallen.length < MAX_TOLD) this.fallen.push(told(request, this.clock.now() - sentAt));
    if (this.lost) return;
    this.lost = true;
    this.events.onLost(this);
  }

  /** What it serves now, the longest first. */
  running(): RunningRequest[] {
    const now = this.clock.now();
    return this.slots
      .flatMap((slot) => (slot.request === null ? [] : [told(slot.request, now - slot.sentAt)]))
      .sort((a, b) => b.ms - a.ms)
      .slice(0, MAX_TOLD);
  }

  /** Forgets what it holds, once it is gone. */
  clear(): void {
    this.lost = true;
    this.child = null;
  }

  private openUpgrade(child: Child): Socket {
    this.usedAt = this.clock.now();
    const socket = child.connect?.();
    if (socket === undefined) throw new TypeError('This runtime carries no upgrades.');
    return socket;
  }
}

/** The path alone: a query may hold what is nobody's business. */
function told(request: BufferedRequest, ms: number): RunningRequest {
  const query = request.target.indexOf('?');
  const path = query < 0 ? request.target : request.target.slice(0, query);
  return { method: request.method, path: path.slice(0, 200), ms: Math.round(ms) };
}

/**
 * One slot, between the front and the runtime: knows what runs in it. Made once for the life of a slot and passed to the
 * runtime as the consumer, so that a request costs no object.
 */
class HandleSlot implements Slot, SlotConsumer {
  request: BufferedRequest | null = null;
  sentAt = 0;
  /** When its request passed its deadline, on the handle's clock. */
  overdueAt: number | null = null;
  borrowed = false;
  private consumer: SlotConsumer | null = null;
  private readonly handle: ProcessHandle;
  private readonly inner: Slot;

  constructor(handle: ProcessHandle, inner: Slot) {
    this.handle = handle;
    this.inner = inner;
  }

  send(request: BufferedRequest, consumer: SlotConsumer): void {
    this.request = request;
    this.consumer = consumer;
    this.sentAt = this.handle.clock.now();
    this.handle.usedAt = this.sentAt;
    this.inner.send(request, this);
  }

  cancel(): void {
    this.inner.cancel();
  }
  pause(): void {
    this.inner.pause();
  }
  resume(): void {
    this.inner.resume();
  }

  onAccepted(): void {
    this.consumer?.onAccepted();
  }
  onInform(status: number, headers: RawHeaders): void {
    this.consumer?.onInform(status, headers);
  }
  onHead(status: number, reason: string, headers: RawHeaders): void {
    this.consumer?.onHead(status, reason, headers);
  }
  onData(chunk: Buffer): void {
    this.consumer?.onData(chunk);
  }
  onWhole(status: number, reason: string, headers: RawHeaders, body: Buffer): void {
    this.handle.useful ||= this.handle.state !== 'starting';
    this.consumer?.onWhole(status, reason, headers, body);
  }
  onEnd(): void {
    this.handle.useful ||= this.handle.state !== 'starting';
    this.consumer?.onEnd();
  }
  onFailed(how: 'died' | 'aborted' | 'invalid', detail: string): void {
    if (how === 'died') this.handle.lose(this.request, this.sentAt);
    this.consumer?.onFailed(how, detail);
  }

  /** @returns false when it was free already: a slot is freed once */
  clear(): boolean {
    const was = this.borrowed;
    this.borrowed = false;
    this.request = null;
    this.consumer = null;
    this.overdueAt = null;
    return was;
  }
}
