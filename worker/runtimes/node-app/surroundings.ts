// What a boot failure is explained with: the application's package.json, and its files when there is a syntax error in one.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Surroundings } from './boot-failure.ts';
import { findSyntaxError } from './syntax-error.ts';

/** @param file absolute path of the application's file; it may not exist */
export function surroundingsOf(file: string): Surroundings {
  const directory = packageFolder(dirname(file)) ?? dirname(file);
  return {
    file,
    directory,
    isDeclared: (name) => declares(join(directory, 'package.json'), name),
    findSyntaxError: () => findSyntaxError(file),
  };
}

/** Up from `folder`, as npm looks. */
function packageFolder(folder: string): string | null {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  return above === folder ? null : packageFolder(above);
}

function declares(manifest: string, name: string): boolean {
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8'));
    return Object.hasOwn({ ...dependencies, ...devDependencies }, name);
  } catch {
    return false;
  }
}
