// The five numbers that a person looks for first.
import type { Picture } from '../picture.ts';
import { count, formatMs, formatNumber } from '../words.ts';
import { byId, fill, make, setData, setText } from './dom.ts';

interface Shown {
  readonly title: string;
  readonly value: string;
  readonly note: string;
  readonly tone: 'plain' | 'warning' | 'bad';
}

export function drawNumbers({ now }: Picture): void {
  const { rate, requests, errors, p50, p99, waiting, oldestWaitMs, inFlight, busy, free, processes } = now;
  const shown: Shown[] = [
    {
      title: 'Requests',
      value: `${formatNumber(rate)}/s`,
      note: `${formatNumber(inFlight)} in hand now`,
      tone: 'plain',
    },
    {
      title: 'Errors',
      value: errors === 0 ? 'none' : String(errors),
      note: errors === 0 ? 'in the last minute' : `${share(errors, requests)} of requests, last minute`,
      tone: errors === 0 ? 'plain' : 'bad',
    },
    {
      title: 'Answered within',
      value: p50 === null ? '–' : formatMs(p50),
      note: p99 === null ? 'no request in the last minute' : `half of them; 99 of 100 within ${formatMs(p99)}`,
      tone: 'plain',
    },
    {
      title: 'Waiting',
      value: waiting === 0 ? 'nobody' : String(waiting),
      note: waiting === 0 ? 'for a free process' : `the first for ${formatMs(oldestWaitMs)}`,
      tone: waiting === 0 ? 'plain' : 'warning',
    },
    {
      title: 'Being served',
      value: busy === 0 ? 'nobody' : String(busy),
      note: `${free} free; ${processes.ready} of ${count(processes.desired, 'process')} ready`,
      tone: processes.ready === 0 ? 'bad' : processes.ready < processes.desired ? 'warning' : 'plain',
    },
  ];
  fill(byId('numbers'), shown, { key: ({ title }) => title, make: makeNumber, update: updateNumber });
}

function share(part: number, whole: number): string {
  const percent = (part / Math.max(1, whole, part)) * 100;
  return percent < 0.1 ? 'less than 0.1 %' : `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

function makeNumber({ title }: Shown): HTMLDivElement {
  const box = make('div', 'card number');
  box.append(make('dt', '', title), make('dd', 'value'), make('dd', 'note'));
  return box;
}

function updateNumber(box: HTMLDivElement, { value, note, tone }: Shown): void {
  setData(box, 'tone', tone);
  const [, first, second] = box.children;
  if (first) setText(first, value);
  if (second) setText(second, note);
}
