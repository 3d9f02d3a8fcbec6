// Questions for a program's status that wait until it has something new to tell: whoever asks hears of it at once and asks seldom. Looks while somebody waits, and
// only then, so that nothing has to tell this when something has changed.
import type { ServerResponse } from 'node:http';

/** Between two looks: as late an answer may come. */
const LOOK_MS = 200;
/** More are answered at once. */
const MAX_WAITING = 16;
const MAX_WAIT_MS = 60_000;

interface Waiting {
  readonly heard: string;
  readonly end: () => void;
}

export class PatientQuestions {
  readonly #news: () => string;
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  /** @param news stands for what is new: another text when there is something to tell */
  constructor(news: () => string) {
    this.#news = news;
  }

  /**
   * @param heard the news that who asks knows of
   * @param waitMs what it wants to wait at most; anything that is no positive number: not at all
   * @returns resolves when the news are others, the time is over or nobody listens any more
   */
  async hold(response: ServerResponse, heard: string, waitMs: number): Promise<void> {
    const isDue = !(waitMs > 0) || this.#waiting.size >= MAX_WAITING || this.#news() !== heard;
    if (isDue || response.destroyed) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => end(), Math.min(waitMs, MAX_WAIT_MS));
      const end = (): void => {
        clearTimeout(late);
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) this.#rest();
        resolve();
      };
      const waiting = { heard, end };
      this.#waiting.add(waiting);
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
      response.once('close', end);
    });
  }

  #look(): void {
    const news = this.#news();
    for (const { heard, end } of this.#waiting) if (heard !== news) end();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
