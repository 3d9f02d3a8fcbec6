// Health checks: asks a process for a path through one of its free slots, as a client would. A process whose slots are all
// busy is not asked: it works, and its requests have deadlines of their own.
import type { WorkerConfig } from '../core/config/worker.ts';
import type { ProcessHandle } from './handle.ts';
import type { BufferedRequest, Slot, SlotConsumer } from './slot.ts';

export type HealthPolicy = NonNullable<WorkerConfig['health']>;

export interface HealthEvents {
  onPassed(): void;
  /** @param inARow failed checks since the last that passed */
  onFailed(inARow: number, detail: string): void;
}

/** While a process starts it is asked this often, so that it serves soon after it can. */
const BOOT_INTERVAL_MS = 500;

export function makeHealthRequest(path: string): BufferedRequest {
  return {
    method: 'GET',
    target: path,
    version: '1.1',
    headers: ['Host', 'localhost', 'User-Agent', 'webapp-worker health check', 'Accept', '*/*'],
    host: 'localhost',
    peer: { address: '127.0.0.1', port: 0, encrypted: false, localAddress: '127.0.0.1', localPort: 0 },
    scheme: 'http',
    clientAddress: '127.0.0.1',
    bodyBytes: 0,
    hasBody: false,
    body: null,
    bodyFile: null,
    wantAccept: false,
  };
}

/** The checks of one process. */
export class HealthChecks implements SlotConsumer {
  private readonly handle: ProcessHandle;
  private readonly policy: () => HealthPolicy | undefined;
  private readonly events: HealthEvents;
  private next: NodeJS.Timeout | undefined;
  private late: NodeJS.Timeout | undefined;
  private slot: Slot | undefined;
  private request: BufferedRequest | null = null;
  private status = 0;
  private failures = 0;
  private closed = false;

  constructor(handle: ProcessHandle, policy: () => HealthPolicy | undefined, events: HealthEvents) {
    this.handle = handle;
    this.policy = policy;
    this.events = events;
  }

  /** Asks now, and from then on. Again, after a change of the policy: asks now. */
  start(): void {
    clearTimeout(this.next);
    this.check();
  }

  /** Asks no more. A check under way ends by itself. */
  close(): void {
    this.closed = true;
    clearTimeout(this.next);
  }

  private check(): void {
    if (this.closed) return;
    const policy = this.policy();
    if (policy === undefined) {
      this.passed();
      return;
    }
    this.schedule(policy);
    if (this.slot !== undefined) {
      if (this.late === undefined) this.failed(`${policy.path} still does not answer`);
      return;
    }
    const slot = this.handle.borrow();
    if (slot !== undefined) this.ask(slot, policy);
  }

  private schedule(policy: HealthPolicy): void {
    clearTimeout(this.next);
    const starting = this.handle.state === 'starting';
    this.next = setTimeout(
      () => this.check(),
      starting ? Math.min(policy.intervalMs, BOOT_INTERVAL_MS) : policy.intervalMs,
    );
  }

  private ask(slot: Slot, policy: HealthPolicy): void {
    const request = makeHealthRequest(policy.path);
    this.slot = slot;
    this.request = request;
    this.late = setTimeout(() => {
      this.late = undefined;
      this.handle.markOverdue(request);
      this.failed(`${policy.path} did not answer within ${policy.timeoutMs} ms`);
      slot.cancel();
    }, policy.timeoutMs);
    slot.send(request, this);
  }

  onAccepted(): void {}
  onInform(): void {}
  onData(): void {}
  onHead(status: number): void {
    this.status = status;
  }
  onWhole(status: number): void {
    this.status = status;
    this.onEnd();
  }
  onEnd(): void {
    this.settle(this.status < 400 ? null : `${this.request?.target} answered ${this.status}`);
  }
  onFailed(_how: 'died' | 'aborted' | 'invalid', detail: string): void {
    this.settle(`${this.request?.target} failed: ${detail}`);
  }

  /** The check under way has ended; one that was late has been counted already. */
  private settle(problem: string | null): void {
    const inTime = this.late !== undefined;
    clearTimeout(this.late);
    this.late = undefined;
    const { slot } = this;
    this.slot = undefined;
    if (slot !== undefined) this.handle.release(slot);
    if (!inTime) return;
    if (problem === null) this.passed();
    else this.failed(problem);
  }

  private passed(): void {
    this.failures = 0;
    if (this.closed) return;
    this.events.onPassed();
    // The process may be ready now, and need not be asked as often.
    const policy = this.policy();
    if (policy !== undefined) this.schedule(policy);
  }

  private failed(detail: string): void {
    this.failures++;
    if (!this.closed) this.events.onFailed(this.failures, detail);
  }
}
