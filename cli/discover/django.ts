// A Django project says itself what it is: manage.py names the settings, the settings name the WSGI application. Pure over
// the folder's text.
import type { SourceFolder } from './folder.ts';
import type { Found, StaticFolder } from './found.ts';

/** @returns the project of `manage.py`, in the folder or in one folder of it */
export function findDjango(folder: SourceFolder): Found | undefined {
  if (folder.isFile('manage.py')) return projectIn(folder);
  for (const name of folder.folders.slice(0, 50)) {
    if (!folder.isFile(`${name}/manage.py`)) continue;
    const found = projectIn(folder.enter(name));
    if (found) return { ...found, source: name, evidence: `${name}/${found.evidence}` };
  }
  return undefined;
}

function projectIn(folder: SourceFolder): Found | undefined {
  const named = /DJANGO_SETTINGS_MODULE['"]\s*(?:,|\]\s*=)\s*['"]([\w.]+)['"]/.exec(folder.read('manage.py'))?.[1];
  if (named === undefined) return undefined;
  const settings = settingsText(folder, named);
  const application = /^\s*WSGI_APPLICATION\s*=\s*['"]([\w.]+)\.(\w+)['"]/m.exec(settings);
  const beside = `${named.split('.')[0]}.wsgi`;
  const app = application
    ? `${application[1]}:${application[2]}`
    : folder.isFile(`${beside.replaceAll('.', '/')}.py`)
      ? `${beside}:application`
      : undefined;
  if (app === undefined) return undefined;
  const { statics, notes } = staticsOf(folder, settings);
  return {
    app,
    runtime: 'wsgi',
    framework: 'Django',
    evidence: `manage.py (${application ? `WSGI_APPLICATION of ${named}` : named})`,
    source: '',
    statics,
    notes,
  };
}

/** The settings module and, where it is one of a package's, those beside it: `base.py` often holds what is common. */
function settingsText(folder: SourceFolder, module: string): string {
  const path = module.replaceAll('.', '/');
  const packageFolder = folder.isFolder(path) ? path : path.replace(/\/[^/]*$/, '');
  const beside = ['__init__', 'base', 'common', 'defaults', 'settings'].map((name) => `${packageFolder}/${name}.py`);
  return [`${path}.py`, ...beside].map((file) => folder.read(file)).join('\n');
}

/** Under WSGI Django serves no static files itself: what `collectstatic` gathered is served by the proxy. */
function staticsOf(folder: SourceFolder, settings: string): { statics: StaticFolder[]; notes: string[] } {
  if (/whitenoise/i.test(settings) || !/django\.contrib\.staticfiles/.test(settings)) return { statics: [], notes: [] };
  const url = /^\s*STATIC_URL\s*=\s*['"]\/?([\w./-]+?)\/?['"]/m.exec(settings)?.[1] ?? 'static';
  const root = /^\s*STATIC_ROOT\s*=.*?['"]([\w./-]+)['"]\s*\)?\s*$/m.exec(settings)?.[1]?.replace(/\/+$/, '');
  if (root === undefined || root.startsWith('/') || root.split('/').includes('..')) {
    const mend = "set STATIC_ROOT = BASE_DIR / 'staticfiles' and run python manage.py collectstatic";
    return { statics: [], notes: [`Django serves no static files under WSGI; for them, ${mend}.`] };
  }
  const notes = folder.isFolder(root)
    ? []
    : [`The proxy serves the static files from ${root}, which is not there yet: run python manage.py collectstatic.`];
  return { statics: [{ path: `/${url}`, from: root }], notes };
}
