// The list of WebApps, the worst first.
import type { List, Listed } from '../source.ts';
import { count } from '../words.ts';
import { byId, fill, make, setData, setText } from './dom.ts';
import { Link } from './link.ts';
import { TONE_WORDS } from './tones.ts';

const EVERY_MS = 1_000;

export function showList(): void {
  const link = new Link();
  const ask = async (): Promise<void> => {
    if (document.hidden) return;
    try {
      const response = await fetch('/live.json', { signal: AbortSignal.timeout(5_000) });
      if (!response.ok) throw new Error(String(response.status));
      draw((await response.json()) as List);
      link.heard();
    } catch {
      link.lost('no answer');
    }
  };
  const askOn = (): void => void ask().then(() => setTimeout(askOn, EVERY_MS));
  document.addEventListener('visibilitychange', () => void ask());
  askOn();
}

function draw({ webApps, left }: List): void {
  const unwell = webApps.filter(({ tone }) => tone !== 'good').length;
  const more = left > 0 ? ` ${left} more are not listed.` : '';
  const all = count(webApps.length, 'WebApp');
  setText(byId('summary'), `${all}, ${unwell === 0 ? 'all well' : `${unwell} to look at`}.${more}`);
  fill(byId('webapps'), webApps, {
    key: ({ namespace, name }) => `${namespace}/${name}`,
    make: makeRow,
    update: updateRow,
  });
}

function makeRow({ namespace, name }: Listed): HTMLLIElement {
  const row = make('li');
  const link = make('a', 'name', name);
  link.href = `/live/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  row.append(make('span', 'tone'), link, make('span', 'namespace', namespace), make('span', 'text'));
  return row;
}

function updateRow(row: HTMLLIElement, { tone, text }: Listed): void {
  setData(row, 'tone', tone);
  const [word, , , sentence] = row.children;
  if (word) setText(word, TONE_WORDS[tone]);
  if (sentence) setText(sentence, text);
}
