// The command line of webapp-proxy. Pure: text in, settings or all that is wrong with it out.
import { parseArgs } from 'node:util';
import { type Problem, ProblemsError } from '../core/errors.ts';
import { formatAddress, type ListenAddress } from '../http/address.ts';
import { readAddress, readDuration } from '../http/flag-values.ts';
import type { LogTarget } from '../http/log-sink.ts';
import { type ApiServer, readApiServer } from './api-server.ts';

/** Where the access log goes; 'off': nowhere. */
export type AccessLogTarget = LogTarget | 'off';

export interface Flags {
  readonly config: string;
  readonly listen: ListenAddress;
  readonly admin: ListenAddress;
  readonly drainDelayMs: number;
  readonly accessLog: AccessLogTarget;
  /** Standard input is held by whoever started the program: end when it is gone. */
  readonly exitWithParent: boolean;
  /** A master holds the socket, and starts the proxy again when it dies. */
  readonly master: boolean;
  /** Where workers are discovered; null: not told, in a pod the pod's own. */
  readonly apiServer: ApiServer | null;
}

export const USAGE = `webapp-proxy --config FILE --listen ADDR --admin ADDR [--drain-delay DURATION] [--access-log FILE|-|off]
             [--master] [--exit-with-parent] [--api-server URL [--api-token-file FILE] [--api-ca-file FILE]]

  --config FILE           proxy.json; watched, a valid change is taken in place
  --listen ADDR           where clients come: host:port (port 0: any free one), [ipv6]:port or unix:/path
  --admin ADDR            health, status and metrics
  --drain-delay DURATION  how long requests are still taken after SIGTERM, such as 5s (default 0s)
  --access-log FILE|-|off one JSON line for each request; - is standard output (default), SIGUSR1 reopens the file
  --master                a second process holds the socket and starts the proxy again when it dies, so that no connection is
                          refused meanwhile; --listen is host:port then
  --listen-fd N           the socket of --listen is bound already and has this number: whoever starts this holds it
  --exit-with-parent      leave when standard input ends: whoever started this is gone
  --api-server URL        Kubernetes API server to find workers by, where proxy.json says discover; in a pod it is known
  --api-token-file FILE   bearer token for it; read again when it changes
  --api-ca-file FILE      PEM certificates that it is trusted by (default: those that Node knows)
  -h, --help              this text
  -v, --version
`;

const OPTIONS = {
  config: { type: 'string' },
  listen: { type: 'string' },
  admin: { type: 'string' },
  'drain-delay': { type: 'string', default: '0s' },
  'access-log': { type: 'string', default: '-' },
  'api-server': { type: 'string' },
  'api-token-file': { type: 'string' },
  'api-ca-file': { type: 'string' },
  master: { type: 'boolean', default: false },
  'listen-fd': { type: 'string' },
  'exit-with-parent': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
} as const;

/**
 * @param args without the program's name
 * @returns 'help' or 'version' when that was asked for
 * @throws ProblemsError with everything that is wrong
 */
export function parseFlags(args: readonly string[]): Flags | 'help' | 'version' {
  const values = readValues(args);
  if (values.help) return 'help';
  if (values.version) return 'version';
  const problems: Problem[] = [];
  const flags = {
    config: required('--config', values.config, 'proxy.json', problems),
    listen: listenAddress(values, problems),
    admin: address('--admin', values.admin, problems),
    drainDelayMs: readDuration('--drain-delay', values['drain-delay'], problems),
    accessLog: accessLogTarget(values['access-log'], problems),
    exitWithParent: values['exit-with-parent'],
    master: values.master,
    apiServer: readApiServer(values, problems),
  };
  if (problems.length > 0) throw new ProblemsError('The command line', problems);
  return flags;
}

/**
 * @param args of a master. @param bound where its socket is
 * @returns those of the proxy below it
 */
export function argsOfChild(args: readonly string[], bound: ListenAddress): string[] {
  const own = args.filter((arg) => arg !== '--master');
  // The last one counts, so that a port that was chosen freely stays the same.
  return [...own, '--listen', formatAddress(bound), '--listen-fd', '3', '--exit-with-parent'];
}

function readValues(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ProblemsError('The command line', [
      { field: 'arguments', message, mend: 'webapp-proxy --help shows what there is' },
    ]);
  }
}

function required(field: string, value: string | undefined, example: string, problems: Problem[]): string {
  if (value !== undefined && value !== '') return value;
  problems.push({ field, message: 'is missing', mend: `add ${field} ${example}` });
  return '';
}

function address(field: string, value: string | undefined, problems: Problem[]): ListenAddress {
  const text = required(field, value, '127.0.0.1:0', problems);
  if (text === '') return { path: '' };
  return readAddress(field, text, problems);
}

type Values = ReturnType<typeof readValues>;

function listenAddress({ listen, master, 'listen-fd': text }: Values, problems: Problem[]): ListenAddress {
  const place = address('--listen', listen, problems);
  if ('path' in place) {
    if (place.path !== '' && (master || text !== undefined))
      problems.push({
        field: '--listen',
        value: place.path,
        message: 'is a path, whose socket no other process can hold',
        mend: 'write host:port, or leave --master and --listen-fd out',
      });
    return place;
  }
  if (text === undefined) return place;
  const fd = Number(text);
  if (!/^[0-9]{1,4}$/.test(text) || fd < 3)
    problems.push({
      field: '--listen-fd',
      value: text,
      message: 'is not a file descriptor',
      mend: 'write a number from 3 on',
    });
  return { ...place, fd };
}

function accessLogTarget(value: string, problems: Problem[]): AccessLogTarget {
  if (value === '') problems.push({ field: '--access-log', message: 'is empty', mend: 'write a file, - or off' });
  if (value === 'off') return 'off';
  return value === '-' ? 'stdout' : { file: value };
}
