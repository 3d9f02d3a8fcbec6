// Numbers and states as a person reads them, the same on the page, in its sentences and in the terminal. Pure; runs in the browser, too.
import type { TileState } from './picture.ts';

/** Of a place for an application process. */
export const STATE_WORDS: Readonly<Record<TileState, string>> = {
  starting: 'starting',
  free: 'free',
  busy: 'busy',
  draining: 'leaving',
  gone: 'empty',
};

/** @returns such as `0.4 ms`, `12 ms`, `1.2 s`, `3 min` */
export function formatMs(ms: number): string {
  if (ms < 10) return `${trim(ms.toFixed(1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${trim((ms / 1_000).toFixed(1))} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}

/** How long ago, in steps that do not flicker. */
export function formatAgo(ms: number): string {
  return ms < 1_000 ? 'just now' : `${formatMs(Math.floor(ms / 1_000) * 1_000)} ago`;
}

/** @returns such as `0`, `0.4`, `12`, `3.4k` */
export function formatNumber(value: number): string {
  if (value < 0.05) return '0';
  if (value < 10) return trim(value.toFixed(1));
  if (value < 10_000) return String(Math.round(value));
  return `${(value / 1_000).toFixed(1)}k`;
}

/** @returns such as `38 MiB` */
export function formatBytes(bytes: number): string {
  const MIB = 1024 * 1024;
  if (bytes < MIB) return `${Math.round(bytes / 1024)} KiB`;
  return bytes < 1024 * MIB ? `${Math.round(bytes / MIB)} MiB` : `${(bytes / MIB / 1024).toFixed(1)} GiB`;
}

/** @returns such as `1 request`, `3 processes` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
}

/** What was told, at a length that a page bears. */
export function cut(text: string): string {
  const MOST = 300;
  return text.length <= MOST ? text : `${text.slice(0, MOST)}…`;
}

const trim = (text: string): string => text.replace(/\.0$/, '');
