// One WebApp that is looked at: asked again and again while somebody listens, its samples and places kept. A look begins when the one before has ended, so that
// programs that answer late are not asked twice.
import type { Clock } from '../core/clock.ts';
import { Minutes, type Sample } from './minutes.ts';
import { makePicture, type Picture } from './picture.ts';
import { Places } from './places.ts';
import type { Source, WebAppDocuments, WebAppName } from './source.ts';
import { RECENT_SECONDS } from './verdict.ts';

/** What a page is told; each part is sent when it differs from what was sent. */
export interface View {
  readonly picture: Picture;
  /** The oldest first, of the last minutes. */
  readonly samples: readonly Sample[];
  readonly configuration: string;
}

/** @param view null: the WebApp is not there any more */
export type Listener = (view: View | null) => void;

/** Between two looks, at least: a process that died is shown within a second. */
const EVERY_MS = 400;

export class Watch {
  readonly name: WebAppName;
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #minutes = new Minutes();
  readonly #places = new Places();
  readonly #listeners = new Set<Listener>();
  #everyMs = EVERY_MS;
  #looking: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: WebAppName, source: Source, clock: Clock) {
    this.name = name;
    this.#source = source;
    this.#clock = clock;
  }

  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  /** Looks until the last one has left. @returns stop */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#looking === undefined) void this.#lookOn();
    return () => {
      this.#listeners.delete(listener);
      if (!this.isHeard) this.close();
    };
  }

  /** Documents that were had anyway. */
  take(documents: WebAppDocuments): void {
    this.#places.take(documents);
    this.#minutes.take(documents, this.#clock.now(), this.#clock.wall());
  }

  /** @returns undefined: there is no such WebApp */
  async look(signal: AbortSignal): Promise<View | undefined> {
    const documents = await this.#source.read(this.name, signal);
    if (documents === undefined) return undefined;
    this.#everyMs = Math.max(EVERY_MS, this.#source.everyMs?.(documents) ?? 0);
    this.take(documents);
    return this.draw(documents);
  }

  draw(documents: WebAppDocuments): View {
    const [recent, minute] = [this.#minutes.last(RECENT_SECONDS), this.#minutes.last(60)];
    const picture = makePicture({ documents, places: this.#places, recent, minute, at: this.#clock.wall() });
    return { picture, samples: this.#minutes.samples(), configuration: documents.configuration };
  }

  /** Stops looking; whoever listens hears nothing more. */
  close(): void {
    this.#looking?.abort();
    this.#looking = undefined;
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  async #lookOn(): Promise<void> {
    const looking = new AbortController();
    this.#looking = looking;
    while (!looking.signal.aborted) {
      const began = this.#clock.now();
      // A look that fails says nothing: the page says for how long it has heard nothing.
      const seen = await this.look(looking.signal).then(
        (view) => ({ view: view ?? null }),
        () => undefined,
      );
      if (looking.signal.aborted) return;
      if (seen) for (const listener of [...this.#listeners]) listener(seen.view);
      await this.#wait(Math.max(this.#everyMs / 4, this.#everyMs - (this.#clock.now() - began)));
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, ms);
      this.#timer.unref();
    });
  }
}
