// Finds a Node server in a folder: by package.json's start script and main, else by the usual names. Pure over the folder's
// text.
import type { SourceFolder } from './folder.ts';
import type { Found, Rejections } from './found.ts';

const FRAMEWORKS = ['express', 'fastify', 'koa', 'hono', 'restify', 'polka', 'h3'];
const USUAL = ['server', 'app', 'index', 'main'].flatMap((name) => ['', 'src/'].map((folder) => `${folder}${name}`));
const ENDINGS = ['js', 'mjs', 'cjs', 'ts'];
const RUNNERS = new Set(['node', 'nodemon', 'node-dev', 'tsx', 'ts-node', 'bun', 'forever']);
/** Flags of node whose value is the next word. */
const FLAGS_WITH_VALUE = new Set(['-r', '--require', '--import', '--loader', '--env-file', '-C', '--conditions']);
/** They serve themselves, or build pages: nothing that a server could be handed a request for. */
const SELF_SERVING =
  /^(next|nuxt|vite|react-scripts|ng|astro|remix|gatsby|vue-cli-service|webpack|parcel|svelte-kit|nest)$/;

interface Package {
  readonly start: string;
  readonly main: string;
  readonly framework: string;
}

export function findNodeApp(folder: SourceFolder, rejected: Rejections): Found | undefined {
  const described = folder.isFile('package.json') ? readPackage(folder.read('package.json'), rejected) : undefined;
  return (
    (described && (findByStart(folder, described, rejected) ?? findByMain(folder, described))) ??
    findByName(folder, described?.framework ?? 'Node', described !== undefined)
  );
}

function findByStart(folder: SourceFolder, { start, framework }: Package, rejected: Rejections): Found | undefined {
  const command = commandOf(start);
  if (!command) return undefined;
  if (SELF_SERVING.test(command.runner)) {
    rejected.push(`package.json: start runs ${command.runner}, which is a server or a build of its own`);
    return undefined;
  }
  const file = RUNNERS.has(command.runner) ? fileNamed(folder, command.file) : undefined;
  if (file === undefined) return undefined;
  const flags =
    command.flags.length > 0 ? [`The flags ${command.flags.join(' ')} of the start script are not used.`] : [];
  return nodeApp(exportingFile(folder, file), framework, `package.json (start: ${start})`, flags);
}

function findByMain(folder: SourceFolder, { main, framework }: Package): Found | undefined {
  const file = main === '' ? undefined : fileNamed(folder, main);
  if (file === undefined || !looksLikeServer(folder.read(file))) return undefined;
  return nodeApp(file, framework, `package.json (main: ${main})`, []);
}

/** Without a package.json, a script of a usual name counts only when it looks like a server. */
function findByName(folder: SourceFolder, framework: string, described: boolean): Found | undefined {
  const files = USUAL.flatMap((name) => ENDINGS.map((ending) => `${name}.${ending}`)).filter((file) =>
    folder.isFile(file),
  );
  const serving = files.find((file) => looksLikeServer(folder.read(file)));
  if (serving === undefined) return undefined;
  const evidence = described ? serving : `${serving} (no package.json)`;
  return nodeApp(serving, framework, evidence, []);
}

function nodeApp(file: string, framework: string, evidence: string, notes: readonly string[]): Found {
  return { app: file, runtime: 'node', framework, evidence, source: '', statics: [], notes };
}

/** Express's generator starts `bin/www`, which listens for the application that ../app exports: that is the one to serve. */
function exportingFile(folder: SourceFolder, file: string): string {
  const required =
    /^bin\//.test(file) && /(?:require\(|from\s+)['"]\.\.\/([\w-]+)(?:\.[cm]?js)?['"]/.exec(folder.read(file))?.[1];
  return (required && fileNamed(folder, required)) || file;
}

/** @returns the last command of a start script that runs something: `tsc && NODE_ENV=production node dist/x.js` */
function commandOf(start: string): { runner: string; file: string; flags: string[] } | undefined {
  const words = (start.split(/&&|;/).at(-1) ?? '').trim().split(/\s+/);
  while (words[0] && (/^\w+=/.test(words[0]) || /^(cross-env|npx|exec|env)$/.test(words[0]))) words.shift();
  const runner = words.shift()?.replace(/^.*\//, '');
  if (!runner) return undefined;
  const flags: string[] = [];
  while (words[0]?.startsWith('-') || words[0] === 'watch') {
    const flag = words.shift() ?? '';
    flags.push(flag);
    if (FLAGS_WITH_VALUE.has(flag)) flags.push(words.shift() ?? '');
  }
  const file = words[0] === 'run' ? words[1] : words[0];
  return { runner, file: file ?? '.', flags: flags.filter((flag) => !/^--?(watch|w)$|^watch$/.test(flag)) };
}

/** Resolves as Node does: the file, with an ending, or the index of a folder. Never outside the folder. */
function fileNamed(folder: SourceFolder, name: string): string | undefined {
  const plain = name.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  if (plain.startsWith('/') || plain.split('/').includes('..')) return undefined;
  const base = plain === '.' ? '' : plain;
  const candidates = [
    ...(base === '' ? [] : [base, ...ENDINGS.map((ending) => `${base}.${ending}`)]),
    ...ENDINGS.map((ending) => (base === '' ? `index.${ending}` : `${base}/index.${ending}`)),
  ];
  return candidates.find((candidate) => folder.isFile(candidate));
}

function looksLikeServer(source: string): boolean {
  return /\bcreateServer\b|\.listen\s*\(|['"](express|fastify|koa|hono|restify|polka|h3)['"]|\bfetch\s*[(:]/.test(
    source,
  );
}

function readPackage(text: string, rejected: Rejections): Package | undefined {
  try {
    const parsed = JSON.parse(text) as {
      scripts?: Record<string, unknown>;
      main?: unknown;
      dependencies?: object;
    } | null;
    const dependencies = Object.keys(parsed?.dependencies ?? {});
    return {
      start: String(parsed?.scripts?.['start'] ?? ''),
      main: String(parsed?.main ?? ''),
      framework: capital(FRAMEWORKS.find((name) => dependencies.includes(name)) ?? 'node'),
    };
  } catch (error) {
    rejected.push(`package.json is not valid JSON: ${(error as Error).message}`);
    return undefined;
  }
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
