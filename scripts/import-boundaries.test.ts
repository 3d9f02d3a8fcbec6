import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ALLOWED, boundaryProblems } from './import-boundaries.ts';

test('no folder imports what DESIGN.md forbids it', () => {
  expect(boundaryProblems(fileURLToPath(new URL('..', import.meta.url)))).toEqual([]);
});

test('a forbidden import is found, whatever its form', () => {
  const root = mkdtempSync(join(tmpdir(), 'boundaries-'));
  try {
    for (const folder of Object.keys(ALLOWED)) mkdirSync(join(root, folder));
    writeFileSync(join(root, 'core/a.ts'), "import { readFileSync } from 'node:fs';\nexport * from '../http/b.ts';\n");
    writeFileSync(
      join(root, 'proxy/b.ts'),
      "const x = await import('../worker/c.ts');\nimport type { M } from './main.ts';\n",
    );
    expect(boundaryProblems(root)).toEqual([
      'core/a.ts: core/ is pure and must not import node:fs',
      'core/a.ts: core/ must not import http/ (../http/b.ts)',
      'proxy/b.ts: proxy/ must not import worker/ (../worker/c.ts)',
      'proxy/b.ts: main.ts is wiring and imported by nobody',
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
