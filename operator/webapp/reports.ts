// The status documents of workers and proxies, read from their admin ports. Workers are listened to: the question waits there until there is news, so that a death
// is told at once, at the price of an open connection each. Beyond so many of those, pods are asked: soon and often while something is changing, seldom otherwise.
// Keeps the last document of each pod; tells when what a WebApp's status says of them would differ.
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { DueHeap } from '../../kube/due-heap.ts';
import { type FailureLog, makeFailureLog } from '../../kube/failure-log.ts';
import { askProxy, askWorker, type Heard } from './ask-pod.ts';
import { type Asked, heardOf, isInStep, makeAsked, type ReportTarget, tellingPart, waitingOf } from './asked.ts';
import type { PodReport } from './observed.ts';
import { isLasting } from './waits.ts';

export type { ReportTarget } from './asked.ts';

export interface PodReports {
  /** The pods of a WebApp to ask, ready or not; those not named are forgotten. An empty list lets go. A proxy that is in step has nothing more to tell. */
  want(key: string, targets: readonly ReportTarget[]): void;
  of(key: string): readonly PodReport[];
  /** A pass is done with `reports`: their deaths are no news any more (`WorkerReport.heardTo`). */
  heard(key: string, reports: readonly PodReport[]): void;
  /** `key`'s reports differ in what the status tells: applied hash and error; of workers processes desired and ready, the latest death, queue length, whether requests wait long. @returns stop */
  onChange(listener: (key: string) => void): () => void;
  close(): void;
}

export interface PodReportsOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Time between two questions to a pod that is in step, or has no news for whom listens to it. Default 30 s, jittered; 0: never ask. */
  readonly quietMs?: number;
  /** …and to one that is not. Default 300 ms, slowing down to quietMs. */
  readonly busyMs?: number;
  /** Questions at a time. Default 32: more are no faster, and what is in flight costs memory. */
  readonly concurrency?: number;
  /** Workers listened to at a time, the others are asked. Default 1,000, which take 45 MiB (bench/operator). */
  readonly listening?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** A wait is about a sixth of the time that a pod has been out of step. */
const BUSY_FACTOR = 1.2;
const FAILED_FACTOR = 1.6;
/** Answers missed in a row until what a pod told last is no longer believed. */
const FAILURES = 3;
/** A pod that does not answer is asked this many times more seldom than one in step, at last. */
const FAILED_SLOWER = 4;
/**
 * Between two questions to a worker that is listened to, at least: this many times busyMs, and so many milliseconds for each pod that there is. Were all in uproar, or
 * lying, it would be 500 questions a second.
 */
const LISTEN_SLOWER = 3;
const LISTEN_MS_EACH = 2;

export function makePodReports(options: PodReportsOptions): PodReports {
  return new Reports(options);
}

class Reports implements PodReports {
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #busyMs: number;
  readonly #concurrency: number;
  readonly #random: () => number;
  readonly #failureLog: FailureLog;
  readonly #byKey = new Map<string, Map<string, Asked>>();
  readonly #listeners = new Set<(key: string) => void>();
  /** By uid. Those that did not answer wait apart: their timeouts must not hold up the others. */
  readonly #due = new DueHeap<Asked>();
  readonly #doubtful = new DueHeap<Asked>();
  readonly #questions = new Set<AbortController>();
  readonly #mostListening: number;
  #closed = false;
  #inFlight = 0;
  #listening = 0;
  #doubtfulInFlight = 0;
  /** One for all pods. */
  #timer: NodeJS.Timeout | undefined;

  constructor({ log, clock, quietMs = 30_000, busyMs = 300, concurrency = 32, listening, random }: PodReportsOptions) {
    this.#clock = clock;
    this.#quietMs = quietMs;
    this.#busyMs = Math.min(busyMs, quietMs);
    this.#concurrency = concurrency;
    this.#mostListening = listening ?? 1_000;
    this.#random = random ?? Math.random;
    this.#failureLog = makeFailureLog({ log, clock, burst: 3, everyMs: 60_000 });
  }

  want(key: string, targets: readonly ReportTarget[]): void {
    if (this.#closed || this.#quietMs === 0) return;
    const before = this.#byKey.get(key);
    const wanted = new Map(targets.map((target) => [target.uid, this.#welcome(key, target, before?.get(target.uid))]));
    for (const [uid, asked] of before ?? []) {
      if (wanted.get(uid) !== asked) asked.question?.abort();
      if (!wanted.has(uid)) this.#forget(uid);
    }
    if (wanted.size > 0) this.#byKey.set(key, wanted);
    else this.#byKey.delete(key);
    this.#pump();
  }

  of(key: string): readonly PodReport[] {
    const all = this.#byKey.get(key)?.values() ?? [];
    return [...all].flatMap(({ report, heardTo, waits }) => {
      if (report?.component !== 'worker') return report ?? [];
      return { ...report, ...(heardTo !== undefined && { heardTo }), ...(waits && { waits }) };
    });
  }

  heard(key: string, reports: readonly PodReport[]): void {
    const byUid = this.#byKey.get(key);
    for (const report of reports) {
      const asked = byUid?.get(report.uid);
      if (asked === undefined || report.component !== 'worker') continue;
      asked.heardTo = Math.max(asked.heardTo ?? 0, report.status.deaths[0]?.at ?? 0);
    }
  }

  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    for (const question of this.#questions) question.abort();
    clearTimeout(this.#timer);
    this.#due.clear();
    this.#doubtful.clear();
    this.#byKey.clear();
    this.#listeners.clear();
  }

  #welcome(key: string, target: ReportTarget, known: Asked | undefined): Asked {
    if (known === undefined || known.target.ip !== target.ip || known.target.port !== target.port) {
      const asked = makeAsked(key, target, this.#busyMs);
      this.#schedule(asked, this.#busyMs * this.#random());
      return asked;
    }
    const changed = known.target.configHash !== target.configHash;
    known.target = target;
    if (changed) this.#hurry(known);
    return known;
  }

  /** What it runs by has just been changed: its answer will be another soon. One that is listened to tells by itself. */
  #hurry(asked: Asked): void {
    asked.waitMs = this.#busyMs;
    asked.listens = false;
    if (asked.question === undefined) this.#schedule(asked, this.#busyMs);
  }

  #forget(uid: string): void {
    this.#due.remove(uid);
    this.#doubtful.remove(uid);
  }

  #schedule(asked: Asked, waitMs: number): void {
    const { uid } = asked.target;
    this.#forget(uid);
    const heap = asked.failures > 0 ? this.#doubtful : this.#due;
    heap.put(uid, this.#clock.now() + waitMs, asked);
  }

  /** Asks all that are due, within bounds, and sets the timer for the next. */
  #pump(): void {
    if (this.#closed) return;
    for (let asked = this.#takeDue(); asked !== undefined; asked = this.#takeDue()) void this.#ask(asked);
    clearTimeout(this.#timer);
    const next = this.#nextDueAt();
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#pump(), Math.max(1, next - this.#clock.now()));
    this.#timer.unref();
  }

  #takeDue(): Asked | undefined {
    if (this.#inFlight >= this.#concurrency) return undefined;
    const now = this.#clock.now();
    for (const heap of this.#heaps()) {
      const first = heap.first();
      if (first === undefined || first.dueAt > now) continue;
      heap.remove(first.key);
      return first.value;
    }
    return undefined;
  }

  /** @returns undefined when an answer has to come first, or nobody is to be asked */
  #nextDueAt(): number | undefined {
    if (this.#inFlight >= this.#concurrency) return undefined;
    const dues = this.#heaps().flatMap((heap) => heap.first()?.dueAt ?? []);
    return dues.length > 0 ? Math.min(...dues) : undefined;
  }

  /** Those to take from: half of the questions at most go to pods that did not answer the last one. */
  #heaps(): DueHeap<Asked>[] {
    const full = this.#doubtfulInFlight >= Math.max(1, this.#concurrency >> 1);
    return full ? [this.#due] : [this.#due, this.#doubtful];
  }

  async #ask(asked: Asked): Promise<void> {
    const heard = asked.listens ? heardOf(asked, this.#jittered(asked.holdMs)) : undefined;
    if (heard !== undefined && this.#listening >= this.#mostListening) {
      this.#askLater(asked);
      return;
    }
    const { target } = asked;
    const doubtful = asked.failures > 0 ? 1 : 0;
    const listening = heard ? 1 : 0;
    this.#listening += listening;
    this.#inFlight += 1 - listening;
    this.#doubtfulInFlight += doubtful;
    asked.askedAt = this.#clock.now();
    const answer = await this.#answerOf(asked, heard);
    this.#listening -= listening;
    this.#inFlight -= 1 - listening;
    this.#doubtfulInFlight -= doubtful;
    // It may have been let go of meanwhile, or have got another address.
    if (this.#byKey.get(asked.key)?.get(target.uid) === asked) {
      const differs = answer instanceof Error ? this.#failed(asked, answer) : this.#answered(asked, answer);
      this.#scheduleNext(asked);
      if (differs) for (const listener of this.#listeners) listener(asked.key);
    }
    this.#pump();
  }

  #askLater(asked: Asked): void {
    asked.listens = false;
    this.#schedule(asked, this.#jittered(asked.waitMs));
  }

  #scheduleNext(asked: Asked): void {
    const { target, inStep, failures } = asked;
    if (target.component === 'proxy' && inStep) return;
    asked.listens = failures === 0 && heardOf(asked, 0) !== undefined;
    const gapMs = Math.max(LISTEN_SLOWER * this.#busyMs, LISTEN_MS_EACH * (this.#due.size + this.#listening));
    if (asked.listens) this.#schedule(asked, Math.max(0, asked.askedAt + gapMs - this.#clock.now()));
    else this.#askLater(asked);
  }

  async #answerOf(asked: Asked, heard: Heard | undefined): Promise<PodReport | Error> {
    const question = new AbortController();
    asked.question = question;
    this.#questions.add(question);
    try {
      return await reportOf(asked.target, question.signal, heard);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#questions.delete(question);
      asked.question = undefined;
    }
  }

  /** @returns whether the status would differ */
  #answered(asked: Asked, report: PodReport): boolean {
    const wall = this.#clock.wall();
    const { waits, queue, askedWithin } = waitingOf(asked, report, wall);
    const told = `${tellingPart(report)}${isLasting(waits, wall)}`;
    const inStep = isInStep(report, asked.target.configHash);
    const moved = told !== asked.told;
    const differs = moved || queue !== asked.queue;
    const waitMs = inStep
      ? this.#quietMs
      : moved || asked.inStep || asked.failures > 0
        ? this.#busyMs
        : this.#slower(asked);
    asked.waitMs = Math.min(waitMs, askedWithin);
    asked.holdMs = Math.min(this.#quietMs, askedWithin);
    Object.assign(asked, { report, waits, told, queue, inStep, failures: 0 });
    return differs;
  }

  #slower({ waitMs }: Asked): number {
    return Math.min(this.#quietMs, waitMs * BUSY_FACTOR);
  }

  /** @returns whether the status would differ */
  #failed(asked: Asked, error: Error): boolean {
    asked.failures++;
    const grown = asked.failures === 1 ? this.#busyMs : asked.waitMs * FAILED_FACTOR;
    asked.waitMs = Math.min(this.#quietMs * FAILED_SLOWER, grown);
    if (asked.failures !== FAILURES) return false;
    const { pod, ip } = asked.target;
    this.#failureLog.warn('a pod does not tell its status', { webApp: asked.key, pod, ip, reason: error.message });
    const differs = asked.report !== undefined;
    Object.assign(asked, { report: undefined, told: '', queue: 0, inStep: false });
    return differs;
  }

  #jittered(ms: number): number {
    return ms * (0.75 + this.#random() / 2);
  }
}

async function reportOf(
  { component, pod, uid, ...address }: ReportTarget,
  signal: AbortSignal,
  heard: Heard | undefined,
): Promise<PodReport> {
  if (component === 'worker') return { component, pod, uid, status: await askWorker(address, signal, heard) };
  return { component, pod, uid, status: await askProxy(address, signal) };
}
