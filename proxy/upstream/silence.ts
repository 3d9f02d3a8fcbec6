// Finds peers that have been silent for too long, for all calls with one timer: a timer per request, restarted at every chunk,
// would cost more than the chunk.

/** How often silence is looked at: a limit is met up to two ticks late, never early. */
const TICK_MS = 100;

export interface Listened {
  /** Ticks since the peer was heard. Set to 0 by whoever hears it. */
  silentTicks: number;
  /** Longest silence, milliseconds; 0: any. */
  readonly silenceMs: number;
  /** Whether it is the peer's turn: time in which it cannot speak is not its silence. */
  readonly awaitsPeer: boolean;
  onSilence(): void;
  /** Place in the list of `Silence`, which alone sets it; -1: not in it. */
  listIndex: number;
}

export class Silence {
  readonly #listened: Listened[] = [];
  #timer: NodeJS.Timeout | null = null;

  add(item: Listened): void {
    item.silentTicks = 0;
    item.listIndex = this.#listened.length;
    this.#listened.push(item);
    this.#timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Twice is safe. */
  remove(item: Listened): void {
    const index = item.listIndex;
    const last = this.#listened.at(-1);
    if (index < 0 || last === undefined) return;
    item.listIndex = -1;
    this.#listened.pop();
    if (last === item) return;
    last.listIndex = index;
    this.#listened[index] = last;
  }

  /** Counted in ticks, not by the clock: a program that was stopped or busy for a while finds no silence in that time. */
  tick(): void {
    for (let index = this.#listened.length - 1; index >= 0; index--) {
      const item = this.#listened[index];
      if (item === undefined) continue;
      if (item.silenceMs === 0 || !item.awaitsPeer) item.silentTicks = 0;
      else if (++item.silentTicks > item.silenceMs / TICK_MS + 1) item.onSilence();
    }
    if (this.#listened.length === 0) this.close();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
