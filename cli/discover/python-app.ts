// Finds a WSGI application in a folder as Flask's and gunicorn's users name them. Pure over the folder's text.
import { findDjango } from './django.ts';
import { variablesOf } from './dot-env.ts';
import type { SourceFolder } from './folder.ts';
import type { Found, Rejections, StaticFolder } from './found.ts';
import { servedByProcfile } from './procfile.ts';
import { type Binding, topLevelBindings } from './python-source.ts';

/** Frameworks whose applications speak WSGI: the last part of what is called to make one. */
const WSGI_CALLS: Readonly<Record<string, string>> = {
  Flask: 'Flask',
  APIFlask: 'Flask',
  OpenAPI: 'Flask',
  Bottle: 'Bottle',
  default_app: 'Bottle',
  get_wsgi_application: 'Django',
  make_wsgi_app: 'Pyramid',
  Dash: 'Dash',
};
const ASGI_CALLS = new Set([
  'FastAPI',
  'Starlette',
  'Quart',
  'Litestar',
  'Sanic',
  'BlackSheep',
  'get_asgi_application',
]);
const OTHER_CALLS = new Set(['Celery', 'Typer', 'Tk', 'QApplication', 'Application', 'Huey', 'App']);

const MODULES = ['app', 'wsgi', 'main', 'application'];
const LATER_MODULES = ['run', 'server', 'api', 'web', 'index', 'hello'];
const NOT_PACKAGES = new Set(['tests', 'test', 'docs', 'migrations', 'venv', 'env', 'node_modules', 'build', 'dist']);
const MAX_MODULES = 100;

/** @param environment FLASK_APP is read from it, as `flask run` does */
export function findPythonApp(
  folder: SourceFolder,
  environment: Readonly<Record<string, string | undefined>>,
  rejected: Rejections,
): Found | undefined {
  return (
    findNamedByFlask(folder, environment, rejected) ??
    findNamedByProcfile(folder, rejected) ??
    findDjango(folder) ??
    findInModules(folder, rejected) ??
    findInSourceLayout(folder, rejected)
  );
}

// ── named by the person ──

function findNamedByFlask(
  folder: SourceFolder,
  environment: Readonly<Record<string, string | undefined>>,
  rejected: Rejections,
): Found | undefined {
  const places = [
    ['FLASK_APP of the environment', environment['FLASK_APP']],
    ['FLASK_APP of .env', variablesOf(folder.read('.env'))['FLASK_APP']],
    ['FLASK_APP of .flaskenv', variablesOf(folder.read('.flaskenv'))['FLASK_APP']],
  ] as const;
  for (const [where, value] of places) {
    if (!value) continue;
    const found = appNamed(folder, value);
    if (found) return { ...found, evidence: `${where} (${value})` };
    rejected.push(`${where} is ${value}, which is not here`);
  }
  return undefined;
}

function findNamedByProcfile(folder: SourceFolder, rejected: Rejections): Found | undefined {
  const served = servedByProcfile(folder.read('Procfile'), rejected);
  if (!served) return undefined;
  const inside = served.folder === '' ? folder : folder.enter(served.folder);
  const target = served.target.includes(':') ? served.target : `${served.target}:application`;
  const found = appNamed(inside, target);
  return found && { ...found, source: served.folder, evidence: `Procfile (${served.line})` };
}

/** @param value `hello`, `hello.py`, `src/hello.py`, `shop:app`, `shop:create_app` or `shop:create_app()` */
function appNamed(folder: SourceFolder, value: string): Found | undefined {
  const match = /^([^:]+?)(?::(.+))?$/.exec(value.trim());
  const module = (match?.[1] ?? '').replace(/\.py$/, '').replace(/^\.\//, '').replaceAll('/', '.');
  const candidate = moduleAt(folder, module);
  if (!candidate) return undefined;
  const name = match?.[2];
  if (name === undefined) return pickInstance(candidate, []) ?? pickFactory(candidate, []);
  const binding = candidate.bindings.find((each) => each.name === name);
  const callable = binding?.kind === 'function' ? `${name}()` : name;
  return foundIn(candidate, callable, `${candidate.file} (${callable})`, binding);
}

// ── app.py, wsgi.py, packages ──

interface Module {
  readonly folder: SourceFolder;
  /** As imported: `shop.wsgi`. */
  readonly name: string;
  /** Relative to the folder: `shop/wsgi.py`. */
  readonly file: string;
  readonly source: string;
  readonly bindings: readonly Binding[];
}

/** An instance anywhere goes before a factory; the folder's own modules go before its packages. */
function findInModules(folder: SourceFolder, rejected: Rejections): Found | undefined {
  const usual = [...MODULES, identifierOf(folder.name), ...LATER_MODULES].flatMap((name) => rootModule(folder, name));
  const packaged = packageModules(folder);
  return (
    firstOf(usual, pickInstance, rejected) ??
    firstOf(usual, pickFactory, rejected) ??
    firstOf(packaged, pickInstance, rejected) ??
    firstOf(packaged, pickFactory, rejected) ??
    findSingleFrameworkModule(folder, rejected)
  );
}

/** `src/shop/__init__.py`: the source is then `src`. */
function findInSourceLayout(folder: SourceFolder, rejected: Rejections): Found | undefined {
  if (!folder.isFolder('src')) return undefined;
  const inner = folder.enter('src');
  const found = findDjango(inner) ?? findInModules(inner, rejected);
  return found && { ...found, source: 'src', evidence: `src/${found.evidence}` };
}

/** A file of any name that makes an application of a known framework, when it is the only one. */
function findSingleFrameworkModule(folder: SourceFolder, rejected: Rejections): Found | undefined {
  const modules = folder.files
    .filter((file) => /^[A-Za-z_]\w*\.py$/.test(file) && !/^(test_|conftest|setup\.py)/.test(file))
    .slice(0, MAX_MODULES)
    .flatMap((file) => rootModule(folder, file.slice(0, -3)));
  const found = modules.flatMap((module) => pickFramework(module) ?? []);
  if (found.length > 1) rejected.push(`several files make an application: ${found.map((one) => one.app).join(', ')}`);
  return found.length === 1 ? found[0] : undefined;
}

function firstOf(
  modules: readonly Module[],
  pick: (module: Module, rejected: Rejections) => Found | undefined,
  rejected: Rejections,
): Found | undefined {
  for (const module of modules) {
    const found = pick(module, rejected);
    if (found) return found;
  }
  return undefined;
}

function packageModules(folder: SourceFolder): Module[] {
  const packages = folder.folders.filter((name) => !NOT_PACKAGES.has(name) && folder.isFile(`${name}/__init__.py`));
  const own = identifierOf(folder.name);
  packages.sort((a, b) => Number(b === own) - Number(a === own));
  return packages
    .slice(0, MAX_MODULES)
    .flatMap((name) => [name, ...MODULES.map((module) => `${name}.${module}`)])
    .flatMap((name) => moduleAt(folder, name) ?? []);
}

function rootModule(folder: SourceFolder, name: string): Module[] {
  if (!folder.isFile(`${name}.py`)) return [];
  return [readModule(folder, name, `${name}.py`)];
}

function moduleAt(folder: SourceFolder, name: string): Module | undefined {
  const path = name.replaceAll('.', '/');
  const file = [`${path}.py`, `${path}/__init__.py`].find((each) => folder.isFile(each));
  return file === undefined ? undefined : readModule(folder, name, file);
}

function readModule(folder: SourceFolder, name: string, file: string): Module {
  const source = folder.read(file);
  return { folder, name, file, source, bindings: topLevelBindings(source) };
}

// ── one module ──

/** `app`, `application`, else any one application of a known framework. */
function pickInstance(module: Module, rejected: Rejections): Found | undefined {
  for (const name of ['app', 'application']) {
    const binding = module.bindings.findLast((each) => each.name === name);
    if (binding && isApplication(module, binding, rejected)) return instanceOf(module, binding);
  }
  return pickFramework(module);
}

function pickFramework(module: Module): Found | undefined {
  const made = module.bindings.filter((binding) => frameworkOf(binding) !== undefined);
  return made[0] && made.length === 1 ? instanceOf(module, made[0]) : undefined;
}

/** `create_app()`, `make_app()`, when it can be called without arguments. */
function pickFactory(module: Module, rejected: Rejections): Found | undefined {
  for (const name of ['create_app', 'make_app']) {
    const binding = module.bindings.findLast((each) => each.name === name);
    if (!binding || binding.kind === 'class' || binding.kind === 'assignment') continue;
    const required = binding.required ?? [];
    if (binding.kind === 'coroutine' || makesAsgi(module)) {
      rejected.push(`${module.file}: ${name}() makes an ASGI application, which is not served yet: only WSGI is`);
    } else if (required.length > 0) {
      const list = required.map((each) => each.replace('*', '')).join(', ');
      rejected.push(`${module.file}: ${name} needs ${list}: name the call with --app '${module.name}:${name}(…)'`);
    } else {
      return foundIn(module, `${name}()`, `${module.file} (${name}())`, undefined);
    }
  }
  return undefined;
}

function isApplication(module: Module, binding: Binding, rejected: Rejections): boolean {
  const { kind, required = [] } = binding;
  const called = lastPart(binding.callee);
  if (kind === 'class') return false;
  if (kind === 'import') return !isModule(module, binding);
  if (kind === 'coroutine' || ASGI_CALLS.has(called)) {
    const what = kind === 'coroutine' ? 'a coroutine' : called;
    rejected.push(`${module.file}: ${binding.name} is ${what}, which speaks ASGI: only WSGI is served yet`);
    return false;
  }
  if (kind === 'function') return required.length === 2;
  return !OTHER_CALLS.has(called) || binding.callee === 'falcon.App';
}

/** `from shop import app` may bind the module shop/app.py, which is no callable. */
function isModule(module: Module, binding: Binding): boolean {
  const inside = module.file.includes('/') ? module.name.split('.')[0] : '';
  const from = (binding.module ?? '').replace(/^\.+/, inside ? `${inside}.` : '').replace(/\.$/, '');
  return moduleAt(module.folder, [from, binding.name].filter(Boolean).join('.')) !== undefined;
}

/** Plotly's Dash keeps its Flask application in `.server`, which its users bind to a name of their own. */
function instanceOf(module: Module, binding: Binding): Found {
  const server = lastPart(binding.callee) === 'Dash' && module.bindings.find((each) => each.name === 'server');
  const name = server ? 'server' : lastPart(binding.callee) === 'Dash' ? `${binding.name}.server` : binding.name;
  const call = binding.callee ? `${binding.callee}(…)` : binding.kind === 'import' ? `from ${binding.module}` : '…';
  return foundIn(module, name, `${module.file} (${binding.name} = ${call})`.replace('= from', 'from'), binding);
}

function foundIn(module: Module, callable: string, evidence: string, binding: Binding | undefined): Found {
  const framework = (binding && frameworkOf(binding)) ?? frameworkImported(module);
  return {
    app: `${module.name}:${callable}`,
    runtime: 'wsgi',
    framework: framework ?? 'Python',
    evidence,
    source: '',
    statics: framework === 'Flask' ? flaskStatics(module) : [],
    notes: [],
  };
}

/** Flask serves the folder `static` beside the module at /static, unless it is told otherwise. */
function flaskStatics(module: Module): StaticFolder[] {
  if (/\bstatic_(folder|url_path|host)\s*=|\bhost_matching\s*=/.test(module.source)) return [];
  const from = module.file.includes('/') ? module.file.replace(/[^/]*$/, 'static') : 'static';
  return module.folder.isFolder(from) ? [{ path: '/static', from }] : [];
}

function frameworkOf(binding: Binding): string | undefined {
  if (binding.kind !== 'assignment') return undefined;
  if (/^falcon\.(App|API)$/.test(binding.callee ?? '')) return 'Falcon';
  return WSGI_CALLS[lastPart(binding.callee)];
}

function frameworkImported({ source }: Module): string | undefined {
  const match = /^\s*(?:from|import)\s+(flask|bottle|falcon|pyramid|django)\b/m.exec(source);
  return match?.[1] && match[1].charAt(0).toUpperCase() + match[1].slice(1);
}

function makesAsgi({ source }: Module): boolean {
  return /^\s*(?:from|import)\s+(fastapi|starlette|quart|litestar|sanic)\b/m.test(source);
}

const lastPart = (dotted = ''): string => dotted.slice(dotted.lastIndexOf('.') + 1);
const identifierOf = (name: string): string => name.replace(/\W/g, '_');
