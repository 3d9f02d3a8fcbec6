// `webapp check`: everything that is wrong with manifests, without a cluster and without running anything.
import { resolve } from 'node:path';
import { Failure } from './failure.ts';
import { formatFileProblem, loadManifests, manifestsIn, shortPath } from './manifest.ts';

export interface CheckResult {
  /** For standard output. */
  readonly text: string;
  readonly exitCode: 0 | 1;
}

/** @throws Failure FILE_MISSING when there is nothing to check */
export function check(files: readonly string[], output: 'text' | 'json', cwd: string): CheckResult {
  const paths = filesOrHere(files, cwd);
  const { webApps, problems } = loadManifests(paths);
  const exitCode = problems.length > 0 ? 1 : 0;
  if (output === 'json') {
    const names = webApps.map(({ webApp, file }) => ({ name: webApp.metadata.name, file: shortPath(file, cwd) }));
    const shown = problems.map((problem) => ({ ...problem, file: shortPath(problem.file, cwd) }));
    return {
      text: `${JSON.stringify({ valid: exitCode === 0, webApps: names, problems: shown }, null, 2)}\n`,
      exitCode,
    };
  }
  const good = webApps.map(({ webApp, file }) => `${shortPath(file, cwd)}: ${webApp.metadata.name} is valid`);
  const bad = problems.map((problem) => formatFileProblem(problem, cwd));
  const sum = problems.length > 0 ? [`${problems.length} problem${problems.length === 1 ? '' : 's'}`] : [];
  return { text: `${[...good, ...bad, ...sum].join('\n')}\n`, exitCode };
}

/** @returns absolute paths: those given, or the manifests of this folder */
export function filesOrHere(files: readonly string[], cwd: string): string[] {
  if (files.length > 0) return files.map((file) => resolve(cwd, file));
  const here = manifestsIn(cwd);
  if (here.length > 0) return here;
  throw new Failure(
    'FILE_MISSING',
    'there is no manifest here',
    'name one, or make one: webapp up --print webapp.yaml',
  );
}
