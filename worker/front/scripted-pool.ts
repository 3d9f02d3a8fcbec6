// For tests: application processes that do what the test says, when it says it.
import type { AppProcess, BufferedRequest, ProcessPool, Slot, SlotConsumer } from '../slot.ts';

export class ScriptedSlot implements Slot {
  request: BufferedRequest | null = null;
  cancelled = false;
  paused = false;
  readonly process: ScriptedProcess;
  /** Tells the front what the process says. Throws when nothing runs here. */
  consumer: SlotConsumer = NOBODY;

  constructor(process: ScriptedProcess) {
    this.process = process;
  }

  send(request: BufferedRequest, consumer: SlotConsumer): void {
    if (this.request !== null) throw new Error('a busy slot got a request');
    if (this.paused) throw new Error('a paused slot got a request');
    this.request = request;
    this.consumer = consumer;
    this.cancelled = false;
    this.process.pool.sent.push(this);
    this.process.pool.script?.(this);
  }

  cancel(): void {
    if (this.request === null) throw new Error('a free slot was cancelled');
    this.cancelled = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }

  respond(status = 200, body = 'ok', headers: readonly string[] = []): void {
    this.free().onWhole(status, 'OK', headers, Buffer.from(body));
  }
  end(): void {
    this.free().onEnd();
  }
  fail(how: 'aborted' | 'invalid'): void {
    this.free().onFailed(how, how);
  }
  /** Only what `ScriptedProcess.die` does to each slot. */
  lose(): void {
    if (this.request !== null) this.free().onFailed('died', 'the process ended');
  }

  private free(): SlotConsumer {
    const { consumer } = this;
    this.request = null;
    this.consumer = NOBODY;
    return consumer;
  }
}

const nothing = (): never => {
  throw new Error('nothing runs in this slot');
};
const NOBODY: SlotConsumer = {
  onAccepted: nothing,
  onInform: nothing,
  onHead: nothing,
  onData: nothing,
  onWhole: nothing,
  onEnd: nothing,
  onFailed: nothing,
};

export class ScriptedProcess implements AppProcess {
  readonly id: number;
  readonly pid: number;
  readonly pool: ScriptedPool;
  readonly slots: readonly ScriptedSlot[];
  upgraded = 0;
  private free: ScriptedSlot[];

  constructor(pool: ScriptedPool, id: number, slots: number) {
    this.pool = pool;
    this.id = id;
    this.pid = 1000 + id;
    this.slots = Array.from({ length: slots }, () => new ScriptedSlot(this));
    this.free = [...this.slots];
  }

  get busy(): number {
    return this.slots.length - this.free.length;
  }
  acquire(): Slot | undefined {
    return this.free.shift();
  }
  release(slot: Slot): void {
    const own = this.slots.find((candidate) => candidate === slot);
    if (own === undefined || this.free.includes(own)) throw new Error('a slot was released that is not in use');
    this.free.push(own);
    this.pool.onFree?.();
  }

  /** All its connections close. It is noticed slot by slot, by the front first. */
  die(): void {
    for (const slot of this.slots) slot.lose();
  }
}

export class ScriptedPool implements ProcessPool {
  takers: readonly ScriptedProcess[];
  onFree: (() => void) | null = null;
  readonly served: number[] = [];
  readonly timedOut: number[] = [];
  readonly broken: number[] = [];
  /** Slots in the order in which they got requests. */
  readonly sent: ScriptedSlot[] = [];
  /** Done at once to each slot that gets a request. */
  script: ((slot: ScriptedSlot) => void) | null = null;

  constructor(processes: number, slots = 1) {
    this.takers = Array.from({ length: processes }, (_, i) => new ScriptedProcess(this, i + 1, slots));
  }

  add(id: number, slots = 1): void {
    this.takers = [...this.takers, new ScriptedProcess(this, id, slots)];
    this.onFree?.();
  }
  onServed(process: AppProcess): void {
    this.served.push(process.id);
  }
  onTimeout(process: AppProcess): void {
    this.timedOut.push(process.id);
    this.retire(process);
  }
  onBroken(process: AppProcess): void {
    if (!this.broken.includes(process.id)) this.broken.push(process.id);
    this.retire(process);
  }
  get busy(): number {
    return this.takers.reduce((sum, process) => sum + process.busy, 0);
  }
  /** @returns the slot that got request number `index`, counted from 0 */
  slot(index: number): ScriptedSlot {
    const slot = this.sent[index];
    if (slot === undefined) throw new Error(`only ${this.sent.length} requests have been handed over`);
    return slot;
  }
  private retire(process: AppProcess): void {
    this.takers = this.takers.filter((taker) => taker !== process);
  }
}
