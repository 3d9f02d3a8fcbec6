// What builders get: pure rules, and that ours let through what the programs are made of and nothing else.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { filesOfContext, isLeftOut, readRules } from './context.ts';
import { EXAMPLES } from './images.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each([
  ['*\n!core', 'core/app/crd.ts', false],
  ['*\n!core', 'docs/images.md', true],
  ['*\n!core\n**/*.test.ts', 'core/app/crd.test.ts', true],
  ['*\n!scripts/build.ts', 'scripts/build.ts', false],
  ['*\n!scripts/build.ts', 'scripts/check.ts', true],
  ['# a comment\n\nnode_modules/', 'node_modules/express/index.js', true],
  ['node_modules', 'src/node_modules/a.js', false],
  ['**/node_modules', 'src/node_modules/a.js', true],
  ['/dist\n!dist/keep', 'dist/keep', false],
  ['*', '.git/HEAD', true],
  ['**/*.test.ts', 'a.testats', false],
  ['', 'anything', false],
])('rules %j: %s is left out: %s', (text, path, leftOut) => {
  expect(isLeftOut(readRules(text), path)).toBe(leftOut);
});

/** Specifiers of imports in the source; types too, which is more than the bundles need. */
const IMPORT = /(?:from|import|import\()\s*'(\.{1,2}\/[^']+)'/g;
const PROGRAM = /'webapp[^']*': '([^']+)'|webapp: '([^']+)'/g;

function reachedFrom(entries: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    if (!path.endsWith('.ts')) return;
    for (const [, specifier = ''] of readFileSync(join(root, path), 'utf8').matchAll(IMPORT))
      visit(relative(root, join(root, dirname(path), specifier)));
  };
  for (const entry of entries) visit(entry);
  return reached;
}

test('the repository’s context holds all that a build reads', () => {
  const programs = [...readFileSync(join(root, 'scripts/build.ts'), 'utf8').matchAll(PROGRAM)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  );
  expect(programs).toContain('proxy/main.ts');
  const needed = reachedFrom(['scripts/build.ts', 'scripts/images/lay-out.ts', 'live/page/main.ts', ...programs]);
  expect(needed.size).toBeGreaterThan(200);
  const given = new Set(filesOfContext(root));
  expect([...needed].filter((path) => !given.has(path))).toEqual([]);
  expect(given).toContain('worker/python/main.py');
  expect(given).toContain('live/page/webapp.html');
  expect(given).toContain('package-lock.json');
});

test('…and no test, no documentation, no example, no tool of development', () => {
  const others = filesOfContext(root).filter((path) =>
    /\.test\.ts$|_test\.py$|\.md$|Dockerfile$|__pycache__|node_modules|^(?:docs|e2e|bench|charts|examples|manifests|dist|\.)/.test(
      path,
    ),
  );
  expect(others).toEqual([]);
});

test.each(Object.values(EXAMPLES))('$name gets its sources, and not what a person’s machine has besides', (example) => {
  const files = filesOfContext(join(root, example.context));
  expect(files.some((path) => /^(?:requirements\.txt|package-lock\.json)$/.test(path))).toBe(true);
  expect(files.filter((path) => /node_modules|\.venv|__pycache__|Dockerfile/.test(path))).toEqual([]);
});
