// One WebApp's state in one row, and its rate. Pure.
import type { ProxyStatus } from '../../core/status/proxy.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import type { Paint, Style } from './paint.ts';
import { pad, widthOf } from './width.ts';

/** A WebApp as `webapp up` sees it now. */
export interface StackView {
  readonly name: string;
  /** `http://127.0.0.1:8000`; '' before it listens. */
  readonly address: string;
  readonly phase: 'starting' | 'running' | 'draining';
  readonly style: Style;
  readonly worker: WorkerStatus | undefined;
  readonly proxy: ProxyStatus | undefined;
  /** Requests per second. */
  readonly rate: number;
  /** What a person must know first, such as that the application does not start; '' when all is well. */
  readonly trouble: string;
}

/** @returns one row for each WebApp, their columns aligned */
export function statusRows(views: readonly StackView[], paint: Paint): string[] {
  const names = Math.max(0, ...views.map((view) => view.name.length));
  const addresses = Math.max(0, ...views.map((view) => view.address.length));
  return views.map((view) => {
    const name = paint(view.style, pad(view.name, names));
    const address = paint('address', view.address) + ' '.repeat(addresses - widthOf(view.address));
    return [name, address, ...segments(view, paint)].filter((part) => part !== '').join('  ');
  });
}

function segments(view: StackView, paint: Paint): string[] {
  if (view.phase === 'starting') return [paint('warning', view.trouble || 'starting …')];
  if (view.phase === 'draining') return [paint('warning', drainingText(view))];
  return [processes(view, paint), queue(view, paint), ...traffic(view, paint), paint('bad', view.trouble)].filter(
    (text) => text !== '',
  );
}

function processes({ worker }: StackView, paint: Paint): string {
  if (!worker) return paint('bad', 'the worker does not answer');
  const { ready, desired, busy, draining } = worker.processes;
  const parts = [
    paint(ready >= desired ? 'good' : 'warning', `${ready}/${desired} ready`),
    busy > 0 ? `${busy} busy` : paint('dim', 'idle'),
  ];
  if (draining > 0) parts.push(paint('dim', `${draining} leaving`));
  return parts.join(paint('dim', ' · '));
}

function queue({ worker }: StackView, paint: Paint): string {
  const waiting = worker?.queue.length ?? 0;
  return waiting > 0 ? paint('warning', `${waiting} waiting`) : '';
}

function traffic({ proxy, rate }: StackView, paint: Paint): string[] {
  if (!proxy) return [paint('bad', 'the proxy does not answer')];
  const errors = proxy.requests.byClass['5xx'] ?? 0;
  return [`${formatRate(rate)} req/s`, paint(errors > 0 ? 'bad' : 'dim', count(errors, 'error'))];
}

function drainingText({ proxy, worker }: StackView): string {
  const running = proxy?.requests.inFlight ?? worker?.requests.inFlight ?? 0;
  return running > 0 ? `finishing ${count(running, 'request')} …` : 'stopping …';
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
}

/** @returns at most four characters that matter: `0`, `0.4`, `12`, `3.4k` */
export function formatRate(rate: number): string {
  if (rate < 0.05) return '0';
  if (rate < 10) return rate.toFixed(1).replace(/\.0$/, '');
  if (rate < 10_000) return String(Math.round(rate));
  return `${(rate / 1000).toFixed(1)}k`;
}

interface Sample {
  readonly atMs: number;
  readonly total: number;
}

/** Requests per second over the last few samples. A count that falls is a program that began anew. */
export class RateMeter {
  readonly #windowMs: number;
  #samples: Sample[] = [];

  constructor(windowMs = 2_000) {
    this.#windowMs = windowMs;
  }

  /** @returns the rate, with this sample in it */
  take(atMs: number, total: number): number {
    const last = this.#samples.at(-1);
    if (last && total < last.total) this.#samples = [];
    this.#samples.push({ atMs, total });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - this.#windowMs) this.#samples.shift();
    const first = this.#samples[0];
    if (!first || atMs <= first.atMs) return 0;
    return ((total - first.total) * 1000) / (atMs - first.atMs);
  }
}
