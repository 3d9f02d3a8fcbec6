import { createServer } from 'node:net';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { EXIT_INTERNAL } from './failure.ts';
import { ANY_PORT, EXPRESS_APP, FLASK_APP, until, type WorkerPlan, WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest | undefined;
afterEach(() => worker?.close());

const start = (plan: Partial<WorkerPlan>): WorkerUnderTest => {
  worker = new WorkerUnderTest({
    files: {},
    args: [],
    ...plan,
    env: { WEBAPP_PYTHON: inject('python'), ...plan.env },
  });
  return worker;
};

describe('an application that does not start: one line with reason, mend and traceback, and exit code 3', () => {
  test.each<{ name: string; files: Record<string, string>; app: string; reason: RegExp; traceback: RegExp }>([
    {
      name: 'a module that is not installed',
      files: { 'app.py': 'import not_installed_anywhere\n' },
      app: 'app:app',
      reason: /not_installed_anywhere/,
      traceback: /File ".*app\.py", line 1/,
    },
    {
      name: 'a syntax error in Python',
      files: { 'app.py': 'def broken(:\n' },
      app: 'app:app',
      reason: /app\.py/,
      traceback: /SyntaxError/,
    },
    { name: 'no such module', files: {}, app: 'nowhere:app', reason: /nowhere/, traceback: /^/ },
    {
      name: 'a package that is not installed, in Node',
      files: { 'app.js': "require('not-installed-anywhere');\n" },
      app: 'app.js',
      reason: /not-installed-anywhere/,
      traceback: /app\.js:1/,
    },
    {
      name: 'a Python process that just exits',
      files: { 'app.py': 'import os; os._exit(9)\n' },
      app: 'app:app',
      reason: /9/,
      traceback: /^/,
    },
    {
      name: 'a Node process that just exits',
      files: { 'app.js': 'process.exit(9)\n' },
      app: 'app.js',
      reason: /9/,
      traceback: /^/,
    },
  ])('$name', async ({ files, app, reason, traceback }) => {
    const started = start({ files, args: [...ANY_PORT, '-w', '3', app] });
    expect(await started.ended()).toBe(3);
    const errors = started.lines.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      code: 'BOOT_FAILED',
      reason: expect.stringMatching(reason),
      mend: expect.stringMatching(/./),
      traceback: expect.stringMatching(traceback),
    });
  });
});

test('with retry it goes on trying ever more slowly, says why, and serves as soon as the application is mended', async () => {
  const args = [...ANY_PORT, '-w', '2', '--on-boot-error', 'retry', 'app:app'];
  const started = start({ files: { 'app.py': 'import not_installed_anywhere\n' }, args });
  await until('three tries', () => started.lines.filter(({ code }) => code === 'BOOT_FAILED').length >= 3);
  expect(started.hasEnded).toBe(false);
  const ready = await started.askAdmin('/readyz');
  expect(ready).toMatchObject({ status: 503, text: expect.stringMatching(/not_installed_anywhere/) });
  const { deaths, state } = await started.status();
  expect(state).toBe('starting');
  expect(deaths[0]).toMatchObject({ cause: 'boot', traceback: expect.stringMatching(/not_installed_anywhere/) });
  started.write('app.py', FLASK_APP);
  await started.ready(2);
  expect((await started.ask('/')).status).toBe(200);
});

describe('a worker that cannot start: one line, and the exit code of its kind', () => {
  test('an address that is taken: 1, and no process is left', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const started = start({ files: { 'app.js': EXPRESS_APP }, args: ['--bind', `127.0.0.1:${port}`, 'app.js'] });
    expect(await started.ended()).toBe(1);
    taken.close();
    expect(started.lines).toHaveLength(1);
    expect(started.lines[0]).toMatchObject({
      level: 'error',
      code: 'ADDRESS_IN_USE',
      mend: expect.stringMatching(/./),
    });
  });

  test('flags that are not understood: 2', async () => {
    const started = start({ args: ['--workers', 'many', 'app:app'] });
    expect(await started.ended()).toBe(2);
    expect(started.lines).toMatchObject([
      { level: 'error', code: 'USAGE', reason: expect.stringMatching(/--workers/) },
    ]);
  });

  test('a document that is not valid: 2, with every problem', async () => {
    const started = start({ files: { 'w.json': '{"kind":"WorkerConfig"}' }, args: ['--config', 'w.json'] });
    expect(await started.ended()).toBe(2);
    expect(started.lines).toMatchObject([{ level: 'error', code: 'CONFIG_INVALID' }]);
    expect(Array.isArray(started.lines[0]?.['problems']) && started.lines[0]['problems'].length).toBeGreaterThan(5);
  });

  test('no folder for its sockets: an internal error, said', async () => {
    const started = start({
      files: { 'app.js': EXPRESS_APP },
      args: [...ANY_PORT, 'app.js'],
      env: { TMPDIR: '/nonexistent', XDG_RUNTIME_DIR: '/nonexistent' },
    });
    expect(await started.ended()).toBe(EXIT_INTERNAL);
    expect(started.lines).toMatchObject([{ level: 'error', reason: expect.stringMatching(/\/nonexistent/) }]);
  });
});

test('--help and --version', async () => {
  const help = start({ args: ['--help'] });
  expect(await help.ended()).toBe(0);
  expect(help.output).toMatch(/--workers/);
  await help.close();
  const version = start({ args: ['--version'] });
  expect(await version.ended()).toBe(0);
  expect(version.output).toMatch(/^webapp-worker \d+\.\d+\.\d+\n$/);
});
