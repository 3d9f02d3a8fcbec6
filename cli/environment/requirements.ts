// What an application's requirements are, and a hash that changes with them. Reads files in one place, the rest is pure.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Requirements } from './python-plan.ts';

const MAX_FILES = 50;

/** @returns the requirements of the first folder that has some, or undefined */
export function requirementsIn(folders: readonly string[], read: Read = readText): Requirements | undefined {
  for (const folder of folders) {
    const found = fromRequirementsFile(folder, read) ?? fromProject(folder, read);
    if (found) return found;
  }
  return undefined;
}

type Read = (path: string) => string | undefined;

function fromRequirementsFile(folder: string, read: Read): Requirements | undefined {
  const file = 'requirements.txt';
  const texts = withIncluded(join(folder, file), read, new Map());
  if (texts.size === 0) return undefined;
  return { folder, file, hash: hashOf([...texts.values()]), installArguments: ['-r', file] };
}

/** A changed file that is included (`-r base.txt`, `-c pins.txt`) is a change too. */
function withIncluded(path: string, read: Read, seen: Map<string, string>): Map<string, string> {
  const text = seen.has(path) || seen.size >= MAX_FILES ? undefined : read(path);
  if (text === undefined) return seen;
  seen.set(path, text);
  for (const match of text.matchAll(/^\s*(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)/gm)) {
    withIncluded(join(dirname(path), match[1] ?? ''), read, seen);
  }
  return seen;
}

function fromProject(folder: string, read: Read): Requirements | undefined {
  const dependencies = projectDependencies(read(join(folder, 'pyproject.toml')) ?? '');
  if (dependencies.length === 0) return undefined;
  return { folder, file: 'pyproject.toml', hash: hashOf(dependencies), installArguments: dependencies };
}

/** Pure: `dependencies` of the `[project]` table (PEP 621), which is all that is needed of TOML here. */
export function projectDependencies(toml: string): string[] {
  const table = /^\[project\][^\n]*\n([\s\S]*)/m.exec(toml)?.[1] ?? '';
  const list = /^dependencies\s*=\s*\[/m.exec(table.split(/^\[(?=[^\n]*\]\s*$)/m)[0] ?? '');
  if (!list) return [];
  const found = stringsOfList(table, list.index + list[0].length);
  return found.filter((dependency) => dependency !== '' && !dependency.startsWith('-'));
}

/** @returns the strings up to the closing bracket; none when it does not close */
function stringsOfList(text: string, from: number): string[] {
  const strings: string[] = [];
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === ']') return strings;
    const end = char === '#' ? text.indexOf('\n', at) : /["']/.test(char) ? text.indexOf(char, at + 1) : at;
    if (end < 0) return [];
    if (end > at && char !== '#') strings.push(text.slice(at + 1, end));
    at = end;
  }
  return [];
}

function hashOf(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
