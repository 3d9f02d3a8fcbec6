// The command line of `webapp`. Pure: words in, a command out, or a Failure that says which word is wrong.
import { AddressError, type ListenAddress, parseAddress } from '../http/address.ts';
import { nearest, parse, usage, wholeNumber } from './command-words.ts';
import { isLookCommand, LOOK_COMMANDS, type LookCommand, parseLook } from './look-command-line.ts';

export interface UpOptions {
  /** A manifest, a folder, or what --app takes; undefined: this folder. */
  readonly place: string | undefined;
  /** `shop:app` or `server.js`: instead of what would be found. */
  readonly app: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly processes: number | undefined;
  readonly reload: boolean;
  /** Only print the inferred manifest: to standard output, or into a file. */
  readonly print: 'stdout' | { readonly file: string } | undefined;
  /** Where the live page is; null: nowhere. */
  readonly live: ListenAddress | null;
  readonly noColor: boolean;
  readonly accessLog: boolean;
  readonly verbose: boolean;
}

export type Command =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'up'; readonly options: UpOptions }
  | { readonly kind: 'check'; readonly files: readonly string[]; readonly output: 'text' | 'json' }
  | { readonly kind: 'render'; readonly files: readonly string[]; readonly output: 'yaml' | 'json' }
  | LookCommand;

const HELP = `webapp runs web applications: proxy, worker and application processes from one manifest.

  webapp up [manifest or folder]   run what is here on this machine
  webapp check [FILE…]             say everything that is wrong with manifests
  webapp render [FILE…]            show what proxy and worker are told

  webapp status [NAME]             how it is, what is wrong, and what to do
  webapp top [NAME]                the same as a table that moves: WebApps and their processes
  webapp logs NAME                 what it wrote
  webapp resize NAME N             another number of application processes, at once
  webapp restart NAME              every process replaced, no request lost

These five look at what webapp up runs on this machine, or at a cluster: --context, -n. As kubectl-webapp in the PATH
they are a plugin of kubectl: kubectl webapp status shop.

  webapp COMMAND --help            more of one command
  webapp --version
`;

const UP_HELP = `webapp up [manifest or folder]

Runs every WebApp of the manifest, or of the manifests in the folder (webapp.yaml, *.webapp.yaml). In a folder without one
it finds the application: Flask, Django, another WSGI application, Express or another Node server. Edits of the manifest
are applied while it runs. Ctrl-C finishes what is being served and stops; a second one stops at once.
What a manifest says for Kubernetes only, such as replicas, is named and not used. suspend: true serves the maintenance page.

      --port N          where the first WebApp is served; the others count up (8000; 0: any free ones)
      --host ADDRESS    for whom: 127.0.0.1 this machine (default), 0.0.0.0 the network
      --processes N     application processes, instead of what the manifest says
      --reload          development: one process, new code is taken when it is saved
      --app APP         serve this: module:callable, or a file of Node
      --live ADDR       where the live page is (127.0.0.1:0: any free port, this machine only; off: nowhere)
      --access-log      show each request
      --verbose         show all that proxy and worker say
      --print [FILE]    only show the manifest that was inferred, or save it
      --no-color
  -h, --help

OTEL_EXPORTER_OTLP_ENDPOINT in the environment: traces go there, of WebApps whose manifest does not say tracing
(http://localhost:4318; OTEL_TRACES_SAMPLER_ARG: which share of them, 0 to 1, all without it).
`;

const CHECK_HELP = `webapp check [FILE…] [-o text|json]

Says everything that is wrong with the manifests (default: those of this folder), without a cluster. Exit code 1 when
anything is.
`;

const RENDER_HELP = `webapp render [FILE…] [-o yaml|json]

Shows the two documents that proxy and worker are run by, for each WebApp of the manifests (default: those of this folder).
`;

const COMMANDS = ['up', 'check', 'render', ...LOOK_COMMANDS, 'help', 'version'];
const HELP_OPTION = { help: { type: 'boolean', short: 'h' } } as const;
const UP_OPTIONS = {
  ...HELP_OPTION,
  port: { type: 'string', short: 'p' },
  host: { type: 'string' },
  processes: { type: 'string' },
  reload: { type: 'boolean' },
  app: { type: 'string' },
  live: { type: 'string' },
  'access-log': { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  print: { type: 'boolean' },
  'no-color': { type: 'boolean' },
} as const;
const OUTPUT_OPTIONS = { ...HELP_OPTION, output: { type: 'string', short: 'o' } } as const;

/**
 * @param args without node and script
 * @param isPlugin started by kubectl: the cluster is meant where nothing else is said
 * @throws Failure USAGE
 */
export function parseCommand(args: readonly string[], isPlugin = false): Command {
  const [name = '--help', ...rest] = args;
  if (isLookCommand(name)) return parseLook(name, rest, isPlugin);
  switch (name) {
    case '--help':
    case '-h':
    case 'help':
      return { kind: 'help', text: HELP };
    case '--version':
    case '-V':
    case 'version':
      return { kind: 'version' };
    case 'up':
      return parseUp(rest);
    case 'check': {
      const parsed = parseFiles(rest, ['text', 'json']);
      return parsed === 'help' ? { kind: 'help', text: CHECK_HELP } : { kind: 'check', ...parsed };
    }
    case 'render': {
      const parsed = parseFiles(rest, ['yaml', 'json']);
      return parsed === 'help' ? { kind: 'help', text: RENDER_HELP } : { kind: 'render', ...parsed };
    }
    default:
      throw usage(`there is no command ${name}`, nearest(name, COMMANDS));
  }
}

function parseUp(args: readonly string[]): Command {
  const { file, words } = takePrintFile(args);
  const { values, positionals } = parse(words, UP_OPTIONS);
  if (values.help) return { kind: 'help', text: UP_HELP };
  const [place, tooMany] = positionals;
  if (tooMany !== undefined) throw usage(`${tooMany} is one place too many`, 'give one manifest or one folder');
  return {
    kind: 'up',
    options: {
      place,
      app: values.app,
      host: values.host ?? '127.0.0.1',
      port: wholeNumber('--port', values.port ?? '8000', 0, 65_535, 8000),
      processes: values.processes === undefined ? undefined : wholeNumber('--processes', values.processes, 1, 256, 3),
      reload: values.reload ?? false,
      print: file === undefined ? (values.print ? 'stdout' : undefined) : { file },
      live: liveAddress(values.live ?? '127.0.0.1:0'),
      noColor: values['no-color'] ?? false,
      accessLog: values['access-log'] ?? false,
      verbose: values.verbose ?? false,
    },
  };
}

function liveAddress(text: string): ListenAddress | null {
  if (text === 'off') return null;
  try {
    return parseAddress(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw usage(`--live ${text}: ${error.reason.replace(/\.$/, '')}`, 'write such as --live 127.0.0.1:9000, or off');
  }
}

/** `--print` may have a value, which parseArgs has no word for: a YAML file behind it is one. */
function takePrintFile(args: readonly string[]): { file: string | undefined; words: string[] } {
  const words = [...args];
  const at = words.findIndex((word) => word === '--print' || word.startsWith('--print='));
  if (at < 0) return { file: undefined, words };
  if (words[at] !== '--print') {
    const file = words[at]?.slice('--print='.length);
    words[at] = '--print';
    return { file: file || undefined, words };
  }
  const next = words[at + 1];
  if (next === undefined || !/\.ya?ml$/.test(next)) return { file: undefined, words };
  words.splice(at + 1, 1);
  return { file: next, words };
}

function parseFiles<O extends string>(
  args: readonly string[],
  outputs: readonly [O, O],
): 'help' | { files: readonly string[]; output: O } {
  const { values, positionals } = parse(args, OUTPUT_OPTIONS);
  if (values.help) return 'help';
  const output = outputs.find((name) => name === (values.output ?? outputs[0]));
  if (output === undefined) throw usage(`-o ${values.output} is not known`, `write -o ${outputs.join(' or -o ')}`);
  return { files: positionals, output };
}
