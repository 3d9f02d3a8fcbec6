// Preload: the application is imported once, and processes are forked from there.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, inject, test } from 'vitest';
import { isAlive, Trial, type TrialOptions, type TrialProcess, until } from './trial.ts';

const directory = fileURLToPath(new URL('fixtures', import.meta.url));
const open: Trial[] = [];
afterEach(async () => {
  for (const trial of open.splice(0)) await trial.close();
});

function makeTrial(options: Partial<TrialOptions> = {}): Trial {
  const trial = new Trial({ python: inject('python'), app: 'busy:app', directory, preload: true, ...options });
  open.push(trial);
  return trial;
}

function parentOf(process: TrialProcess): number {
  return Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1]);
}

const askFor = async (process: TrialProcess, target: string) => (await process.ask({ target })).text;

test('processes share one import, and have pids and random numbers of their own', async () => {
  const trial = makeTrial();
  const processes = [trial.start(), trial.start(), trial.start()];
  for (const process of processes) await process.ready();
  const parent = parentOf(processes[0] as TrialProcess);
  for (const process of processes) {
    expect(process.told).toEqual(['pid', 'ready']);
    expect(await askFor(process, '/imported')).toBe(`${parent}`);
    expect(await askFor(process, '/pid')).toBe(`${process.pid}`);
  }
  const drawn = await Promise.all(processes.map((process) => askFor(process, '/random')));
  expect(new Set([...drawn, ...processes.map(({ pid }) => pid)]).size).toBe(6);
});

test('a process that comes later is forked from the same parent', async () => {
  const trial = makeTrial();
  const first = await trial.start().ready();
  const second = await trial.start().ready();
  expect(parentOf(second)).toBe(parentOf(first));
});

test.each([
  ['/die', { code: null, signal: 'SIGKILL' }],
  ['/exit', { code: 9, signal: null }],
])('how one ends by %s is told, and the others serve on', async (target, exit) => {
  const trial = makeTrial();
  const [doomed, other] = [await trial.start().ready(), await trial.start().ready()];
  expect((await doomed.ask({ target })).failed).toBe('died');
  expect(await doomed.exited()).toEqual(exit);
  expect(await askFor(other, '/pid')).toBe(`${other.pid}`);
});

test('stop, kill and dump reach the process', async () => {
  const trial = makeTrial({ threads: 2 });
  const [stopped, killed, dumped] = [trial.start(), trial.start(), trial.start()];
  for (const process of [stopped, killed, dumped]) await process.ready();
  stopped.child?.stop();
  killed.child?.kill(false);
  dumped.child?.kill(true);
  expect(await stopped.exited()).toEqual({ code: 0, signal: null });
  expect(await killed.exited()).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await dumped.exited()).toEqual({ code: null, signal: 'SIGABRT' });
  expect(trial.err).toContain('Fatal Python error: Aborted');
});

test('its processes outlive the parent, and the next is forked from a new one', async () => {
  const trial = makeTrial();
  const old = await trial.start().ready();
  const parent = parentOf(old);
  process.kill(parent, 'SIGKILL');
  await until(() => !isAlive(parent));
  expect(await askFor(old, '/pid')).toBe(`${old.pid}`);
  const next = await trial.start().ready();
  expect(parentOf(next)).not.toBe(parent);
  old.child?.stop();
  expect(await old.exited()).toEqual({ code: null, signal: null });
  expect(await askFor(next, '/imported')).toBe(`${parentOf(next)}`);
});

test('closing the runtime ends the parent when its last process has ended', async () => {
  const trial = makeTrial();
  const last = await trial.start().ready();
  const parent = parentOf(last);
  trial.runtime.close();
  trial.runtime.close();
  expect(await askFor(last, '/pid')).toBe(`${last.pid}`);
  last.child?.stop();
  expect(await last.exited()).toEqual({ code: 0, signal: null });
  await until(() => !isAlive(parent));
});

test('an import that fails is told to all that wait, and tried again for the next', async () => {
  const trial = makeTrial({ app: 'shop:app', directory: undefined, files: { 'shop.py': 'import nothing_like_it\n' } });
  const waiting = [trial.start(), trial.start()];
  for (const process of waiting) {
    expect(await process.exited()).toEqual({ code: 3, signal: null });
    expect(process.told).toEqual(['boot-failed', 'exit']);
    expect(process.failure?.reason).toBe("No module named 'nothing_like_it'");
  }
  writeFileSync(join(trial.folder, 'app', 'shop.py'), 'def app(environ, start_response):\n    pass\n');
  expect((await trial.start().ready()).told).toEqual(['pid', 'ready']);
});

test('a process asked for while a failed import still ends is told what the next import says', async () => {
  const trial = makeTrial({ app: 'shop:app', directory: undefined, files: { 'shop.py': 'import nothing_like_it\n' } });
  const first = trial.start();
  await until(() => first.failure !== null);
  const second = trial.start();
  await first.exited();
  await second.exited();
  expect(second.told).toEqual(['boot-failed', 'exit']);
});

test('an import that hangs can be killed, with its stack', async () => {
  const mark = join(makeTrial().folder, 'importing');
  const trial = makeTrial({ env: { TRIAL_SLOW_IMPORT: mark } });
  const waiting = [trial.start(), trial.start()];
  await until(() => existsSync(mark));
  waiting[0]?.child?.kill(true);
  for (const process of waiting) expect(await process.exited()).toEqual({ code: null, signal: 'SIGABRT' });
  expect(trial.err).toMatch(/busy\.py", line \d+ in <module>/);
});

test('a process withdrawn while the parent imports never comes', async () => {
  const mark = join(makeTrial().folder, 'importing');
  const trial = makeTrial({ env: { TRIAL_SLOW_IMPORT: mark } });
  const [withdrawn, other] = [trial.start(), trial.start()];
  await until(() => existsSync(mark));
  withdrawn.child?.stop();
  expect(await withdrawn.exited()).toEqual({ code: null, signal: null });
  expect(other.exit).toBeNull();
});

test('numpy’s generator is seeded anew in each process', async () => {
  const numpy = 'import os\nvalue = 0\ndef seed():\n    global value\n    value = os.getpid()\n';
  const app =
    'import numpy.random\ndef app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"%d" % numpy.random.value]\n';
  const files = { 'shop.py': app, 'numpy/__init__.py': '', 'numpy/random.py': numpy };
  const process = await makeTrial({ app: 'shop:app', directory: undefined, files }).start().ready();
  expect(await askFor(process, '/')).toBe(`${process.pid}`);
});

test('threads started by the import are warned of', async () => {
  const source =
    'import threading, time\nthreading.Thread(target=time.sleep, args=(600,), name="beat", daemon=True).start()\n';
  const trial = makeTrial({
    app: 'shop:app',
    directory: undefined,
    files: { 'shop.py': `${source}def app(environ, start_response):\n    pass\n` },
  });
  await trial.start().ready();
  expect(trial.err).toContain('the application starts threads when it is imported (beat)');
});
