// Where the two programs are: beside this file in the source tree, beside this file in dist/. The one place that knows both.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type ProgramName = 'worker' | 'proxy';

/** @returns absolute path of the program's script, to be run by this Node */
export function programPath(name: ProgramName): string {
  const bundled = fileURLToPath(new URL(`webapp-${name}.mjs`, import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL(`../../${name}/main.ts`, import.meta.url));
}
