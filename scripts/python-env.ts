// A Python with the packages that tests and benchmarks need, made once and kept outside the repository by content hash.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where long builds are kept: XDG_CACHE_HOME or ~/.cache, as any tool does. */
export const cacheFolder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'webapp-operator');

/**
 * @param requirements absolute path of a requirements file with pinned versions
 * @returns absolute path of a python that has them
 * @throws Error with pip's own words when it cannot be made
 */
export function pythonWith(requirements: string): string {
  const version = execFileSync('python3', ['--version'], { encoding: 'utf8' });
  const hash = createHash('sha256').update(version).update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(cacheFolder, `python-${hash}`);
  const python = join(folder, 'bin', 'python');
  // Written last: what an interrupted run left is begun anew.
  const whole = join(folder, 'is-whole');
  if (existsSync(whole)) return python;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(cacheFolder, { recursive: true });
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
  execFileSync(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', requirements], {
    stdio: 'pipe',
  });
  writeFileSync(whole, '');
  return python;
}
