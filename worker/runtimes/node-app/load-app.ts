// Loads the application's file. Without a named export it is run as `node server.js` runs it: as the main module, so that
// `if (require.main === module) app.listen()` listens, as does `if (import.meta.main)`. With one it is imported like any module.

import Module, { createRequire } from 'node:module';
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
  const path = createRequire(file).resolve(file);
  process.argv[1] = path;
  const exported = exportName === null ? runMain(path) : undefined;
  if (exported !== undefined && !isEmpty(exported)) return exported;
  // An ES module that is run as the main one goes its own, asynchronous way, and leaves nothing here: joined, not run again.
  return await import(pathToFileURL(path).href);
}

/** As process managers do it: the third argument makes it the main module. Not in Node's documentation, and stable since 2011. */
function runMain(path: string): unknown {
  const load: unknown = Reflect.get(Module, '_load');
  return typeof load === 'function' ? load(path, null, true) : undefined;
}

function isEmpty(exported: unknown): boolean {
  return typeof exported === 'object' && exported !== null && Object.keys(exported).length === 0;
}
