// Brings node_modules to what package-lock.json says, once: every npm script runs this first, so that `npm start` and
// `npm test` are all a new machine needs. Plain JavaScript for any Node ≥ 20: the project's own Node 26 comes with it.
import { execSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = `${root}node_modules/.installed-lock`;
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error('Installing the pinned dependencies (once) …');
  // Not `npm ci`: it wants every platform's binary packages in the lock file, and not every registry mirror has them all.
  execSync('npm install --no-save --no-audit --no-fund --loglevel=error', {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  writeFileSync(stamp, wanted);
}
