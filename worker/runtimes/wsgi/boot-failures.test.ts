// An application that cannot be imported: what its person is told.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { makeWsgiRuntime } from '../wsgi.ts';
import { Trial, type TrialOptions, until } from './trial.ts';

const WSGI = 'def app(environ, start_response):\n    pass\n';
const FLASK = 'from flask import Flask, current_app, request\nsite = Flask(__name__)\n';

type Failing = Pick<TrialOptions, 'app' | 'files' | 'env'>;

async function failureOf(failing: Failing) {
  const trial = new Trial({ python: inject('python'), ...failing });
  const process = trial.start();
  await process.exited();
  await trial.close();
  expect(process).toMatchObject({ exit: { code: 3, signal: null }, told: ['pid', 'boot-failed', 'exit'] });
  const { reason = '', mend = '', traceback = '' } = process.failure ?? {};
  return { reason, mend, traceback };
}

test.each<[string, Failing, RegExp, RegExp]>([
  [
    'a module that is not there',
    { app: 'shpo:app', files: { 'shop.py': WSGI } },
    /^There is no module shpo in .*app$/,
    /^Did you mean shop\?$/,
  ],
  [
    'a module that is nowhere near',
    { app: 'xyz:app', files: { 'shop.py': WSGI, 'lib/__init__.py': '' } },
    /^There is no module xyz in/,
    /there are: lib, shop\.$/,
  ],
  [
    'a module of a package',
    { app: 'shop.wgsi:app', files: { 'shop/__init__.py': '', 'shop/wsgi.py': WSGI } },
    /^There is no module wgsi in .*shop$/,
    /^Did you mean shop\.wsgi\?$/,
  ],
  [
    'a file instead of a module',
    { app: 'shop.py:app', files: { 'shop.py': WSGI } },
    /does not name a Python module$/,
    /^Write it as a module: shop$/,
  ],
  [
    'a path instead of a module',
    { app: './src/shop.py', files: { 'shop.py': WSGI } },
    /does not name a Python module$/,
    /^Write it as a module: src\.shop$/,
  ],
  [
    'a package that is not installed',
    { app: 'shop:app', files: { 'shop.py': 'import yaml_of_nobody\n' } },
    /^No module named 'yaml_of_nobody'$/,
    /-m pip install yaml-of-nobody$/,
  ],
  [
    'a package that is not installed, with requirements.txt',
    { app: 'shop:app', files: { 'shop.py': 'import PIL.Image\n', 'requirements.txt': 'Pillow\n' } },
    /^No module named 'PIL'$/,
    /-m pip install -r requirements\.txt \(list Pillow there/,
  ],
  [
    'a misspelt module of its own',
    { app: 'shop:app', files: { 'shop.py': 'import modles\n', 'models.py': '' } },
    /^No module named 'modles'$/,
    /^Did you mean models\?/,
  ],
  [
    'a missing attribute',
    { app: 'shop:ap', files: { 'shop.py': WSGI } },
    /^shop has no ap$/,
    /^Did you mean app\? What looks like an application there: app\.$/,
  ],
  [
    'a missing attribute, with Flask around',
    { app: 'shop:app', files: { 'shop.py': FLASK } },
    /^shop has no app$/,
    /What looks like an application there: site\.$/,
  ],
  [
    'a missing attribute of an attribute',
    { app: 'shop:site.wsgi_ap', files: { 'shop.py': FLASK } },
    /^Flask has no wsgi_ap$/,
    /^Did you mean wsgi_app\?|What looks like/,
  ],
  [
    'a module alone without a usual name',
    { app: 'shop', files: { 'shop.py': 'def create_app():\n    pass\n' } },
    /^shop has neither app nor application$/,
    /create_app/,
  ],
  [
    'a syntax error',
    { app: 'shop:app', files: { 'shop.py': 'x = 1\ndef f(:\n' } },
    /^SyntaxError in shop\.py:2: /,
    /^Correct shop\.py:2\.$/,
  ],
  [
    'a wrong indentation in another file',
    { app: 'shop:app', files: { 'shop.py': 'import lib.a\n', 'lib/a.py': 'if 1:\nx = 1\n' } },
    /^IndentationError in lib\/a\.py:2: /,
    /^Correct lib\/a\.py:2\.$/,
  ],
  [
    'an error while it is imported',
    { app: 'shop:app', files: { 'shop.py': 'import os\nos.environ["SECRET_KEY"]\n' } },
    /^shop could not be imported: KeyError: 'SECRET_KEY'$/,
    /^The traceback says where/,
  ],
  [
    'a name that cannot be imported',
    { app: 'shop:app', files: { 'shop.py': 'from os import nothing\n' } },
    /ImportError: cannot import name 'nothing' from 'os'/,
    /^The traceback says where/,
  ],
  [
    'an exit while it is imported',
    { app: 'shop:app', files: { 'shop.py': 'import sys\nsys.exit("no configuration")\n' } },
    /SystemExit: no configuration$/,
    /^The traceback says where/,
  ],
  [
    'an ASGI function',
    { app: 'shop:app', files: { 'shop.py': 'async def app(scope, receive, send):\n    pass\n' } },
    /^shop:app is an ASGI application \(function\), not WSGI$/,
    /^Only WSGI applications run now/,
  ],
  [
    'an ASGI object, as FastAPI’s',
    {
      app: 'shop:app',
      files: {
        'shop.py':
          'class FastAPI:\n    async def __call__(self, scope, receive, send):\n        pass\napp = FastAPI()\n',
      },
    },
    /is an ASGI application \(shop\.FastAPI\)/,
    /FastAPI/,
  ],
  [
    'what cannot be called',
    { app: 'shop:app', files: { 'shop.py': 'app = 3\n' } },
    /^shop:app is not callable: it is an int$/,
    /^Name the application itself/,
  ],
  [
    'a factory that is not called',
    { app: 'shop:create_app', files: { 'shop.py': 'def create_app(config=None, debug=False):\n    pass\n' } },
    /is a function that does not take \(environ, start_response\)$/,
    /^If it makes the application, call it: shop:create_app\(\)$/,
  ],
  [
    'a factory that forgets to return',
    { app: 'shop:create_app()', files: { 'shop.py': 'def create_app():\n    pass\n' } },
    /^create_app\(\) returned None$/,
    /return app/,
  ],
  [
    'a factory that fails',
    { app: 'shop:create_app("x")', files: { 'shop.py': 'def create_app(name):\n    raise ValueError(name)\n' } },
    /^create_app\("x"\) failed: ValueError: x$/,
    /^The traceback says where/,
  ],
  [
    'arguments that are no literals',
    { app: 'shop:create_app(__import__("os").getcwd())', files: { 'shop.py': 'def create_app(x):\n    return x\n' } },
    /are not literals$/,
    /^Give plain values only/,
  ],
  [
    'an expression',
    { app: 'shop:[app][0]', files: { 'shop.py': WSGI } },
    /is not a name of an application$/,
    /^Write a name, a dotted name, or a call/,
  ],
])('%s', async (_name, failing, reason, mend) => {
  const failure = await failureOf(failing);
  expect(failure.reason).toMatch(reason);
  expect(failure.mend).toMatch(mend);
});

test('the traceback is the application’s own, without ours and the import machinery’s', async () => {
  const { traceback } = await failureOf({
    app: 'shop:app',
    files: { 'shop.py': 'import lib\n', 'lib.py': 'def f():\n    return 1 / 0\nf()\n' },
  });
  const frames = [...traceback.matchAll(/File "([^"]+)", line (\d+)/g)].map(([, file, line]) => [
    file?.split('/').at(-1),
    line,
  ]);
  expect(frames).toEqual([
    ['shop.py', '1'],
    ['lib.py', '3'],
    ['lib.py', '2'],
  ]);
  expect(traceback).toMatch(/^Traceback \(most recent call last\):\n/);
  expect(traceback).toMatch(/ZeroDivisionError: division by zero\n$/);
});

test('an endless traceback is shortened', async () => {
  const source = `raise ValueError("x" * 1_000_000)\n`;
  const { reason, traceback } = await failureOf({ app: 'shop:app', files: { 'shop.py': source } });
  expect(traceback.length).toBeLessThan(40_000);
  expect(reason.length).toBeLessThan(2000);
});

test.each<[string, Readonly<Record<string, string>>, RegExp, RegExp]>([
  [
    'WEBAPP_PYTHON that is not there',
    { WEBAPP_PYTHON: '/nonexistent/python' },
    /WEBAPP_PYTHON names \/nonexistent/,
    /WEBAPP_PYTHON/,
  ],
  [
    'no Python at all',
    { WEBAPP_PYTHON: '', VIRTUAL_ENV: '', PATH: '/nonexistent' },
    /no Python/,
    /^Install Python 3\.9/,
  ],
])('%s', async (_name, env, reason, mend) => {
  const told: string[] = [];
  let failure = { reason: '', mend: '' };
  await withRuntime(env, (runtime) => {
    runtime.start(1, {
      onPid: () => told.push('pid'),
      onReady: () => told.push('ready'),
      onBootFailed: (failed) => {
        told.push('boot-failed');
        failure = failed;
      },
      onExit: () => told.push('exit'),
    });
    expect(told).toEqual([]); // never before start has returned
    return until(() => told.includes('exit'));
  });
  expect(told).toEqual(['boot-failed', 'exit']);
  expect(failure.reason).toMatch(reason);
  expect(failure.mend).toMatch(mend);
});

async function withRuntime(
  env: Readonly<Record<string, string>>,
  use: (runtime: ReturnType<typeof makeWsgiRuntime>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wsgi-python-'));
  mkdirSync(join(folder, 'run'));
  const limits = { bodyBytes: 1, bodyMemoryBytes: 1, headBytes: 1024, responseBufferBytes: 1024, connections: 1 };
  const spec = { app: 'a:b', env, threads: 1, preload: false, directory: folder, development: false };
  const log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log };
  const runtime = makeWsgiRuntime({ ...spec, trustForwarded: true, limits }, join(folder, 'run'), log);
  await use(runtime);
  runtime.close();
  runtime.close();
  rmSync(folder, { recursive: true });
}
