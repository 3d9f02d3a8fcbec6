import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parseWebApps } from '../../core/app/manifest-file.ts';
import { type Discovery, discover, type Found } from './discover.ts';
import { openFolder } from './folder.ts';
import { inferManifest, webAppName } from './inferred-manifest.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

type Files = Record<string, string>;

/** A name that ends with / is a folder. */
function look(files: Files, environment: Record<string, string> = {}, name = 'shop'): Discovery {
  const root = mkdtempSync(join(tmpdir(), 'discover-'));
  made.push(root);
  mkdirSync(join(root, name));
  for (const [file, text] of Object.entries(files)) {
    const path = join(root, name, file);
    mkdirSync(file.endsWith('/') ? path : dirname(path), { recursive: true });
    if (!file.endsWith('/')) writeFileSync(path, text);
  }
  return discover(openFolder(join(root, name)), environment);
}

function found(files: Files, environment?: Record<string, string>, name?: string): Found {
  const discovery = look(files, environment, name);
  if (!('found' in discovery)) throw new Error(`nothing found: ${discovery.rejected.join('; ')}`);
  return discovery.found;
}

const FLASK = 'from flask import Flask\napp = Flask(__name__)\n';
const FACTORY = 'from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n';

describe('Python', () => {
  test.each<[string, Files, string]>([
    ['app.py', { 'app.py': FLASK }, 'app:app'],
    ['wsgi.py', { 'wsgi.py': 'from shop import app as application', 'shop/__init__.py': FLASK }, 'wsgi:application'],
    ['main.py', { 'main.py': FLASK }, 'main:app'],
    ['application.py', { 'application.py': 'application = Flask(__name__)' }, 'application:application'],
    ['<folder>.py', { 'shop.py': FLASK }, 'shop:app'],
    ['a factory', { 'app.py': FACTORY }, 'app:create_app()'],
    ['make_app', { 'app.py': FACTORY.replace('create_app', 'make_app') }, 'app:make_app()'],
    [
      'a factory and a guard',
      { 'app.py': `${FACTORY}if __name__ == "__main__":\n  app = create_app()\n` },
      'app:create_app()',
    ],
    [
      'an instance before a factory',
      { 'app.py': FACTORY, 'wsgi.py': 'from app import create_app\napp = create_app()' },
      'wsgi:app',
    ],
    ['plain WSGI', { 'app.py': 'def app(environ, start_response):\n  return []' }, 'app:app'],
    ['an instance of another name', { 'app.py': 'from flask import Flask\nserver = Flask(__name__)' }, 'app:server'],
    [
      'a file of any name',
      { 'tutorial.py': 'from flask import Flask\nsite = Flask(__name__)', 'x.py': '' },
      'tutorial:site',
    ],
    ['a package', { 'shop/__init__.py': FLASK, 'tests/__init__.py': FLASK }, 'shop:app'],
    ['a module of a package', { 'store/__init__.py': '', 'store/wsgi.py': FLASK }, 'store.wsgi:app'],
    ['a package factory', { 'shop/__init__.py': FACTORY }, 'shop:create_app()'],
    ['the package of the folder’s name', { 'a/__init__.py': FLASK, 'shop/__init__.py': FLASK }, 'shop:app'],
    ['Dash', { 'app.py': 'import dash\napp = dash.Dash(__name__)\nserver = app.server' }, 'app:server'],
    ['Dash alone', { 'app.py': 'from dash import Dash\napp = Dash(__name__)' }, 'app:app.server'],
    ['Falcon', { 'app.py': 'import falcon\napp = falcon.App()' }, 'app:app'],
    [
      'an imported module is no application',
      { 'app.py': 'from shop import app', 'shop/__init__.py': FLASK, 'shop/app.py': 'x = 1' },
      'shop:app',
    ],
    ['Celery is no application', { 'app.py': 'app = Celery("x")', 'wsgi.py': FLASK }, 'wsgi:app'],
    [
      'FLASK_APP of .flaskenv',
      { '.flaskenv': 'FLASK_APP=hello.py\nFLASK_DEBUG=1', 'hello.py': FLASK, 'app.py': FLASK },
      'hello:app',
    ],
    [
      'FLASK_APP naming a factory',
      { '.flaskenv': 'FLASK_APP="shop:create_app"', 'shop.py': FACTORY },
      'shop:create_app()',
    ],
    [
      'FLASK_APP with arguments',
      { '.flaskenv': 'FLASK_APP="shop:create_app(\'dev\')"', 'shop.py': FACTORY },
      "shop:create_app('dev')",
    ],
    ['FLASK_APP that is gone falls back', { '.flaskenv': 'FLASK_APP=gone.py', 'app.py': FLASK }, 'app:app'],
    [
      'Procfile',
      {
        Procfile: 'release: x\nweb: gunicorn -w 4 shop.web:create_app() --log-file -',
        'shop/web.py': FACTORY,
        'app.py': FLASK,
      },
      'shop.web:create_app()',
    ],
    ['Procfile of Django', { Procfile: 'web: gunicorn mysite.wsgi', 'mysite/wsgi.py': '' }, 'mysite.wsgi:application'],
  ])('%s', (_, files, app) => {
    expect(found(files)).toMatchObject({ app, runtime: 'wsgi', source: '' });
  });

  test('FLASK_APP of the environment comes first', () => {
    expect(found({ 'other.py': FLASK, 'app.py': FLASK }, { FLASK_APP: 'other' }).app).toBe('other:app');
  });

  test('a src layout is served from src', () => {
    const files = { 'src/shop/__init__.py': FACTORY, 'src/shop/static/': '', 'pyproject.toml': '' };
    expect(found(files)).toMatchObject({
      app: 'shop:create_app()',
      source: 'src',
      statics: [{ path: '/static', from: 'shop/static' }],
    });
  });

  test('Flask’s static folder is served by the proxy', () => {
    expect(found({ 'app.py': FLASK, 'static/': '' }).statics).toEqual([{ path: '/static', from: 'static' }]);
    expect(found({ 'app.py': FLASK }).statics).toEqual([]);
    expect(
      found({ 'app.py': 'from flask import Flask\napp = Flask(__name__, static_url_path="/")', 'static/': '' }).statics,
    ).toEqual([]);
    expect(found({ 'app.py': 'def app(environ, start_response): pass', 'static/': '' }).statics).toEqual([]);
  });

  test.each<[string, Files, RegExp]>([
    [
      'ASGI',
      { 'app.py': 'from fastapi import FastAPI\napp = FastAPI()' },
      /app\.py: app is FastAPI, which speaks ASGI/,
    ],
    ['an ASGI factory', { 'app.py': 'from fastapi import FastAPI\ndef create_app():\n  pass' }, /ASGI/],
    ['an ASGI Procfile', { Procfile: 'web: uvicorn app:app' }, /Procfile runs an ASGI application/],
    [
      'a factory that needs arguments',
      { 'app.py': 'def create_app(config):\n  pass' },
      /create_app needs config: .*--app 'app:create_app/,
    ],
    [
      'several',
      { 'a.py': FLASK.replace('app =', 'x ='), 'b.py': FLASK.replace('app =', 'y =') },
      /several files make an application: a:x, b:y/,
    ],
    ['an empty folder', {}, /^$/],
  ])('not served: %s', (_, files, reason) => {
    const discovery = look(files);
    expect('rejected' in discovery && discovery.rejected.join('\n')).toMatch(reason);
  });
});

describe('Django', () => {
  const MANAGE = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')";
  const SETTINGS =
    "INSTALLED_APPS = ['django.contrib.staticfiles']\nWSGI_APPLICATION = 'mysite.wsgi.application'\nSTATIC_URL = 'static/'\n";

  test('the settings name the application', () => {
    const files = { 'manage.py': MANAGE, 'mysite/settings.py': SETTINGS, 'mysite/wsgi.py': '' };
    expect(found(files)).toMatchObject({ app: 'mysite.wsgi:application', framework: 'Django', statics: [] });
    expect(found(files).notes.join()).toMatch(/STATIC_ROOT/);
  });

  test.each<[string, Files]>([
    ['settings as a package', { 'mysite/settings/__init__.py': '', 'mysite/settings/base.py': SETTINGS }],
    ['settings that say nothing', { 'mysite/settings.py': '', 'mysite/wsgi.py': '' }],
  ])('%s', (_, files) => {
    expect(found({ 'manage.py': MANAGE, ...files }).app).toBe('mysite.wsgi:application');
  });

  test('a project in a folder of it', () => {
    const files = { 'backend/manage.py': MANAGE, 'backend/mysite/settings.py': SETTINGS };
    expect(found(files)).toMatchObject({ app: 'mysite.wsgi:application', source: 'backend' });
  });

  test.each<[string, string]>([
    ["STATIC_ROOT = BASE_DIR / 'staticfiles'", 'staticfiles'],
    ['STATIC_ROOT = os.path.join(BASE_DIR, "static_root/")', 'static_root'],
  ])('what collectstatic gathers is served by the proxy: %s', (line, from) => {
    const files = { 'manage.py': MANAGE, 'mysite/settings.py': `${SETTINGS}${line}\n` };
    expect(found(files).statics).toEqual([{ path: '/static', from }]);
    expect(found(files).notes.join()).toMatch(/collectstatic/);
    expect(found({ ...files, [`${from}/`]: '' }).notes).toEqual([]);
  });

  test('WhiteNoise serves its files itself', () => {
    const settings = `${SETTINGS}STATIC_ROOT = BASE_DIR / 'x'\nMIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']\n`;
    expect(found({ 'manage.py': MANAGE, 'mysite/settings.py': settings })).toMatchObject({ statics: [], notes: [] });
  });
});

describe('Node', () => {
  const pkg = (fields: object): string => JSON.stringify({ dependencies: { express: '*' }, ...fields });
  const SERVER = "const app = require('express')();\nmodule.exports = app;\n";

  test.each<[string, Files, string]>([
    [
      'the start script',
      { 'package.json': pkg({ scripts: { start: 'node server.js' } }), 'server.js': SERVER },
      'server.js',
    ],
    [
      'start with flags',
      {
        'package.json': pkg({
          scripts: { start: 'NODE_ENV=production node --enable-source-maps -r ./a.js lib/web.mjs --x' },
        }),
        'lib/web.mjs': SERVER,
      },
      'lib/web.mjs',
    ],
    [
      'start behind a build',
      { 'package.json': pkg({ scripts: { start: 'tsc && node dist/main' } }), 'dist/main.js': SERVER },
      'dist/main.js',
    ],
    ['nodemon', { 'package.json': pkg({ scripts: { start: 'npx nodemon ./index' } }), 'index.js': SERVER }, 'index.js'],
    ['node .', { 'package.json': pkg({ scripts: { start: 'node .' } }), 'index.js': SERVER }, 'index.js'],
    [
      'Express’s generator',
      {
        'package.json': pkg({ scripts: { start: 'node ./bin/www' } }),
        'bin/www': "var app = require('../app');",
        'app.js': SERVER,
      },
      'app.js',
    ],
    ['main', { 'package.json': pkg({ main: 'lib/index.js' }), 'lib/index.js': SERVER }, 'lib/index.js'],
    ['main that is not there', { 'package.json': pkg({ main: 'index.js' }), 'app.js': SERVER }, 'app.js'],
    [
      'main that is a library',
      { 'package.json': pkg({ main: 'index.js' }), 'index.js': 'exports.x = 1', 'server.js': SERVER },
      'server.js',
    ],
    [
      'no package.json',
      { 'server.mjs': "import { createServer } from 'node:http';\nexport default createServer(() => {});" },
      'server.mjs',
    ],
    [
      'fetch handler',
      { 'package.json': pkg({}), 'src/index.ts': 'export default { fetch(request: Request) {} }' },
      'src/index.ts',
    ],
  ])('%s', (_, files, app) => {
    expect(found(files)).toMatchObject({ app, runtime: 'node' });
  });

  test('flags that will not be used are said', () => {
    const files = {
      'package.json': pkg({ scripts: { start: 'node --env-file .env server.js' } }),
      'server.js': SERVER,
    };
    expect(found(files).notes).toEqual(['The flags --env-file .env of the start script are not used.']);
  });

  test.each<[string, Files, RegExp]>([
    ['a start that serves itself', { 'package.json': pkg({ scripts: { start: 'next start' } }) }, /start runs next/],
    ['a broken package.json', { 'package.json': '{' }, /not valid JSON/],
    ['a file outside', { 'package.json': pkg({ scripts: { start: 'node ../x.js' } }) }, /^$/],
    ['null', { 'package.json': 'null' }, /^$/],
  ])('not served: %s', (_, files, reason) => {
    const discovery = look(files);
    expect('rejected' in discovery && discovery.rejected.join('\n')).toMatch(reason);
  });

  test('beside a Python application: that is chosen, and how to choose otherwise is said', () => {
    const files = {
      'app.py': FLASK,
      'package.json': pkg({ scripts: { start: 'node server.js' } }),
      'server.js': SERVER,
    };
    expect(found(files)).toMatchObject({ app: 'app:app', runtime: 'wsgi' });
    expect(found(files).notes.join()).toMatch(/--app server\.js/);
    expect(found({ 'app.py': FLASK, 'package.json': pkg({ scripts: { build: 'vite build' } }) }).notes).toEqual([]);
  });
});

describe('the inferred manifest', () => {
  test.each<[Found]>([
    [found({ 'app.py': FLASK, 'static/': '' }, {}, 'My Shop_2')],
    [found({ 'src/shop/__init__.py': FACTORY })],
    [found({ 'package.json': '{"scripts": {"start": "node bin/www"}}', 'bin/www': 'x' })],
  ])('is one that validation takes', (one) => {
    const parsed = parseWebApps(inferManifest(one, 'My Shop_2'));
    expect(parsed.problems).toEqual([]);
    expect(parsed.webApps[0]?.webApp.spec.app).toBe(one.app);
    expect(parsed.webApps[0]?.webApp.metadata.name).toBe('my-shop-2');
  });

  test('reads as a person would write it', () => {
    expect(
      inferManifest(found({ 'app.py': FLASK, 'static/': '' }), 'shop'),
    ).toBe(`apiVersion: webapp-operator.io/v1alpha1
kind: WebApp
metadata:
  name: shop
spec:
  image: shop:latest # for Kubernetes; webapp up runs the source here
  app: app:app
  proxy:
    static:
      - path: /static
        from: static
`);
  });

  test.each([
    ['shop', 'shop'],
    ['Größe', 'gro-e'],
    ['Été', 'ete'],
    ['42', 'app'],
    ['2nd-shop', 'nd-shop'],
    ['a'.repeat(80), 'a'.repeat(50)],
    ['', 'app'],
  ])('name of %s', (folder, name) => {
    expect(webAppName(folder)).toBe(name);
  });
});
