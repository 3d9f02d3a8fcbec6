// How requests were answered, counted by both programs: plain adds on the hot path, read by their status documents and, when
// Prometheus asks, by its metrics.
import { FAULTS, type FaultCode } from '../core/errors.ts';
import { COUNTED_METHODS } from '../core/metrics.ts';
import type { LoggedExchange } from './access-log.ts';
import type { Reading } from './metrics.ts';
import { RecentErrors } from './recent-errors.ts';

const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'gone'] as const;
const SERVER_ERROR = 4;
const GONE = 5;
/** The most frequent first: it is found at once. */
const NAMED: readonly string[] = COUNTED_METHODS;
const METHODS = [...COUNTED_METHODS, 'other'] as const;

export class AnswerCounts {
  /** Begun and not ended. */
  inFlight = 0;
  /** Ended: answered, or left by the client before. */
  ended = 0;
  readonly errors = new RecentErrors();
  /** A row of classes for each method. */
  readonly #cells = new Float64Array(METHODS.length * CLASSES.length);
  readonly #faults = new Map<FaultCode, number>();

  /** A request has ended, whichever way. */
  done(request: LoggedExchange): void {
    this.answered(request.method, request.status);
    if (request.fault !== null || request.status >= 500) this.errors.note(request, performance.now(), Date.now());
  }

  /** @param status as sent; 0 when the client left before */
  answered(method: string, status: number): void {
    this.ended++;
    const named = NAMED.indexOf(method);
    const row = named < 0 ? NAMED.length : named;
    const cell = row * CLASSES.length + classOf(status);
    this.#cells[cell] = (this.#cells[cell] ?? 0) + 1;
  }

  fault(code: FaultCode): void {
    this.#faults.set(code, (this.#faults.get(code) ?? 0) + 1);
  }

  byClass(): Record<string, number> {
    const counts = CLASSES.slice(0, GONE).map((name, column) => [name, this.#column(column)] as const);
    return Object.fromEntries(counts);
  }

  faults(): Record<string, number> {
    return Object.fromEntries(this.#faults);
  }

  /** All from the beginning, so that the first of a kind shows as an increase. */
  requestReadings(): Reading[] {
    return METHODS.flatMap((method, row) =>
      CLASSES.map((name, column) => ({
        labels: { method, class: name },
        value: this.#cells[row * CLASSES.length + column] ?? 0,
      })),
    );
  }

  /** As `requestReadings`. */
  faultReadings(): Reading[] {
    const codes = Object.keys(FAULTS) as FaultCode[];
    return codes.map((code) => ({ labels: { code }, value: this.#faults.get(code) ?? 0 }));
  }

  #column(column: number): number {
    let sum = 0;
    for (let i = column; i < this.#cells.length; i += CLASSES.length) sum += this.#cells[i] ?? 0;
    return sum;
  }
}

/** RFC 9110 §15: a status beyond 599 is to be taken for one of 5xx. */
function classOf(status: number): number {
  if (status < 100) return GONE;
  return Math.min(SERVER_ERROR, Math.floor(status / 100) - 1);
}
