// What a boot failure is explained with: the application's package.json, and its files when there is a syntax error in one.
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Surroundings } from './boot-failure.ts';
import { findSyntaxError } from './syntax-error.ts';

/** @param file absolute path of the application's file; it may not exist */
export function surroundingsOf(file: string): Surroundings {
  const manifest = findPackageJSON(pathToFileURL(file));
  return {
    file,
    directory: manifest === undefined ? dirname(file) : dirname(manifest),
    isDeclared: (name) => manifest !== undefined && declares(manifest, name),
    findSyntaxError: () => findSyntaxError(file),
  };
}

function declares(manifest: string, name: string): boolean {
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8'));
    return Object.hasOwn({ ...dependencies, ...devDependencies }, name);
  } catch {
    return false;
  }
}
