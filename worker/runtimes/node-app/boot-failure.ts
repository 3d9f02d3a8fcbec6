// Why an application could not be started, in words for the person who wrote it: what is wrong, how to mend it, and the
// application's own stack. Pure; what it must know of the surroundings is given.
import { inspect } from 'node:util';
import type { BootFailure } from '../runtime.ts';
import { NotServable } from './servable.ts';

/** Longest traceback, in UTF-16 units: a line of the log, and an annotation of a Kubernetes object. */
const MAX_TRACEBACK = 8 * 1024;
/** Longest reason: an error's message may hold a whole document. */
const MAX_REASON = 500;

export interface Surroundings {
  /** Absolute path of the application's file. */
  readonly file: string;
  /** Where `npm install` is to be run. */
  readonly directory: string;
  /** Whether package.json names this package as a dependency. */
  isDeclared(packageName: string): boolean;
  /** The place of a syntax error whose stack has none, as `file:line`, code, `^`. */
  findSyntaxError(): string | null;
}

type Words = readonly [reason: string, mend: string];

/** @param thrown by loading the application, whatever it is */
export function describeFailure(thrown: unknown, surroundings: Surroundings): BootFailure {
  const traceback = tracebackOf(thrown, surroundings);
  const [reason, mend] = wordsFor(thrown, traceback, surroundings);
  return { reason: cut(reason, MAX_REASON), mend, traceback: thrown instanceof NotServable ? '' : traceback };
}

function wordsFor(thrown: unknown, traceback: string, surroundings: Surroundings): Words {
  if (!(thrown instanceof Error)) {
    return [`The application threw ${inspect(thrown)} while it was loaded`, 'Throw Errors: they carry a stack.'];
  }
  if (thrown instanceof NotServable) return [thrown.message, thrown.mend];
  const describe = BY_CODE[codeOf(thrown)] ?? (thrown instanceof SyntaxError ? syntaxWords : otherWords);
  return describe(thrown, traceback, surroundings);
}

type Describe = (error: Error, traceback: string, surroundings: Surroundings) => Words;

const BY_CODE: Readonly<Record<string, Describe>> = {
  MODULE_NOT_FOUND: missingWords,
  ERR_MODULE_NOT_FOUND: missingWords,
  ERR_DLOPEN_FAILED: (error) => [
    firstLine(error.message),
    'Run `npm rebuild` with the Node that runs it: a native module was built for another one.',
  ],
  ERR_REQUIRE_ASYNC_MODULE: (error) => [
    firstLine(error.message),
    'Use import() instead of require() for that module, or make the application an ES module ("type": "module").',
  ],
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX: (error, traceback) => [
    `${error.message} (${placeOf(traceback) ?? 'in the application'})`,
    'Node only strips types: use erasable syntax, or compile the application first.',
  ],
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: (error) => [
    firstLine(error.message),
    'Node strips no types below node_modules: install the compiled package.',
  ],
  EADDRINUSE: (error) => [
    `The application listens on a second address, and it is taken: ${firstLine(error.message)}`,
    'Every process of the application would listen there. Set workers.processes to 1, or listen on one server only.',
  ],
};

function missingWords(error: Error, _traceback: string, { file, directory, isDeclared }: Surroundings): Words {
  const missing = /Cannot find (?:module|package) '([^']+)'/.exec(error.message)?.[1] ?? '';
  if (missing === file)
    return [`There is no file ${file}`, 'Name the file in "app" relative to the application folder.'];
  const from = /imported from (.+)$|Require stack:\n- (.+)/m.exec(error.message);
  const importer = from?.[1] ?? from?.[2] ?? file;
  if (/^[./]/.test(missing)) {
    return [
      `Cannot find module '${missing}', imported from ${importer}`,
      'Mend the path of the import, or add the file.',
    ];
  }
  const name = packageOf(missing);
  const declared = isDeclared(name);
  const command = declared ? 'npm install' : `npm install ${name}`;
  const why = declared ? ' (package.json names it, node_modules does not have it)' : '';
  return [`Cannot find package '${name}', imported from ${importer}`, `Run \`${command}\` in ${directory}${why}.`];
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function syntaxWords(error: Error, traceback: string): Words {
  const place = placeOf(traceback);
  const reason = `${error.name}: ${firstLine(error.message)}${place === null ? '' : ` (${place})`}`;
  if (/Cannot use import statement|Unexpected token 'export'/.test(error.message)) {
    return [reason, 'Name the file .mjs, or set "type": "module" in package.json.'];
  }
  return [reason, `Mend ${place ?? 'the syntax'}.`];
}

function otherWords(error: Error, traceback: string): Words {
  const reason = `${error.name}: ${firstLine(error.message)}`;
  if (/(require|module|exports|__dirname|__filename) is not defined in ES module/.test(error.message)) {
    return [reason, 'Use import in an ES module, or name the file .cjs.'];
  }
  const place = placeOf(traceback);
  return [reason, place === null ? 'The stack says where.' : `Mend ${place}: it throws while it is loaded.`];
}

/** Above the error's name: `file:line`. Below it: `at name (file:line:column)`. */
const PLACE = /^(?:file:\/\/)?(\/.*:\d+)$/;
const FRAME = /^\s+at (?:.*[( ])?(?:file:\/\/)?(\/[^()]*:\d+):\d+\)?$/;

/** @returns `file:line` in the application's own files, the innermost */
function placeOf(traceback: string): string | null {
  for (const line of traceback.split('\n')) {
    const place = (PLACE.exec(line) ?? FRAME.exec(line))?.[1];
    if (place !== undefined && !place.includes('/node_modules/')) return place;
  }
  return null;
}

function tracebackOf(thrown: unknown, { findSyntaxError }: Surroundings): string {
  const shown = inspect(thrown).split('\n').filter(isOfApplication).join('\n');
  const place = thrown instanceof SyntaxError && placeOf(shown) === null ? findSyntaxError() : null;
  const whole = place === null ? shown : `${place}\n\n${shown}`;
  return cut(whole, MAX_TRACEBACK);
}

/** Neither Node's loader nor this program: the application's author can do nothing about them. */
function isOfApplication(line: string): boolean {
  return !/^\s+at (?:.*[(\s])?node:internal\/|^\s+at .*(?:\/runtimes\/node-app\/|webapp-node-app\.mjs)/.test(line);
}

function codeOf(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : '';
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
