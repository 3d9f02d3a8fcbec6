// Loads the application's file. Without a named export it is run as `node server.js` runs it: as the main module, so that
// `if (require.main === module) app.listen()` listens. With a named export it is imported like any other module.

import { readFileSync } from 'node:fs';
import Module, { createRequire, findPackageJSON } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface AppReference {
  readonly file: string;
  /** null: whatever serves. */
  readonly exportName: string | null;
}

/** @param app `path/to/server.js[:export]` */
export function splitApp(app: string, directory: string): AppReference {
  const colon = app.lastIndexOf(':');
  const named = colon > 0 && !app.includes('/', colon);
  return {
    file: resolve(directory, named ? app.slice(0, colon) : app),
    exportName: named ? app.slice(colon + 1) || null : null,
  };
}

/**
 * @returns what the module exports: `module.exports`, or the namespace of an ES module
 * @throws whatever loading it throws
 */
export async function loadApp({ file, exportName }: AppReference): Promise<unknown> {
  const require = createRequire(file);
  const path = require.resolve(file);
  process.argv[1] = path;
  if (isEsModule(path)) return await import(pathToFileURL(path).href);
  try {
    return exportName === null ? runMain(path) : require(path);
  } catch (error) {
    // An ES module by its syntax, with await at its top level: nothing of it has run yet.
    if (!isAsyncModule(error, path)) throw error;
    return await import(pathToFileURL(path).href);
  }
}

/** As process managers do it: the third argument makes it `require.main`. Not in the documentation, and stable since 2011. */
function runMain(path: string): unknown {
  const load: unknown = Reflect.get(Module, '_load');
  return typeof load === 'function' ? load(path, null, true) : createRequire(path)(path);
}

/** Only what the name and package.json say; the rest Node finds out from the syntax. */
function isEsModule(path: string): boolean {
  if (/\.m[jt]s$/.test(path)) return true;
  if (!/\.[jt]s$/.test(path)) return false;
  const manifest = findPackageJSON(pathToFileURL(path));
  return manifest !== undefined && /"type"\s*:\s*"module"/.test(readFileSync(manifest, 'utf8'));
}

function isAsyncModule(error: unknown, path: string): boolean {
  if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'ERR_REQUIRE_ASYNC_MODULE') return false;
  return error.message.includes(`Required module: ${path}\n`) || !error.message.includes('Required module:');
}
