import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sourceWatch, timesIn, watchFolder } from './watch.ts';

function watched(runtime: 'wsgi' | 'node' = 'wsgi'): { folder: string; seen: Set<string> } {
  const folder = mkdtempSync(join(tmpdir(), 'watch-'));
  for (const inner of ['shop', 'node_modules/x', '.venv/lib', 'shop/__pycache__']) {
    mkdirSync(join(folder, inner), { recursive: true });
  }
  writeFileSync(join(folder, 'shop/old.py'), 'x');
  const seen = new Set<string>();
  const watch = watchFolder(folder, { ...sourceWatch(runtime), settleMs: 10 }, (files) => {
    for (const file of files) seen.add(file);
  });
  onTestFinished(() => {
    watch.close();
    watch.close();
    rmSync(folder, { recursive: true });
  });
  return { folder, seen };
}

/** Until everything in `wanted` was seen: what is left out has then had its chance. */
const until = (seen: Set<string>, ...wanted: string[]): Promise<void> =>
  vi.waitFor(() => expect([...seen]).toEqual(expect.arrayContaining(wanted)), { timeout: 20_000, interval: 20 });

test('code that is written, replaced, renamed and removed is seen; what is installed or generated is not', async () => {
  const { folder, seen } = watched();
  const write = (path: string): void => writeFileSync(join(folder, path), String(Math.random()));
  for (const path of [
    'node_modules/x/a.py',
    '.venv/lib/b.py',
    'shop/__pycache__/c.py',
    'shop/d.txt',
    '.hidden.py',
    'e.js',
  ]) {
    write(path);
  }
  write('app.py');
  await until(seen, 'app.py');
  write('shop/new.tmp');
  renameSync(join(folder, 'shop/new.tmp'), join(folder, 'shop/new.py'));
  await until(seen, 'shop/new.py');
  unlinkSync(join(folder, 'shop/old.py'));
  await until(seen, 'shop/old.py');
  expect([...seen].sort()).toEqual(['app.py', 'shop/new.py', 'shop/old.py']);
});

test('a folder that is made later is watched too', async () => {
  const { folder, seen } = watched();
  mkdirSync(join(folder, 'shop/views'));
  // The watch of a new folder begins a moment after it is there: an editor saves again.
  await vi.waitFor(
    () => {
      writeFileSync(join(folder, 'shop/views/cart.py'), String(Math.random()));
      expect([...seen]).toContain('shop/views/cart.py');
    },
    { timeout: 20_000, interval: 100 },
  );
});

test('Node’s code is another', async () => {
  const { folder, seen } = watched('node');
  for (const file of ['a.py', 'b.ts', 'c.json', 'd.mjs']) writeFileSync(join(folder, file), 'x');
  await until(seen, 'b.ts', 'c.json', 'd.mjs');
  expect([...seen]).not.toContain('a.py');
});

test('where there is no watch, the same files are looked at', () => {
  const { folder } = watched();
  writeFileSync(join(folder, 'node_modules/x/a.py'), '');
  writeFileSync(join(folder, 'app.py'), '');
  expect([...timesIn(folder, sourceWatch('wsgi')).keys()].sort()).toEqual(['app.py', 'shop/old.py']);
});
