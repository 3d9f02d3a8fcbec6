import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adapterMain, findPython } from './python.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'python-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(...parts: string[]): string {
  const path = join(folder, ...parts);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  chmodSync(path, 0o755);
  return path;
}

test('each place comes before the next', () => {
  const onPath = program('bin', 'python3');
  const own = program('app', '.venv', 'bin', 'python');
  const active = program('active', 'bin', 'python');
  const named = program('named', 'python');
  const directory = join(folder, 'app');
  const env = {
    PATH: `/nonexistent::${join(folder, 'bin')}`,
    VIRTUAL_ENV: join(folder, 'active'),
    WEBAPP_PYTHON: named,
  };
  expect(findPython(directory, env)).toBe(named);
  expect(findPython(directory, { ...env, WEBAPP_PYTHON: '' })).toBe(active);
  expect(findPython(directory, { PATH: env.PATH })).toBe(own);
  expect(findPython(join(folder, 'other'), { PATH: env.PATH })).toBe(onPath);
});

test('WEBAPP_PYTHON may be a name on PATH, or a path from the application’s folder', () => {
  const other = program('bin', 'python3.99');
  const inside = program('app', 'env', 'python');
  const PATH = join(folder, 'bin');
  expect(findPython(join(folder, 'app'), { PATH, WEBAPP_PYTHON: 'python3.99' })).toBe(other);
  expect(findPython(join(folder, 'app'), { PATH, WEBAPP_PYTHON: './env/python' })).toBe(inside);
});

test('an active environment without a Python is passed over', () => {
  const onPath = program('bin', 'python3');
  expect(findPython(folder, { PATH: join(folder, 'bin'), VIRTUAL_ENV: join(folder, 'gone') })).toBe(onPath);
});

test('what is no program is none: a folder, a file that may not run', () => {
  mkdirSync(join(folder, 'bin', 'python3'), { recursive: true });
  const plain = program('plain', 'python3');
  chmodSync(plain, 0o644);
  const found = findPython(folder, { PATH: `${join(folder, 'bin')}:${join(folder, 'plain')}` });
  expect(found).toMatchObject({ reason: 'there is no Python here' });
});

test('what WEBAPP_PYTHON names and is not there is not replaced', () => {
  program('bin', 'python3');
  const found = findPython(folder, { PATH: join(folder, 'bin'), WEBAPP_PYTHON: 'python9' });
  expect(found).toMatchObject({ reason: 'WEBAPP_PYTHON names python9, which is no program' });
});

test('the adapter is where it says', () => {
  expect(existsSync(adapterMain())).toBe(true);
});
