// Which files of a folder a builder gets: what its .dockerignore leaves. Builders decide that for themselves; here it is for the hash of what
// goes into an image.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Rule {
  readonly pattern: string;
  /** The pattern over a whole path. */
  readonly fits: RegExp;
  /** `!pattern`: lets through again what an earlier rule held back. */
  readonly isException: boolean;
}

/** @param text of a .dockerignore, see https://docs.docker.com/build/concepts/context/#dockerignore-files */
export function readRules(text: string): Rule[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const pattern = line.replace(/^!/, '').replace(/^\/|\/$/g, '');
      return { pattern, fits: asRegExp(pattern), isException: line.startsWith('!') };
    });
}

/** Not by Node's matchesGlob, for which `*` is no name that begins with a dot. */
function asRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (found) => WILDCARDS[found] ?? `\\${found}`);
  return new RegExp(`^${source}$`);
}

const WILDCARDS: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };

/** The last rule that fits decides. A rule fits what it names and all that lies under it. @param path relative, with slashes */
export function isLeftOut(rules: readonly Rule[], path: string): boolean {
  const last = rules.findLast(({ fits }) => upwards(path).some((one) => fits.test(one)));
  return last !== undefined && !last.isException;
}

/** `a/b/c` → `a/b/c`, `a/b`, `a` */
function upwards(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

/** @returns paths from `folder`, sorted, without folders */
export function filesOfContext(folder: string): string[] {
  const ignore = join(folder, '.dockerignore');
  const rules = existsSync(ignore) ? readRules(readFileSync(ignore, 'utf8')) : [];
  const found: string[] = [];
  const visit = (under: string): void => {
    for (const entry of readdirSync(join(folder, under), { withFileTypes: true })) {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      if (!entry.isDirectory()) {
        if (!isLeftOut(rules, path)) found.push(path);
      } else if (!isLeftOut(rules, path) || mayLetThrough(rules, path)) visit(path);
    }
  };
  visit('');
  return found.sort();
}

/** Whether a rule may let through something under a folder that is left out. */
function mayLetThrough(rules: readonly Rule[], folder: string): boolean {
  return rules.some(({ isException, pattern }) => isException && pattern.startsWith(`${folder}/`));
}
