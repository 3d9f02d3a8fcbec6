// Which Python runs the application, and where the adapter is.
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BootFailure } from '../runtime.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The interpreter, in this order: WEBAPP_PYTHON, the active virtual environment, `.venv` in the application's folder, python3
 * on PATH. The first is an order: when it is not there, nothing else is taken instead.
 * @param directory absolute folder of the application
 * @param env environment that the process will have
 * @returns absolute path, or what to do about its absence
 */
export function findPython(directory: string, env: Environment): string | BootFailure {
  const wanted = env['WEBAPP_PYTHON'];
  if (wanted) {
    const found = wanted.includes('/') ? executable(resolve(directory, wanted)) : onPath(wanted, env);
    return (
      found ?? missing(`WEBAPP_PYTHON names ${wanted}, which is no program`, 'Correct WEBAPP_PYTHON, or remove it.')
    );
  }
  const active = env['VIRTUAL_ENV'];
  const found =
    (active ? executable(join(active, 'bin', 'python')) : null) ??
    executable(join(directory, '.venv', 'bin', 'python')) ??
    onPath('python3', env);
  return (
    found ??
    missing(
      'there is no Python here',
      'Install Python 3.9 or newer, or name one in the environment variable WEBAPP_PYTHON.',
    )
  );
}

function onPath(name: string, env: Environment): string | null {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const found = folder === '' ? null : executable(join(folder, name));
    if (found !== null) return found;
  }
  return null;
}

function executable(path: string): string | null {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : null;
  } catch {
    return null;
  }
}

function missing(reason: string, mend: string): BootFailure {
  return { reason, mend, traceback: '' };
}

/** @returns absolute path of the adapter's main.py: in `python/` beside the bundled program, or in the source tree */
export function adapterMain(): string {
  const bundled = fileURLToPath(new URL('./python/main.py', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../../python/main.py', import.meta.url));
}
