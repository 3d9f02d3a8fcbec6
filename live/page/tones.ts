import type { Tone } from '../source.ts';

/** A word beside the colour. */
export const TONE_WORDS: Readonly<Record<Tone, string>> = {
  good: 'Well',
  warning: 'Look',
  bad: 'Bad',
  unknown: 'Unknown',
};
/** For the tab's title. */
export const TONE_MARKS: Readonly<Record<Tone, string>> = { good: '✓', warning: '!', bad: '✗', unknown: '?' };
