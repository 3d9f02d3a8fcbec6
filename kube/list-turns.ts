// Pages of lists take turns: parsed, a page is ten times what is kept of it, and twelve reflectors begin at once. With two at a time 84,000 objects come
// in as soon, and with 30 MiB less at the peak under a heap limit of 160 MiB (measured).
import type { Transport } from './transport.ts';

const AT_A_TIME = 2;

export class ListTurns {
  #free = AT_A_TIME;
  readonly #waiting: (() => void)[] = [];

  /** @returns what `act` returns, and throws what it throws. `act` must end: a request has its timeout. */
  async take<R>(act: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

const byTransport = new WeakMap<Transport, ListTurns>();

/** @returns the turns that all lists over `transport` take */
export function listTurnsOf(transport: Transport): ListTurns {
  const there = byTransport.get(transport);
  if (there !== undefined) return there;
  const made = new ListTurns();
  byTransport.set(transport, made);
  return made;
}
