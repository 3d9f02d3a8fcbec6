// Spans on their way out: a bounded queue, one batch under way at a time. Never in the way of a request: `add` stores or drops. What the
// collector does not take is dropped and counted; the log hears of it at most once a minute.
import type { Log } from '../core/log.ts';
import type { SpanRecord } from './span.ts';

/** Carries batches to a collector. `send` settles within its own bound, retries included. */
export interface SpanSender {
  send(spans: readonly SpanRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface OutboxBounds {
  /** Spans that wait; a further one is dropped. */
  readonly queue: number;
  readonly batch: number;
  /** Until a batch that is not full goes out. */
  readonly delayMs: number;
  /** Until the spans of a batch are given up though the sender still tries. */
  readonly sendMs: number;
  /** For what is left at the end. */
  readonly closeMs: number;
}

export const BOUNDS: OutboxBounds = { queue: 2048, batch: 512, delayMs: 1_000, sendMs: 12_000, closeMs: 2_000 };

const LOG_EVERY_MS = 60_000;

/** Spans since the start of the program: taken by a collector, and given up. */
export interface SpanCounts {
  sent: number;
  dropped: number;
}

export class Outbox {
  readonly #counts: SpanCounts;
  readonly #openSender: () => Promise<SpanSender>;
  readonly #log: Log;
  readonly #bounds: OutboxBounds;
  #waiting: SpanRecord[] = [];
  #sender: Promise<SpanSender> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #closed = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #toldDropped = 0;

  /**
   * @param openSender called with the first batch, once
   * @param counts the caller's, who adds up more than one outbox
   */
  constructor(openSender: () => Promise<SpanSender>, counts: SpanCounts, log: Log, bounds: OutboxBounds = BOUNDS) {
    this.#openSender = openSender;
    this.#counts = counts;
    this.#log = log;
    this.#bounds = bounds;
    this.#toldDropped = counts.dropped;
  }

  add(span: SpanRecord): void {
    if (this.#closed || this.#waiting.length >= this.#bounds.queue) {
      this.#drop(1, 'the collector is slower than spans are made');
      return;
    }
    this.#waiting.push(span);
    this.#plan();
  }

  /** Tries once more to be rid of what waits, within `closeMs`; what is left is dropped. Twice is safe. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await within(this.#bounds.closeMs, this.#sendAll()).catch(() => {});
    if (this.#waiting.length > 0) this.#drop(this.#waiting.length, 'the program ends');
    this.#waiting = [];
    if (this.#sender !== null) await within(this.#bounds.closeMs, this.#closeSender()).catch(() => {});
  }

  #plan(): void {
    if (this.#sending !== null) return;
    if (this.#waiting.length >= this.#bounds.batch) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), this.#bounds.delayMs).unref();
  }

  #begin(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.#sendBatch().finally(() => {
      this.#sending = null;
      if (!this.#closed && this.#waiting.length > 0) this.#plan();
    });
  }

  async #sendAll(): Promise<void> {
    await this.#sending;
    while (this.#waiting.length > 0) await this.#sendBatch();
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#bounds.batch);
    try {
      this.#sender ??= this.#openSender();
      await within(
        this.#bounds.sendMs,
        this.#sender.then((sender) => sender.send(batch)),
      );
      this.#counts.sent += batch.length;
    } catch (error) {
      this.#drop(batch.length, error instanceof Error ? error.message : String(error));
    }
  }

  async #closeSender(): Promise<void> {
    await (await this.#sender)?.close();
  }

  #drop(spans: number, reason: string): void {
    this.#counts.dropped += spans;
    const now = performance.now();
    if (now - this.#toldAt < LOG_EVERY_MS) return;
    this.#log.warn('spans were dropped: the collector of traces did not take them', {
      spans: this.#counts.dropped - this.#toldDropped,
      reason: reason.slice(0, 512),
    });
    this.#toldAt = now;
    this.#toldDropped = this.#counts.dropped;
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms).unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
