// How requests were answered, counted by both programs: plain adds on the hot path, read by their status documents and, when
// Prometheus asks, by its collectors.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { FaultCode } from '../core/errors.ts';

const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Buckets of every duration of a request: seconds, 1 ms to 60 s. */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class AnswerCounts {
  /** Begun and not ended. */
  inFlight = 0;
  /** Ended: answered, or left by the client before. */
  ended = 0;
  /** The client left before anything was answered: in no class. */
  left = 0;
  readonly #classes = [0, 0, 0, 0, 0];
  readonly #faults = new Map<FaultCode, number>();

  /** @param status as sent; 0 when the client left before */
  answered(status: number): void {
    this.ended++;
    const index = Math.floor(status / 100) - 1;
    const count = this.#classes[index];
    if (count === undefined) this.left++;
    else this.#classes[index] = count + 1;
  }

  fault(code: FaultCode): void {
    this.#faults.set(code, (this.#faults.get(code) ?? 0) + 1);
  }

  byClass(): Record<string, number> {
    return Object.fromEntries(CLASSES.map((name, i) => [name, this.#classes[i] ?? 0]));
  }

  faults(): Record<string, number> {
    return Object.fromEntries(this.#faults);
  }

  /** @param prefix of the program's metrics, such as `webapp_worker_` */
  register(registry: Registry, prefix: string): void {
    registerByLabel(
      registry,
      `${prefix}requests_total`,
      'Requests answered, by first digit of the status.',
      'class',
      () => this.byClass(),
    );
    registerByLabel(
      registry,
      `${prefix}faults_total`,
      'Requests that were refused or could not be completed, by the code of the fault.',
      'code',
      () => this.faults(),
    );
    const inFlight = (): number => this.inFlight;
    new Gauge({
      name: `${prefix}requests_in_flight`,
      help: 'Requests that have come and are not answered in full.',
      registers: [registry],
      collect() {
        this.set(inFlight());
      },
    });
  }
}

function registerByLabel(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Record<string, number>,
): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
    },
  });
}
