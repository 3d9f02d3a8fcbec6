// What `flask run` does and a server does not: the variables of .env and .flaskenv. For --reload only.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { variablesOf } from '../discover/dot-env.ts';

/** How the application is found and where it listens is decided already. */
const DECIDED = /^FLASK_(APP|RUN_.*)$/;

/**
 * @param folders where the files are looked for, the nearest to the application first
 * @returns variables that the shell does not have; .env goes before .flaskenv, a nearer folder before another
 */
export function developmentVariables(
  folders: readonly string[],
  shell: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const files = folders.flatMap((folder) => [join(folder, '.env'), join(folder, '.flaskenv')]);
  const all = Object.assign({}, ...files.map((file) => variablesOf(readText(file))).reverse()) as Record<
    string,
    string
  >;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !DECIDED.test(name) && shell[name] === undefined));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
