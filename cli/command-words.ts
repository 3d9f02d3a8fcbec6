// What every command line of `webapp` is read with: options by their names, numbers, and what may have been meant. Pure.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { distance } from '../core/problem-words.ts';
import { Failure } from './failure.ts';

/** @throws Failure USAGE */
export function parse<O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  const unknown = args.find((word) => /^--[^=]/.test(word) && !Object.hasOwn(options, optionName(word)));
  if (unknown !== undefined && !args.slice(0, args.indexOf(unknown)).includes('--')) {
    const names = Object.keys(options).map((name) => `--${name}`);
    throw usage(`there is no option --${optionName(unknown)}`, nearest(`--${optionName(unknown)}`, names));
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // parseArgs says what is wrong in one sentence, and sometimes goes on about `--`.
    const said = ((error as Error).message.split('. ')[0] ?? '').replace(/\.$/, '');
    throw usage(said.charAt(0).toLowerCase() + said.slice(1), 'see webapp --help');
  }
}

const optionName = (word: string): string => word.replace(/^--/, '').replace(/=.*$/s, '');

/** @throws Failure USAGE */
export function wholeNumber(option: string, text: string, least: number, most: number, example: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw usage(`${option} ${text} is not a number from ${least} to ${most}`, `write such as ${option} ${example}`);
}

/** @returns what may have been meant, or what there is */
export function nearest(word: string, known: readonly string[]): string {
  const [best] = known.toSorted((a, b) => distance(a, word) - distance(b, word));
  const isNear = best !== undefined && distance(best, word) <= Math.max(best.length > 3 ? 2 : 1, best.length >> 2);
  return isNear ? `did you mean ${best}?` : `known: ${known.join(', ')}`;
}

export function usage(message: string, mend: string): Failure {
  return new Failure('USAGE', message, mend);
}
