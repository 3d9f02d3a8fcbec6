// Hears of changes in folders. Where the system gives no watch (its limits, file systems that do not tell) it looks by itself.
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

export interface WatchOptions {
  /** Folders below too. */
  readonly recursive: boolean;
  /** @returns whether a change of this file counts; paths are relative to the folder */
  readonly wants: (path: string) => boolean;
  /** @returns whether a folder, and all below it, is left out */
  readonly ignores: (path: string) => boolean;
  /** How long it must be quiet before it is told: saving is several events, and so is a checkout. */
  readonly settleMs: number;
}

/** What is looked at when there is no watch. */
const POLL_MS = 1_000;
const MAX_FILES = 20_000;

export interface Watch {
  /** Twice is safe. */
  close(): void;
}

/**
 * @param folder absolute
 * @param onChange hears the changed files, relative to the folder, sorted
 */
export function watchFolder(
  folder: string,
  options: WatchOptions,
  onChange: (files: readonly string[]) => void,
): Watch {
  const changed = new Set<string>();
  let settling: NodeJS.Timeout | undefined;
  const note = (path: string): void => {
    if (!options.wants(path) || isIgnored(path, options)) return;
    changed.add(path);
    clearTimeout(settling);
    settling = setTimeout(() => {
      const files = [...changed].sort();
      changed.clear();
      onChange(files);
    }, options.settleMs);
  };
  let source = watchBySystem(folder, options, note, () => {
    source.close();
    source = watchByLooking(folder, options, note);
  });
  return {
    close: () => {
      clearTimeout(settling);
      source.close();
    },
  };
}

function watchBySystem(
  folder: string,
  options: WatchOptions,
  note: (path: string) => void,
  onFailed: () => void,
): Watch {
  let watcher: FSWatcher;
  try {
    const ignore = (path: string): boolean => isIgnored(path, options);
    watcher = watch(folder, { recursive: options.recursive, ignore }, (_, name) => {
      if (name !== null) note(name);
    });
  } catch {
    return watchByLooking(folder, options, note);
  }
  watcher.on('error', onFailed);
  return watcher;
}

function watchByLooking(folder: string, options: WatchOptions, note: (path: string) => void): Watch {
  let before = timesIn(folder, options);
  const timer = setInterval(() => {
    const now = timesIn(folder, options);
    for (const [path, time] of now) if (before.get(path) !== time) note(path);
    for (const path of before.keys()) if (!now.has(path)) note(path);
    before = now;
  }, POLL_MS);
  return { close: () => clearInterval(timer) };
}

/** @returns the time of the last change of each wanted file */
export function timesIn(
  folder: string,
  options: Pick<WatchOptions, 'recursive' | 'wants' | 'ignores'>,
): Map<string, number> {
  const times = new Map<string, number>();
  const folders = [''];
  for (let at = folders.pop(); at !== undefined && times.size < MAX_FILES; at = folders.pop()) {
    for (const entry of entriesOf(join(folder, at))) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) {
        if (options.recursive && !options.ignores(path)) folders.push(path);
      } else if (options.wants(path)) {
        times.set(path, statSync(join(folder, path), { throwIfNoEntry: false })?.mtimeMs ?? 0);
      }
    }
  }
  return times;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** A path is left out when any folder above it is. */
function isIgnored(path: string, { ignores }: Pick<WatchOptions, 'ignores'>): boolean {
  for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
    if (ignores(end < 0 ? path : path.slice(0, end))) return true;
    if (end < 0) return false;
  }
}

const NOT_SOURCE = /(^|\/)(\.[^/]+|node_modules|__pycache__|venv|env|site-packages)$/;
const WANTED = {
  wsgi: /\.py$/,
  node: /\.(js|mjs|cjs|ts|mts|cts|json)$/,
} as const;

/** What `--reload` looks at: the application's code, without what was installed or generated. */
export function sourceWatch(runtime: 'wsgi' | 'node'): WatchOptions {
  return {
    recursive: true,
    wants: (path) => WANTED[runtime].test(path) || /(^|\/)(requirements[\w-]*\.txt|pyproject\.toml)$/.test(path),
    ignores: (path) => NOT_SOURCE.test(path),
    settleMs: 100,
  };
}
