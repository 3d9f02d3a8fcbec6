import { afterEach, describe, expect, inject, test } from 'vitest';
import { ANY_PORT, until, WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest | undefined;
afterEach(() => worker?.close());

const flask = (answer: string) =>
  `from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index():\n    return '${answer}'\n`;
const express = (answer: string) =>
  `const app = require('express')();\napp.get('/', (request, response) => response.send('${answer}'));\nmodule.exports = app;\n`;

describe.each([
  { file: 'app.py', app: 'app:app', code: flask, broken: 'import not_installed_anywhere\n' },
  { file: 'app.js', app: 'app.js', code: express, broken: "require('not_installed_anywhere');\n" },
])('$file', ({ file, app, code, broken }) => {
  test('after a reload every answer is of the new code, or its failure', async () => {
    worker = new WorkerUnderTest({
      files: { [file]: code('version 0') },
      args: [...ANY_PORT, '-w', '2', '--development', '--on-boot-error', 'retry', app],
      env: { WEBAPP_PYTHON: inject('python') },
    });
    const started = await worker.ready(2);
    const reload = async (times: number, content: string): Promise<void> => {
      started.write(file, content);
      started.kill('SIGHUP');
      const reloads = () => started.lines.filter(({ msg }) => `${msg}`.startsWith('reload')).length;
      await until('the reload', () => reloads() === times);
    };

    for (const version of [1, 2]) {
      await reload(version, code(`version ${version}`));
      const answers = await Promise.all(Array.from({ length: 5 }, () => started.ask('/')));
      expect(answers.map(({ text }) => text)).toEqual(Array(5).fill(`version ${version}`));
    }

    await reload(3, broken);
    const failure = await started.ask('/');
    expect(failure.status).toBe(500);
    expect(failure.text).toMatch(/not_installed_anywhere/);

    await reload(4, code('version 4'));
    expect(await started.ask('/')).toMatchObject({ status: 200, text: 'version 4' });
  });
});

test('in production, new code that does not start leaves the old serving, and the status says why', async () => {
  worker = new WorkerUnderTest({
    files: { 'app.py': flask('old') },
    args: [...ANY_PORT, '-w', '2', 'app:app'],
    env: { WEBAPP_PYTHON: inject('python'), PYTHONDONTWRITEBYTECODE: '1' },
  });
  const started = await worker.ready(2);
  started.write('app.py', 'import not_installed_anywhere\n');
  started.kill('SIGHUP');
  await until('the failure', async () => (await started.status()).deaths.some(({ cause }) => cause === 'boot'));
  expect(await started.ask('/')).toMatchObject({ status: 200, text: 'old' });
  expect((await started.status()).processes.ready).toBe(2);
  started.write('app.py', flask('new'));
  await until('the new code', async () => (await started.ask('/')).text === 'new');
});
