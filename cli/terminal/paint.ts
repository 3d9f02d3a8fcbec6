import { styleText } from 'node:util';

/** The styles that are used: few, and by meaning. */
const STYLES = {
  plain: 'none',
  dim: 'dim',
  strong: 'bold',
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  address: ['cyan', 'underline'],
  name0: 'cyan',
  name1: 'magenta',
  name2: 'blue',
  name3: 'green',
  name4: 'yellow',
} as const;

export type Style = keyof typeof STYLES;
/** Adds escape sequences, or nothing where colours are not wanted. */
export type Paint = (style: Style, text: string) => string;

export function makePaint(coloured: boolean): Paint {
  if (!coloured) return (_, text) => text;
  return (style, text) =>
    text === '' ? '' : styleText(STYLES[style] as Parameters<typeof styleText>[0], text, { validateStream: false });
}

/** Pure: https://no-color.org and https://force-color.org, then whether somebody looks. */
export function wantsColour(
  asked: { readonly noColor: boolean },
  shell: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (asked.noColor || shell['NO_COLOR']) return false;
  if (shell['FORCE_COLOR']) return shell['FORCE_COLOR'] !== '0';
  return isTerminal && shell['TERM'] !== 'dumb';
}

/** @returns a colour for the WebApp that was started as number `index` */
export function nameStyle(index: number): Style {
  return `name${(index % 5) as 0 | 1 | 2 | 3 | 4}`;
}
