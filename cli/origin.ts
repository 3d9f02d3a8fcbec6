// Where the WebApps of `webapp up` come from: a manifest, a folder of manifests, or an application that is found.
import { statSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { resolveRuntime } from '../core/config/worker.ts';
import { discover, type Found } from './discover/discover.ts';
import { openFolder } from './discover/folder.ts';
import { inferManifest } from './discover/inferred-manifest.ts';
import { Failure } from './failure.ts';
import { type LoadedManifests, loadManifests, loadText, manifestsBelow, manifestsIn, shortPath } from './manifest.ts';

export interface Origin {
  /** Reads all anew. */
  load(): LoadedManifests;
  /** Absolute folders in which a changed manifest is to be seen; none when it was inferred. */
  readonly folders: readonly string[];
  /** What was found, when there was no manifest. */
  readonly inferred?: { readonly found: Found; readonly manifest: string; readonly folder: string };
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * @param place a manifest, a folder, an application (`shop:app`, `server.js`), or undefined for `cwd`
 * @param app named by the person: no manifest is looked for
 * @throws Failure FILE_MISSING | NO_APPLICATION
 */
export function locate(place: string | undefined, app: string | undefined, cwd: string, shell: Variables): Origin {
  const path = resolve(cwd, place ?? '.');
  const stat = statSync(path, { throwIfNoEntry: false });
  if (app !== undefined) return named(app, stat?.isDirectory() ? path : cwd, shell);
  if (stat?.isDirectory()) return inFolder(path, cwd, shell);
  if (stat && /\.(ya?ml|json)$/.test(path)) return ofManifests(() => [path], [dirname(path)]);
  if (stat && /\.([cm]?[jt]s|py)$/.test(path)) return named(basename(path), dirname(path), shell);
  if (!stat && place !== undefined && /^[\w.]+:\w/.test(place)) return named(place, cwd, shell);
  const mend = 'give a manifest, a folder, or an application such as shop:app or server.js';
  throw new Failure('FILE_MISSING', stat ? `${place} is no manifest` : `there is no ${place}`, mend);
}

function inFolder(folder: string, cwd: string, shell: Variables): Origin {
  if (manifestsIn(folder).length > 0) return ofManifests(() => manifestsIn(folder), [folder]);
  const discovery = discover(openFolder(folder), shell);
  if ('found' in discovery) return inferred(discovery.found, folder);
  const below = manifestsBelow(folder);
  if (below.length > 0)
    return ofManifests(() => manifestsBelow(folder), [...new Set(below.map((file) => dirname(file)))]);
  throw nothingFound(discovery.rejected, shortPath(folder, cwd));
}

function ofManifests(files: () => readonly string[], folders: readonly string[]): Origin {
  return { load: () => loadManifests(files()), folders };
}

function inferred(found: Found, folder: string): Origin {
  const manifest = inferManifest(found, basename(folder));
  return { load: () => loadText(manifest, '', folder), folders: [], inferred: { found, manifest, folder } };
}

/** The person's word is taken; the folder only adds what it says about it, such as static files. */
function named(app: string, folder: string, shell: Variables): Origin {
  const runtime = resolveRuntime(app, 'auto');
  const plain: Found = {
    app,
    runtime,
    framework: runtime === 'node' ? 'Node' : 'Python',
    evidence: 'named on the command line',
    source: '',
    statics: [],
    notes: [],
  };
  if (runtime === 'node') return inferred(plain, folder);
  const discovery = discover(openFolder(folder), { ...shell, FLASK_APP: app });
  const seen = 'found' in discovery && discovery.found.evidence.startsWith('FLASK_APP of the environment');
  if (seen) return inferred({ ...discovery.found, evidence: plain.evidence, notes: [] }, folder);
  if (extname(app) !== '.py') return inferred(plain, folder);
  const mend = `name it: webapp up --app ${app.slice(0, -3)}:NAME`;
  throw new Failure('NO_APPLICATION', `there is no app, application or create_app() in ${app}`, mend);
}

function nothingFound(rejected: readonly string[], folder: string): Failure {
  const where = folder === '.' ? 'here' : `in ${folder}`;
  const looked =
    'looked for a manifest (webapp.yaml), manage.py, app.py, wsgi.py, main.py and packages, and for package.json';
  const mend = 'name the application: webapp up --app shop:app (Python), webapp up --app server.js (Node)';
  const why = rejected.length > 0 ? rejected.map((reason) => `- ${reason}`).join('\n') : '';
  return new Failure('NO_APPLICATION', `no application was found ${where}${why ? '' : `; ${looked}`}`, mend, why);
}
