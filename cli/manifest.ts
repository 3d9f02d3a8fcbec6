// Manifests on disk: where they are, and what stands in them. Used by all commands.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseWebApps } from '../core/app/manifest-file.ts';
import { SOURCE_ANNOTATION, type WebApp } from '../core/app/schema.ts';
import type { Problem } from '../core/errors.ts';

export interface LoadedWebApp {
  readonly webApp: WebApp;
  /** Absolute path of the manifest; '' for one that was inferred. */
  readonly file: string;
  /** Absolute folder of the manifest. */
  readonly folder: string;
  /** Absolute folder of the application's source. */
  readonly source: string;
}

export interface FileProblem extends Problem {
  /** Absolute path of the manifest; '' for one that was inferred. */
  readonly file: string;
}

export interface LoadedManifests {
  readonly webApps: readonly LoadedWebApp[];
  readonly problems: readonly FileProblem[];
  /** What was read, to see whether it has changed. */
  readonly text: string;
}

const MANIFEST = /^(webapp|.+\.webapp)\.ya?ml$/;
const MAX_BYTES = 4 * 1024 * 1024;

/** @returns absolute paths of the manifests in a folder, `webapp.yaml` first */
export function manifestsIn(folder: string): string[] {
  const names = entriesOf(folder).filter((name) => MANIFEST.test(name));
  const first = (name: string): number => (/^webapp\./.test(name) ? 0 : 1);
  return names.sort((a, b) => first(a) - first(b) || (a < b ? -1 : 1)).map((name) => join(folder, name));
}

/** @returns manifests of the folders in a folder, which has none itself */
export function manifestsBelow(folder: string): string[] {
  return entriesOf(folder)
    .filter((name) => !name.startsWith('.') && name !== 'node_modules')
    .flatMap((name) => manifestsIn(join(folder, name)));
}

/** Reads all of them; a file that cannot be read is a problem of it. */
export function loadManifests(files: readonly string[]): LoadedManifests {
  const loaded = files.map((file) => loadManifest(file));
  const webApps = loaded.flatMap((one) => one.webApps);
  return {
    webApps,
    problems: [...loaded.flatMap((one) => one.problems), ...namesTaken(webApps)],
    text: JSON.stringify(loaded.map((one) => one.text)),
  };
}

function loadManifest(file: string): LoadedManifests {
  try {
    if (statSync(file).size > MAX_BYTES) return unreadable(file, `is larger than ${MAX_BYTES} bytes`);
    return loadText(readFileSync(file, 'utf8'), file, dirname(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return unreadable(file, code === 'ENOENT' ? 'is not there' : message);
  }
}

/** @param folder absolute: the source is relative to it */
export function loadText(text: string, file: string, folder: string): LoadedManifests {
  const parsed = parseWebApps(text);
  return {
    webApps: parsed.webApps.map(({ webApp }) => {
      const source = resolve(folder, webApp.metadata.annotations?.[SOURCE_ANNOTATION] ?? '.');
      return { webApp, file, folder, source };
    }),
    problems: parsed.problems.map((problem) => ({ ...problem, file })),
    text,
  };
}

function unreadable(file: string, message: string): LoadedManifests {
  const problem = { field: '(file)', message, mend: 'give the path of a file that you may read', file };
  return { webApps: [], problems: [problem], text: message };
}

/** Here a name stands for one stack, whatever the namespace. */
function namesTaken(webApps: readonly LoadedWebApp[]): FileProblem[] {
  const seen = new Map<string, LoadedWebApp>();
  return webApps.flatMap((loaded) => {
    const { name } = loaded.webApp.metadata;
    const before = seen.get(name);
    if (!before) seen.set(name, loaded);
    if (!before || before.file === loaded.file) return [];
    const message = `a WebApp of this name stands in ${before.file} already`;
    return [{ field: 'metadata.name', value: name, message, mend: 'give each WebApp its own name', file: loaded.file }];
  });
}

/** For `webapp up`, which needs the source here; `webapp check` does not. */
export function missingSources(webApps: readonly LoadedWebApp[]): FileProblem[] {
  return webApps
    .filter(({ source }) => !statSync(source, { throwIfNoEntry: false })?.isDirectory())
    .map(({ webApp, source, file }) => ({
      field: `metadata.annotations["${SOURCE_ANNOTATION}"]`,
      value: webApp.metadata.annotations?.[SOURCE_ANNOTATION] ?? '.',
      message: `there is no folder ${source}`,
      mend: 'write the folder of the application, relative to the manifest',
      file,
    }));
}

/** @returns `shop.yaml:12: spec.app is …: message` and the mend below it */
export function formatFileProblem(problem: FileProblem, cwd: string): string {
  const path = problem.file === '' ? 'the inferred manifest' : shortPath(problem.file, cwd);
  const at = problem.line === undefined ? path : `${path}:${problem.line}`;
  const value = problem.value === undefined ? '' : ` is ${problem.value}`;
  const field = problem.field === '(file)' ? '' : `${problem.field}${value}: `;
  return `${at}: ${field}${problem.message}\n    → ${problem.mend}`;
}

/** @returns the path as a person would write it here */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path) || '.';
  return short.startsWith('..') ? path : short;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
