// Workers that take keys from a queue and reconcile them, with the retry policy as a property of the outcome.

import { Registry } from 'prom-client';
import type { BackoffPolicy } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { isOutage, KubeError } from './errors.ts';
import { type FailureLog, makeFailureLog } from './failure-log.ts';
import { type ControllerMeter, controllerMeter } from './metrics.ts';
import type { WorkQueue } from './queue.ts';

/**
 * What a pass asks for. `retry`: the pass failed for a reason that time may heal (a refusal): again after these waits; it goes
 * before `requeueAfterMs`. `requeueAfterMs`: all is well, look again then (no sooner than after 100 ms: no hot loops).
 */
export interface ReconcileResult {
  readonly requeueAfterMs?: number | undefined;
  readonly retry?: BackoffPolicy | undefined;
}

/** One pass for one key. Must honour `signal`. A throw is retried with backoff; Retry-After of a KubeError is honoured. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>;

export interface ControllerOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  /** Passes at a time. Default 10. */
  readonly concurrency?: number;
  /** A pass that lasts longer is aborted and retried. Default 2 min. */
  readonly passTimeoutMs?: number;
  readonly log: Log;
  readonly clock: Clock;
  /** controller_runtime_* metrics. */
  readonly registry?: Registry;
}

export interface Controller {
  start(): void;
  /** Takes no new key, lets passes in work finish for `graceMs`, then aborts them. Twice is safe. Closes the queue. */
  stop(graceMs: number): Promise<void>;
}

export function makeController(options: ControllerOptions): Controller {
  return new Workers(options);
}

/** What becomes of a key after its pass. */
export type NextStep =
  | { readonly result: 'success' }
  | { readonly result: 'requeue_after'; readonly afterMs: number }
  | { readonly result: 'requeue'; readonly backoff: BackoffPolicy }
  | { readonly result: 'error'; readonly backoff?: BackoffPolicy; readonly atLeastMs: number };

const MIN_REQUEUE_MS = 100;
/** While nobody answers: as often as caches look for a server that is back. A key's own backoff would go on for as long again as the outage was. */
const OUTAGE: BackoffPolicy = { firstMs: 200, maxMs: 10_000, factor: 2 };
/** A server that asks for a longer wait is not believed: nobody would see that the key stands still. */
const MAX_RETRY_AFTER_MS = 600_000;
/** What passes that were aborted have, to notice. */
const ABORT_GRACE_MS = 1_000;

/** Pure: the retry policy for a pass that returned. */
export function nextStep({ requeueAfterMs, retry }: ReconcileResult): NextStep {
  if (retry !== undefined) return { result: 'requeue', backoff: retry };
  if (requeueAfterMs === undefined) return { result: 'success' };
  return { result: 'requeue_after', afterMs: requeueAfterMs > MIN_REQUEUE_MS ? requeueAfterMs : MIN_REQUEUE_MS };
}

/** Pure: the retry policy for a pass that threw. */
export function nextStepAfterThrow(error: unknown): NextStep {
  const asked = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
  const atLeastMs = Math.min(asked, MAX_RETRY_AFTER_MS);
  return isOutage(error) ? { result: 'error', backoff: OUTAGE, atLeastMs } : { result: 'error', atLeastMs };
}

/** Whether the program itself is wrong: what Go would call a panic. */
export function isPanic(error: unknown): boolean {
  return (
    !(error instanceof Error) ||
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError
  );
}

class Workers implements Controller {
  readonly #queue: WorkQueue;
  readonly #reconcile: Reconcile;
  readonly #concurrency: number;
  readonly #passTimeoutMs: number;
  readonly #log: Log;
  readonly #failures: FailureLog;
  readonly #clock: Clock;
  readonly #meter: ControllerMeter;
  /** Passes in work, by what aborts them. */
  readonly #passes = new Set<AbortController>();
  #workers: Promise<unknown> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    const { name, concurrency = 10, passTimeoutMs = 120_000, registry = new Registry() } = options;
    if (!(concurrency >= 1))
      throw new RangeError(`controller ${name}: concurrency is ${concurrency}, must be at least 1`);
    this.#queue = options.queue;
    this.#reconcile = options.reconcile;
    this.#concurrency = concurrency;
    this.#passTimeoutMs = passTimeoutMs;
    this.#log = options.log.with({ controller: name });
    this.#failures = makeFailureLog({ log: this.#log, clock: options.clock, burst: 50, everyMs: 100 });
    this.#clock = options.clock;
    this.#meter = controllerMeter(registry, name, concurrency);
  }

  start(): void {
    if (this.#workers !== undefined || this.#stopped !== undefined) return;
    this.#workers = Promise.all(Array.from({ length: this.#concurrency }, () => this.#work()));
  }

  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#queue.close();
    const ended = (this.#workers ?? Promise.resolve()).then(() => true);
    if (await within(ended, graceMs)) return;
    this.#log.warn('passes are aborted: they did not end in time', { passes: this.#passes.size, graceMs });
    for (const pass of this.#passes) pass.abort(new KubeError('CLOSED', 'the controller stops'));
    if (await within(ended, ABORT_GRACE_MS)) return;
    this.#log.error('passes go on though they are aborted', { passes: this.#passes.size });
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) await this.#pass(key);
  }

  /** The key stays in work until the pass has really ended, aborted or not: it is never in two workers. */
  async #pass(key: string): Promise<void> {
    const abort = new AbortController();
    const timer = this.#limit(key, abort);
    const begun = this.#clock.now();
    this.#passes.add(abort);
    this.#meter.began();
    const step = await this.#outcome(key, abort.signal);
    clearTimeout(timer());
    this.#passes.delete(abort);
    this.#follow(key, step);
    this.#meter.ended(step.result, this.#clock.now() - begun);
    this.#queue.done(key);
  }

  async #outcome(key: string, signal: AbortSignal): Promise<NextStep> {
    try {
      return nextStep(await this.#reconcile(key, signal));
    } catch (error) {
      if (isPanic(error)) this.#meter.panicked();
      // A pass that was aborted because we stop has not failed.
      if (this.#stopped === undefined || !signal.aborted) this.#failures.say('a pass failed', error, { key });
      return nextStepAfterThrow(error);
    }
  }

  /** Before `done`: a retry must know the priority with which the key was taken. */
  #follow(key: string, step: NextStep): void {
    if (step.result === 'requeue' || step.result === 'error') {
      this.#queue.retry(key, step);
      return;
    }
    this.#queue.forget(key);
    if (step.result === 'requeue_after') this.#queue.add(key, { afterMs: step.afterMs });
  }

  /** Aborts the pass when its time is up, and tells of one that does not care. @returns asks for the timer that runs */
  #limit(key: string, abort: AbortController): () => NodeJS.Timeout {
    const passTimeoutMs = this.#passTimeoutMs;
    let timer = setTimeout(() => {
      this.#meter.timedOut();
      abort.abort(new KubeError('TIMEOUT', `the pass took longer than ${passTimeoutMs} ms`));
      timer = setTimeout(() => this.#log.error('a pass goes on though it is aborted', { key }), passTimeoutMs);
    }, passTimeoutMs);
    return () => timer;
  }
}

/** @returns false when `promise` is not there after `ms`; its later rejection is the caller's */
async function within(promise: Promise<boolean>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
