import { readdirSync } from 'node:fs';
import { afterEach, expect, inject, test } from 'vitest';
import { ANY_PORT, EXPRESS_APP, FLASK_APP, isAlive, until, WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest | undefined;
afterEach(() => worker?.close());

test.each<{ name: string; args: string[] }>([
  { name: 'Flask', args: ['app:app'] },
  { name: 'Flask, preloaded', args: ['--preload', 'app:app'] },
  { name: 'Express', args: ['app.js'] },
])('$name: a killed supervisor leaves no process behind, busy and hung ones included', async ({ args }) => {
  worker = new WorkerUnderTest({
    files: { 'app.py': FLASK_APP, 'app.js': EXPRESS_APP },
    args: [...ANY_PORT, '-w', '3', ...args],
    env: { WEBAPP_PYTHON: inject('python') },
  });
  await worker.ready(3);
  const started = worker;
  // Their answers never come.
  for (const path of ['/hang', '/slow?s=20']) started.ask(path).catch(() => {});
  await until('two busy processes', async () => (await started.status()).processes.busy === 2);
  const pids = (await started.status()).list.map(({ pid }) => pid);
  expect(pids.filter(isAlive)).toHaveLength(3);
  started.kill('SIGKILL');
  await started.ended();
  await until('the end of its processes', () => !pids.some(isAlive));
});

test('the private folder of a worker is gone when it has ended', async () => {
  const plan = { files: { 'app.js': EXPRESS_APP }, args: [...ANY_PORT, '-w', '1', 'app.js'] };
  worker = new WorkerUnderTest(plan);
  await worker.ready(1);
  expect(readdirSync(worker.temporary)).toHaveLength(1);
  worker.kill('SIGTERM');
  expect(await worker.ended()).toBe(0);
  expect(readdirSync(worker.temporary)).toEqual([]);
});
