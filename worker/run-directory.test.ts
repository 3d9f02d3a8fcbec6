import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRunDirectory } from './run-directory.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'run-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const makeOld = (path: string): void => utimesSync(path, 1, 1);

test('it is private, and gone after close', async () => {
  const directory = await openRunDirectory([parent]);
  expect(statSync(directory.path).mode & 0o777).toBe(0o700);
  writeFileSync(join(directory.path, 'body'), 'x');
  directory.close();
  directory.close();
  expect(existsSync(directory.path)).toBe(false);
});

test('what a dead worker left is swept, what a living one has is not', async () => {
  const living = await openRunDirectory([parent]);
  const dead = join(parent, 'webapp-worker-dead');
  mkdirSync(dead);
  writeFileSync(join(dead, 'body'), 'x');
  makeOld(dead);
  makeOld(living.path);
  const next = await openRunDirectory([parent]);
  expect(existsSync(dead)).toBe(false);
  expect(existsSync(living.path)).toBe(true);
  living.close();
  next.close();
});

test('a folder that is just being made is not swept', async () => {
  const young = join(parent, 'webapp-worker-young');
  mkdirSync(young);
  (await openRunDirectory([parent])).close();
  expect(existsSync(young)).toBe(true);
});

test('nothing is removed through a symbolic link, nor by a name alone', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  const link = join(parent, 'webapp-worker-link');
  const other = join(parent, 'other');
  symlinkSync(elsewhere, link);
  mkdirSync(other);
  makeOld(other);
  makeOld(elsewhere);
  (await openRunDirectory([parent])).close();
  expect(existsSync(elsewhere) && existsSync(link) && existsSync(other)).toBe(true);
  rmSync(elsewhere, { recursive: true });
});

test('the first parent that serves is taken; none says why each does not', async () => {
  const missing = join(parent, 'missing');
  const long = join(parent, 'x'.repeat(100));
  mkdirSync(long);
  const directory = await openRunDirectory([missing, long, parent]);
  expect(directory.path.startsWith(join(parent, 'webapp-worker-'))).toBe(true);
  directory.close();
  await expect(openRunDirectory([missing, long])).rejects.toThrow(/ENOENT.*too long/);
});
