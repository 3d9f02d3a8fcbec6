// Where the time of a request goes: one bar, and the same in words.
import type { Time } from '../picture.ts';
import { formatMs } from '../words.ts';
import { byId, fill, make, setShown, setText } from './dom.ts';

const PARTS = [
  { key: 'proxyWait', text: 'waiting in the proxy' },
  { key: 'workerWait', text: 'waiting for a free process' },
  { key: 'app', text: 'being served by the application' },
  { key: 'rest', text: 'all else: reading, sending' },
] as const satisfies readonly { key: keyof Time; text: string }[];

export function drawTime(time: Time | null): void {
  setShown(byId('time-none'), time === null);
  setShown(byId('time-bar'), time !== null);
  setShown(byId('time-parts'), time !== null);
  if (time === null) return;
  const all = PARTS.reduce((sum, { key }) => sum + time[key], 0);
  fill(byId('time-bar'), PARTS, {
    key: ({ key }) => key,
    make: ({ key }) => make('span', `part-${key}`),
    update: (part, { key }) => {
      part.style.flexGrow = String(all === 0 ? 0 : time[key] / all);
      setShown(part, time[key] > all / 200); // less is no part to be seen, and its gaps would be
    },
  });
  fill(byId('time-parts'), PARTS, {
    key: ({ key }) => key,
    make: ({ key, text }) => {
      const item = make('li');
      item.append(make('span', `swatch part-${key}`), make('strong'), make('span', '', text));
      return item;
    },
    update: (item, { key }) => {
      const value = item.querySelector('strong');
      const percent = all === 0 ? 0 : Math.round((time[key] / all) * 100);
      if (value) setText(value, `${formatMs(time[key])} (${percent} %)`);
    },
  });
}
