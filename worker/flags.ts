// The command line: either a document and the place's own flags, or an application and gunicorn's flags (gunicorn.ts). Pure.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { WorkerConfig } from '../core/config/worker.ts';
import { parseDuration } from '../core/quantity.ts';
import { AddressError, type ListenAddress, parseAddress } from '../http/address.ts';
import { COPY_HELP, type CopyOrder, parseCopyStatic } from './copy-static/command-line.ts';
import { configOf, GUNICORN_HELP, GUNICORN_OPTIONS, type GunicornValues, isRefused, refuseUnused } from './gunicorn.ts';
import { UsageError } from './usage-error.ts';

/** What the place of the program decides; all else is in the document. */
export interface Settings {
  /** A file to watch, or a document that stays. */
  readonly source: { readonly file: string } | { readonly config: WorkerConfig };
  readonly listen: ListenAddress;
  readonly admin: ListenAddress | null;
  /** Absolute folder of the application. */
  readonly directory: string;
  /** After SIGTERM: how long requests are still taken, so that whoever sends them learns of it. */
  readonly drainDelayMs: number;
  readonly development: boolean;
  readonly onBootError: 'exit' | 'retry';
  /** Standard input is held by whoever started the program: end when it is gone. */
  readonly exitWithParent: boolean;
}

export type Command =
  | { readonly kind: 'run'; readonly settings: Settings }
  | { readonly kind: 'copy-static'; readonly order: CopyOrder }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' };

/** What of the surroundings counts: gunicorn reads PORT and WEB_CONCURRENCY, and people's platforms set them. */
export interface Surroundings {
  readonly cwd: string;
  readonly port: string | undefined;
  readonly webConcurrency: string | undefined;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  listen: { type: 'string' },
  admin: { type: 'string' },
  directory: { type: 'string' },
  'drain-delay': { type: 'string' },
  development: { type: 'boolean' },
  'on-boot-error': { type: 'string' },
  'exit-with-parent': { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
  ...GUNICORN_OPTIONS,
} as const;

/** Every flag that means something here. */
export const FLAG_NAMES: readonly string[] = Object.keys(OPTIONS).filter((name) => !isRefused(name));

const HELP = `Usage:
  webapp-worker --config worker.json [--listen ADDR] [--admin ADDR] [--directory DIR]
  webapp-worker [flags] module:callable | path/to/server.js[:export]
  webapp-worker copy-static --from FOLDER --to FOLDER     (see copy-static --help)

ADDR is host:port (port 0: any free one), [ipv6]:port or unix:/path.

  -c, --config FILE        run by this document, and take its changes while running
      --listen ADDR        where to serve (127.0.0.1:8000)
      --admin ADDR         where to answer /healthz, /readyz, /status and /metrics (nowhere)
      --directory DIR      folder of the application (this one)
      --drain-delay TIME   after SIGTERM, go on taking requests for so long (0s)
      --development        a reload never serves old code, failures are shown to the client
      --on-boot-error W    exit or retry when the application does not start at first (exit)
      --exit-with-parent   leave when standard input ends: whoever started this is gone
  -h, --help
  -v, --version

Instead of a document, an application and the flags that gunicorn has:

${GUNICORN_HELP}
Signals: TERM and INT finish what is there and leave, INT again or QUIT leaves now, HUP replaces every process, TTIN and TTOU
add and remove one.
`;

/**
 * @param args without program and script
 * @throws UsageError
 */
export function parseCommand(args: readonly string[], surroundings: Surroundings): Command {
  return args[0] === 'copy-static' ? copyCommand(args.slice(1), surroundings) : runCommand(args, surroundings);
}

function copyCommand(args: readonly string[], { cwd }: Surroundings): Command {
  const order = parseCopyStatic(args, cwd);
  return order === 'help' ? { kind: 'help', text: COPY_HELP } : { kind: 'copy-static', order };
}

function runCommand(args: readonly string[], surroundings: Surroundings): Command {
  const { values, positionals } = parse(args);
  if (values.help) return { kind: 'help', text: HELP };
  if (values.version) return { kind: 'version' };
  refuseUnused(values);
  const config = configFrom(values, positionals, surroundings);
  return {
    kind: 'run',
    settings: {
      source: config,
      listen: address('--listen', values.listen ?? values.bind ?? defaultListen(config, surroundings)),
      admin: values.admin === undefined ? null : address('--admin', values.admin),
      directory: resolve(surroundings.cwd, values.directory ?? values.chdir ?? '.'),
      drainDelayMs: duration('--drain-delay', values['drain-delay'] ?? '0s'),
      development: values.development ?? false,
      onBootError: onBootError(values['on-boot-error'] ?? 'exit'),
      exitWithParent: values['exit-with-parent'] ?? false,
    },
  };
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function parse(args: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // parseArgs says what is wrong in one sentence, and sometimes goes on about `--`.
    const said = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw new UsageError(`${said.replace(/\.$/, '')}.`, 'See webapp-worker --help for what there is.');
  }
}

function configFrom(values: Values, positionals: readonly string[], surroundings: Surroundings): Settings['source'] {
  const [app, ...rest] = positionals;
  if (values.config !== undefined) return { file: documentFile(values, values.config, app, surroundings) };
  if (app === undefined)
    throw new UsageError(
      'Neither a document nor an application is given.',
      'Write --config worker.json, or an application such as shop:app or server.js.',
    );
  if (rest[0] !== undefined)
    throw new UsageError(
      `"${rest[0]}" is one application too many.`,
      'Give one application; start another worker for another.',
    );
  return { config: configOf(app, values satisfies GunicornValues, surroundings.webConcurrency) };
}

function documentFile(values: Values, file: string, app: string | undefined, { cwd }: Surroundings): string {
  if (/\.py$|^python:/.test(file))
    throw new UsageError(
      `--config ${file} is a configuration file of gunicorn, which is Python and not read here.`,
      'Give its settings as flags, such as --workers 3 --timeout 60.',
    );
  if (app !== undefined)
    throw new UsageError(
      `An application ("${app}") stands beside --config, whose document names one.`,
      'Leave one of the two out.',
    );
  const flag = Object.keys(GUNICORN_OPTIONS).find((name) => name in values && name !== 'chdir' && name !== 'bind');
  if (flag !== undefined)
    throw new UsageError(`--${flag} stands beside --config, whose document says that.`, 'Write it into the document.');
  return resolve(cwd, file);
}

function defaultListen(source: Settings['source'], { port }: Surroundings): string {
  return 'config' in source && port ? `0.0.0.0:${port}` : '127.0.0.1:8000';
}

function address(flag: string, text: string): ListenAddress {
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof AddressError) throw new UsageError(`${flag}: ${error.reason}`, error.mend);
    throw error;
  }
}

function duration(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new UsageError(`${flag} ${text} is not a duration.`, 'Write such as 500ms, 5s or 1m.');
  }
}

function onBootError(text: string): 'exit' | 'retry' {
  if (text === 'exit' || text === 'retry') return text;
  throw new UsageError(`--on-boot-error ${text} is neither exit nor retry.`, 'Write exit or retry.');
}
