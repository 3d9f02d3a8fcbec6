// Which folder may import which, and which folder may use what of Node: DESIGN.md's one-way dependencies, as data. Walked by
// `npm run check` and by its test.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  http: ['core'],
  kube: ['core'],
  tracing: ['core'],
  live: ['core', 'http'],
  monitoring: ['core'],
  worker: ['core', 'http', 'tracing'],
  proxy: ['core', 'http', 'kube', 'tracing'],
  operator: ['core', 'http', 'kube', 'live'],
  cli: ['core', 'http', 'kube', 'live'],
};

/** core/ is pure: no socket, no file, no process, no client library. */
const CORE_PACKAGES = new Set(['zod', 'yaml', 'node:crypto']);

/** @returns one line for each import that breaks the rules, none when all is well */
export function boundaryProblems(root: string): string[] {
  return Object.keys(ALLOWED)
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => sourceFiles(join(root, folder)).flatMap((file) => problemsOf(root, folder, file)));
}

function problemsOf(root: string, folder: string, file: string): string[] {
  const name = relative(root, file);
  const problems: string[] = [];
  for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
    if (specifier.startsWith('.')) {
      const target = relative(root, normalize(join(dirname(file), specifier))).split('/')[0] ?? '';
      const own = target === folder || ALLOWED[folder]?.includes(target) || target === 'package.json';
      if (!own) problems.push(`${name}: ${folder}/ must not import ${target}/ (${specifier})`);
      if (/(^|\/)main\.ts$/.test(specifier)) problems.push(`${name}: main.ts is wiring and imported by nobody`);
    } else if (folder === 'core' && !CORE_PACKAGES.has(specifier)) {
      problems.push(`${name}: core/ is pure and must not import ${specifier}`);
    }
  }
  return problems;
}

function importsOf(source: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s+'([^']+)'/g;
  return [...source.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** Tests may reach further: they start whole programs. */
function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}
