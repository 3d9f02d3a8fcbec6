// How users fare in one sentence, and what else is to be known. What is read aloud is said once, though its numbers move.
import type { Picture } from '../picture.ts';
import type { Finding } from '../verdict.ts';
import { byId, fill, make, setData, setShown, setText } from './dom.ts';
import { TONE_MARKS, TONE_WORDS } from './tones.ts';

/** Between two sentences: what flickers is not read aloud each time. */
const QUIET_MS = 5_000;

let announced = '';
let announcedAt = Number.NEGATIVE_INFINITY;

export function drawVerdict({ verdict, findings, name, url }: Picture): void {
  setData(byId('verdict'), 'tone', verdict.tone);
  setText(byId('verdict-tone'), TONE_WORDS[verdict.tone]);
  setText(byId('verdict-text'), verdict.text);
  drawMend(byId('verdict-mend'), verdict);
  drawAddress(url);
  setShown(byId('findings-section'), findings.length > 0);
  fill(byId('findings'), findings, { key: ({ kind }) => kind, make: makeFinding, update: updateFinding });
  document.title = `${TONE_MARKS[verdict.tone]} ${name}`;
  announce(verdict);
}

function announce({ kind, tone, text }: Finding): void {
  if (announced === kind || performance.now() - announcedAt < QUIET_MS) return;
  announced = kind;
  announcedAt = performance.now();
  setText(byId('announce'), `${TONE_WORDS[tone]}. ${text}`);
}

function drawMend(element: HTMLElement, { mend, field }: Finding): void {
  setShown(element, mend !== undefined);
  setText(element, mend === undefined ? '' : `What to do: ${mend}${field === undefined ? '' : ` (${field})`}`);
}

/** Only an address of the web becomes a link. */
function drawAddress(url: string | undefined): void {
  const link = byId<HTMLAnchorElement>('url');
  const isWeb = url !== undefined && /^https?:\/\//.test(url);
  setShown(link, isWeb);
  if (!isWeb || link.textContent === url) return;
  link.href = url;
  setText(link, url);
}

function makeFinding(): HTMLLIElement {
  const item = make('li');
  const body = make('div');
  body.append(make('p', 'sentence'), make('p', 'mend'));
  item.append(make('span', 'tone'), body);
  return item;
}

function updateFinding(item: HTMLLIElement, finding: Finding): void {
  setData(item, 'tone', finding.tone);
  const word = item.querySelector<HTMLElement>('.tone');
  const sentence = item.querySelector<HTMLElement>('.sentence');
  const mend = item.querySelector<HTMLElement>('.mend');
  if (word) setText(word, TONE_WORDS[finding.tone]);
  if (sentence) setText(sentence, finding.text);
  if (mend) drawMend(mend, finding);
}
