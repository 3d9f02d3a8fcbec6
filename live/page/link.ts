// Whether the page is still told what happens: said in words at its top, and by itself when there is nothing to hear any more.
import { byId, setData, setText } from './dom.ts';

export type LinkState = 'live' | 'waiting' | 'lost';

/** Without a word for so long, what is shown may be old. */
const SILENT_MS = 4_000;

export class Link {
  #heardAt = performance.now();
  #text = '';

  constructor() {
    setInterval(() => this.#check(), 1_000);
  }

  heard(): void {
    this.#heardAt = performance.now();
    this.#text = '';
    show('live', 'live');
  }

  /** @param text why nothing is heard */
  lost(text: string): void {
    this.#text = text;
    show('lost', text);
  }

  #check(): void {
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs < SILENT_MS || document.hidden) return;
    const since = `no news for ${Math.round(silentMs / 1_000)} s`;
    show('lost', this.#text === '' ? since : `${this.#text}; ${since}`);
  }
}

function show(state: LinkState, text: string): void {
  setData(byId('link'), 'state', state);
  setData(document.body, 'link', state);
  setText(byId('link-text'), text);
}
