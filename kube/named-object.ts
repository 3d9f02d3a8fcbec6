// One object that is followed by its name: by a watch while one is to be had, else by reading it now and then. Tells when its state changes.
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { digestContent } from './content-digest.ts';
import { isNotFound, KubeError } from './errors.ts';
import type { NamedState } from './named.ts';
import { type KubeObject, pathOf, type Resource } from './object.ts';
import { makeReflector, type Reflector } from './reflector.ts';
import type { Sink } from './store.ts';
import type { Transport } from './transport.ts';

export interface NamedPlace {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

export interface NamedObjectOptions {
  readonly place: NamedPlace;
  /** As in NamedReference. */
  readonly patient: boolean;
  readonly extract?: (object: Readonly<Record<string, unknown>>) => string | undefined;
  readonly transport: Transport;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  /** @returns whether there is room for one more watch in this share of them, 0 to 1; `release` gives it back */
  readonly reserve: (share: number) => boolean;
  readonly release: () => void;
  readonly onChange: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Between reads: 45 to 75 s. */
const POLL_MS = { least: 45_000, spread: 30_000 } as const;
/** Of one that is patient. */
const PATIENT_FACTOR = 15;
const PATIENT_SHARE = 0.5;
/** Where watching is forbidden and reading is not, the watch is tried again after so many reads. */
const READS_PER_TRIAL = 10;
/** No answer for longer is unhealthy. */
const MAX_AWAY_MS = 180_000;

export class NamedObject {
  state: NamedState = { state: 'unknown' };
  readonly #options: NamedObjectOptions;
  readonly #abort = new AbortController();
  #reflector: Reflector | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Reads to come before a watch is tried. */
  #readsLeft = 0;
  #answeredAt: number;
  #patient: boolean;

  constructor(options: NamedObjectOptions) {
    this.#options = options;
    this.#patient = options.patient;
    this.#answeredAt = options.clock.now();
  }

  start(): void {
    if (this.#reserve()) this.#watch();
    else void this.#read();
  }

  health(): string | null {
    if (this.#reflector !== undefined) return this.#reflector.health();
    const awayMs = this.#options.clock.now() - this.#answeredAt;
    const most = MAX_AWAY_MS + (this.#patient ? POLL_MS.least * PATIENT_FACTOR : 0);
    return awayMs > most ? `${this.#path()}: no answer for ${Math.round(awayMs / 1_000)} s` : null;
  }

  /** Patient no longer. */
  hurry(): void {
    if (!this.#patient) return;
    this.#patient = false;
    if (this.#timer !== undefined) this.#later();
  }

  /** Twice is safe. */
  close(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#unwatch();
  }

  // ---- By a watch ----------------------------------------------------------------------------------------------------------------

  #watch(): void {
    const { place, transport, log, clock, random, onTrouble } = this.#options;
    const { resource, namespace, name } = place;
    this.#reflector = makeReflector({
      ...{ transport, resource, namespace, log, clock, random },
      fieldSelector: `metadata.name=${name}`,
      sink: this.#sink(),
      onTrouble: (error) => {
        onTrouble(error);
        if (isForbidden(error)) this.#readInstead();
      },
    });
    this.#reflector.start();
  }

  #sink(): Sink {
    let found = false;
    const see = (object: unknown): void => {
      if ((object as KubeObject).metadata.name !== this.#options.place.name) return;
      found = true;
      this.#present(object);
    };
    return {
      begin: () => {
        found = false;
      },
      page: (objects) => {
        for (const object of objects) see(object);
      },
      commit: () => {
        if (!found) this.#become({ state: 'missing' });
      },
      event: (type, object) => {
        if (type === 'DELETED') this.#become({ state: 'missing' });
        else see(object);
      },
    };
  }

  #unwatch(): void {
    if (this.#reflector === undefined) return;
    this.#reflector.close();
    this.#reflector = undefined;
    this.#options.release();
  }

  /** `list` and `watch` may be forbidden where `get` is not. */
  #readInstead(): void {
    this.#unwatch();
    this.#readsLeft = READS_PER_TRIAL;
    void this.#read();
  }

  // ---- By reading ----------------------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    const { transport, clock, onTrouble } = this.#options;
    try {
      const { signal } = this.#abort;
      this.#present(await transport.request<unknown>({ method: 'GET', path: this.#path(), signal }));
      this.#answeredAt = clock.now();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (isNotFound(error)) this.#become({ state: 'missing' });
      else if (isForbidden(error)) this.#become({ state: 'forbidden', message: error.message });
      else onTrouble(error);
      if (error instanceof KubeError && error.code === 'API') this.#answeredAt = clock.now();
    }
    this.#later();
  }

  #later(): void {
    if (this.#abort.signal.aborted) return;
    const waitMs = POLL_MS.least + POLL_MS.spread * this.#options.random();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#again(),
      waitMs * (this.#patient && this.state.state === 'present' ? PATIENT_FACTOR : 1),
    );
  }

  #again(): void {
    this.#timer = undefined;
    if (--this.#readsLeft < 0 && this.#reserve()) this.#watch();
    else void this.#read();
  }

  #reserve(): boolean {
    return this.#options.reserve(this.#patient ? PATIENT_SHARE : 1);
  }

  // ---- What is known -------------------------------------------------------------------------------------------------------------

  #present(object: unknown): void {
    if (typeof object !== 'object' || object === null) return;
    const content = object as Readonly<Record<string, unknown>>;
    const extract = this.#options.extract?.(content);
    this.#become({ state: 'present', ...digestContent(content), ...(extract !== undefined && { extract }) });
  }

  #become(state: NamedState): void {
    if (this.#abort.signal.aborted || JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    this.#options.onChange();
  }

  #path(): string {
    const { resource, namespace, name } = this.#options.place;
    return pathOf(resource, { namespace, name });
  }
}

function isForbidden(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 403;
}
