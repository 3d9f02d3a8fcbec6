// One pod that is asked for its status document, and what its answers mean for the next question. Pure.
import type { Heard } from './ask-pod.ts';
import type { PodReport } from './observed.ts';
import { askWithin, nextWaits, type Waits } from './waits.ts';

export interface ReportTarget {
  readonly component: PodReport['component'];
  readonly pod: string;
  readonly uid: string;
  readonly ip: string;
  readonly port: number;
  /** Hash of the document that it should run by; while it does not, it is asked often. */
  readonly configHash: string | undefined;
}

/** One pod, and what is known of it. */
export interface Asked {
  readonly key: string;
  target: ReportTarget;
  report: PodReport | undefined;
  /** Of `WorkerReport.heardTo`. */
  heardTo: number | undefined;
  waits: Waits | undefined;
  /** What the status tells of `report`, to compare: of its processes and configuration, and of its queue. */
  told: string;
  queue: number;
  inStep: boolean;
  /** In a row. */
  failures: number;
  /** Until it is asked again. */
  waitMs: number;
  /** Whether it is to be listened to next, and not only asked; for how long. */
  listens: boolean;
  holdMs: number;
  askedAt: number;
  /** The one that is under way. */
  question: AbortController | undefined;
}

export function makeAsked(key: string, target: ReportTarget, waitMs: number): Asked {
  return {
    key,
    target,
    report: undefined,
    heardTo: undefined,
    waits: undefined,
    told: '',
    queue: 0,
    inStep: false,
    failures: 0,
    waitMs,
    listens: false,
    holdMs: 0,
    askedAt: 0,
    question: undefined,
  };
}

/** @returns what the worker told last, when it can be listened to: those of earlier versions cannot */
export function heardOf({ report }: Asked, waitMs: number): Heard | undefined {
  const news = report?.component === 'worker' ? report.status.news : undefined;
  return news === undefined ? undefined : { news, waitMs };
}

/** Of the requests that wait in the worker. */
export function waitingOf(asked: Asked, report: PodReport, wall: number) {
  if (report.component === 'proxy') return { waits: undefined, queue: 0, askedWithin: Infinity };
  const { status } = report;
  const before = asked.report?.component === 'worker' ? asked.report.status : undefined;
  const waits = nextWaits(asked.waits, before, status, wall);
  return { waits, queue: status.queue.length, askedWithin: askWithin(waits, status, wall) };
}

/** What says that a pod is getting on; the length of a queue moves by itself. */
export function tellingPart({ component, status }: PodReport): string {
  const { hash, error } = status.config;
  if (component === 'proxy') return JSON.stringify([hash, error]);
  const { processes, deaths } = status;
  const [death] = deaths;
  return JSON.stringify([hash, error, processes.desired, processes.ready, death && [death.id, death.at]]);
}

export function isInStep({ component, status }: PodReport, configHash: string | undefined): boolean {
  const current = configHash === undefined || status.config.hash === configHash;
  if (!current || status.state !== 'running') return false;
  return component === 'proxy' || status.processes.ready === status.processes.desired;
}
