import { createServer } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FLASK, folderOf, leftBehind, manifest, up } from './webapp-up.ts';

vi.setConfig({ testTimeout: 120_000 });

test('a taken port: who has it, and which can be had', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const running = up(folderOf({ 'app.py': FLASK }), `--port ${port}`);
  expect(await running.ended).toBe(1);
  expect(running.output()).toMatch(
    new RegExp(`✗ 127\\.0\\.0\\.1:${port} is taken by .* \\(process ${process.pid}\\)\n +→ .*--port \\d+`),
  );
});

test.each<[string, Record<string, string>, RegExp[]]>([
  [
    'a missing module',
    { 'app.py': 'import nowhere_to_be_found\napp = 1' },
    [/ModuleNotFoundError/, /✗ No module named 'nowhere_to_be_found'\n +→ .*install nowhere-to-be-found/],
  ],
  [
    'a syntax error',
    { 'app.py': 'from flask import Flask\napp = Flask(__name__)\ndef x(:\n' },
    [/app\.py", line 3/, /✗ SyntaxError in app\.py:3/],
  ],
  [
    'an error of the application',
    { 'app.py': 'app = None\nraise RuntimeError("no database")' },
    [/RuntimeError: no database/, /✗ .*no database/],
  ],
  [
    'broken YAML',
    { 'webapp.yaml': 'kind: WebApp\nspec: [', 'app.py': FLASK },
    [/webapp\.yaml:\d: not valid YAML: /, /✗ the manifest is not valid/],
  ],
  [
    'an invalid manifest',
    { 'webapp.yaml': manifest('Shop', 'app: app:app, workers: {processes: x}') },
    [/webapp\.yaml:3: metadata\.name is "Shop"/, /webapp\.yaml:4: spec\.workers\.processes is "x"/],
  ],
  [
    'a source that is not there',
    { 'webapp.yaml': manifest('shop', 'app: app:app', 'gone') },
    [/there is no folder .*\/gone/],
  ],
  ['nothing', { 'notes.txt': '' }, [/✗ no application was found here/, /--app shop:app/]],
  ['ASGI', { 'app.py': 'from fastapi import FastAPI\napp = FastAPI()' }, [/app is FastAPI, which speaks ASGI/]],
])('%s: one message, exit code 1, nothing left', async (_, files, patterns) => {
  const running = up(folderOf(files));
  expect(await running.ended).toBe(1);
  for (const pattern of patterns) expect(running.output()).toMatch(pattern);
  expect(running.output().match(/✗/g)).toHaveLength(1);
  expect(leftBehind(running.pid)).toEqual([]);
});

test('no Python', async () => {
  const running = up(folderOf({ 'app.py': FLASK }), '--port 0', { VIRTUAL_ENV: '', PATH: '/nowhere' });
  expect(await running.ended).toBe(1);
  expect(running.output()).toMatch(/✗ there is no Python here: python3 is not on the PATH\n +→ install Python 3/);
});

test('one of two that cannot start is named, and the other is not left running', async () => {
  const files = {
    'webapp.yaml': `${manifest('good', 'app: app:app')}---\n${manifest('bad', 'app: gone:app')}`,
    'app.py': FLASK,
  };
  const running = up(folderOf(files));
  expect(await running.ended).toBe(1);
  expect(running.output()).toMatch(/✗ bad: .*gone/);
  expect(leftBehind(running.pid)).toEqual([]);
});
