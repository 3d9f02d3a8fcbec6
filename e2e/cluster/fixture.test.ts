// What becomes of tests that need a cluster on a machine that can have none: a vitest in the vitest, on crd.test.ts.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { cacheFolder } from '../../scripts/python-env.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('without Go they are skipped, their hooks too, and the reason is told', async () => {
  const { code, text } = await runWithoutGo({});
  expect(text).toContain('skipped, no cluster: Go is not installed');
  expect(text).toMatch(/^0 passed, 0 failed, \d+ skipped$/m);
  expect(code).toBe(0);
});

test('in CI they fail with the reason', async () => {
  const { code, text } = await runWithoutGo({ CI: 'true' });
  expect(text).toContain('no cluster: Go is not installed');
  expect(code).toBe(1);
});

function runWithoutGo(more: NodeJS.ProcessEnv): Promise<{ code: number | null; text: string }> {
  const { CI: _, ...env } = process.env;
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'e2e', 'e2e/cluster/crd.test.ts'];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: {
      ...env,
      PATH: `${brokenGo()}:${env['PATH']}`,
      XDG_CACHE_HOME: cacheWithoutPrograms(),
      NO_COLOR: '1',
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })));
}

/** Before the real one in PATH: a folder without it may be one without much else. */
function brokenGo(): string {
  const folder = emptyFolder();
  writeFileSync(join(folder, 'go'), '#!/bin/sh\nexit 127\n', { mode: 0o755 });
  return folder;
}

/** The Python of the tests stays: vitest's setup would make it anew. */
function cacheWithoutPrograms(): string {
  const cache = emptyFolder();
  const folder = join(cache, 'webapp-operator');
  mkdirSync(folder);
  for (const name of readdirSync(cacheFolder).filter((entry) => entry.startsWith('python-')))
    symlinkSync(join(cacheFolder, name), join(folder, name));
  return cache;
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'no-go-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
