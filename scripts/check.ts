// `npm run check`: format and lint, types, import boundaries, generated files unchanged. Runs all, then says what failed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { boundaryProblems } from './import-boundaries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0;

const boundaries = (): boolean => {
  const problems = boundaryProblems(root);
  for (const problem of problems) console.error(problem);
  return problems.length === 0;
};

const checks: Record<string, () => boolean> = {
  'format and lint': () => run('biome', 'check', '.'),
  types: () => run('tsc', '-p', '.'),
  'types of the page': () => run('tsc', '-p', 'live/page'),
  'types of its test': () => run('tsc', '-p', 'e2e/laptop'),
  'import boundaries': boundaries,
  'generated files': () => run('node', 'scripts/generate.ts', '--check'),
};

const failed = Object.keys(checks).filter((name) => !checks[name]?.());
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`);
  process.exitCode = 1;
} else {
  console.log(`check passed: ${Object.keys(checks).join(', ')}`);
}
