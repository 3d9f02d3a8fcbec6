// Where a syntax error is. Node prints the place of one in an ES module when it dies of it, but tells no program: the error's
// stack has only Node's own lines. So the files that the application consists of are parsed again, once it has failed.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, resolve } from 'node:path';

const MAX_FILES = 200;
const MAX_BYTES = 1024 * 1024;
const IMPORTED = /(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.{1,2}\/[^'"\n]+)['"]/g;

/**
 * @param entry absolute path of the application's file; it and what it imports by relative path is read
 * @returns the place with its line of code as Node writes it, `file:line`, code, `^`; null when all parses
 */
export function findSyntaxError(entry: string): string | null {
  const seen = new Set([entry]);
  for (const file of seen) {
    const source = readSource(file);
    if (source === null) continue;
    const place = parseErrorOf(source, file);
    if (place !== null) return place;
    for (const [, specifier = ''] of source.matchAll(IMPORTED)) {
      if (seen.size < MAX_FILES) seen.add(resolve(dirname(file), specifier));
    }
  }
  return null;
}

function readSource(file: string): string | null {
  if (!existsSync(file) || !statSync(file).isFile() || statSync(file).size > MAX_BYTES) return null;
  return readFileSync(file, 'utf8');
}

/** The parser for TypeScript reads JavaScript as well, and is the only one in Node that tells a program the place. */
function parseErrorOf(source: string, file: string): string | null {
  const warn = process.emitWarning;
  // That stripTypeScriptTypes is experimental would stand above the application's own error.
  process.emitWarning = () => undefined;
  try {
    stripTypeScriptTypes(source, { sourceUrl: file });
    return null;
  } catch (error) {
    return error instanceof SyntaxError ? placeIn(error.stack ?? '') : null;
  } finally {
    process.emitWarning = warn;
  }
}

/** What stands above the name of the error: the place, one or two lines of code, and `^` below them. */
function placeIn(stack: string): string | null {
  const end = stack.search(/\n\s*SyntaxError/);
  return end > 0 ? stack.slice(0, end).trimEnd() : null;
}
