// The command line of webapp-operator. Pure: text in, settings or all that is wrong with it out.
import { parseArgs } from 'node:util';
import { type Problem, ProblemsError } from '../core/errors.ts';
import type { ListenAddress } from '../http/address.ts';
import { readAddress, readDuration } from '../http/flag-values.ts';
import type { Settings } from './settings.ts';

export interface Flags {
  readonly settings: Settings;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  /** Where the Lease is; undefined: no leader election, this is the only replica. */
  readonly leaseNamespace: string | undefined;
  /** Unique to this process. */
  readonly identity: string | undefined;
  readonly admin: ListenAddress;
  /** Who sees the live page on the admin port: whoever comes by a port-forward, anyone who reaches the port, nobody. */
  readonly live: 'forwarded' | 'anyone' | 'off';
  /** Passes at a time. */
  readonly concurrency: number;
  /** Time between two questions to a worker that is in step; 0: never. */
  readonly statusIntervalMs: number;
  /** Everything is looked at again so often, in case something was missed. */
  readonly resyncMs: number;
  /** undefined: the cluster this runs in, or the kubeconfig of the person. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

export type Command =
  | { readonly run: Flags }
  | { readonly dryRun: { readonly file: string; readonly settings: Settings } }
  | 'crd'
  | 'help'
  | 'version';

export const USAGE = `webapp-operator [run] [flags]         reconciles WebApps
webapp-operator --dry-run -f FILE     prints what it would make of the WebApps in FILE (- is standard input)
webapp-operator crd                   prints the CustomResourceDefinition

  --namespaces A,B              watch only these (default: all)
  --leader-election-namespace N keep a Lease there, so that of several replicas one works at a time
  --identity NAME               of this replica in the Lease (default: the host's name), such as the pod's
  --admin ADDR                  health and metrics (default 127.0.0.1:9100)
  --live WHO                    who sees the live page there: forwarded (default; by kubectl port-forward), anyone, off
  --proxy-image IMAGE           of the proxy's pods
  --cluster-domain DOMAIN       of Services (default cluster.local)
  --drain-delay DURATION        how long pods still take requests after SIGTERM (default 5s)
  --concurrency N               WebApps looked at at a time (default 10)
  --status-interval DURATION    between two looks at a worker that has no news (default 30s; 0s: none)
  --resync-interval DURATION    between two looks at everything (default 10h)
  --kubeconfig FILE             default: the cluster this runs in, else $KUBECONFIG or ~/.kube/config
  --context NAME                of the kubeconfig
  -h, --help                    this text
  -v, --version
`;

const OPTIONS = {
  namespaces: { type: 'string', default: '' },
  'leader-election-namespace': { type: 'string' },
  identity: { type: 'string' },
  admin: { type: 'string', default: '127.0.0.1:9100' },
  live: { type: 'string', default: 'forwarded' },
  'proxy-image': { type: 'string' },
  'cluster-domain': { type: 'string', default: 'cluster.local' },
  'drain-delay': { type: 'string', default: '5s' },
  concurrency: { type: 'string', default: '10' },
  'status-interval': { type: 'string', default: '30s' },
  'resync-interval': { type: 'string', default: '10h' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  file: { type: 'string', short: 'f' },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
} as const;

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * @param args without the program's name
 * @param version the program's own: its proxy image has the same
 * @throws ProblemsError with everything that is wrong
 */
export function parseFlags(args: readonly string[], version: string): Command {
  const { values, positionals } = readValues(args);
  if (values.help) return 'help';
  if (values.version) return 'version';
  const problems: Problem[] = [];
  const [word = 'run', ...more] = positionals;
  if (more.length > 0 || !['run', 'crd'].includes(word))
    problems.push(usage('arguments', `${positionals.join(' ')} is not a command`));
  const settings: Settings = {
    proxyImage: values['proxy-image'] ?? `webapp-proxy:${version}`,
    clusterDomain: values['cluster-domain'],
    drainDelayMs: readDuration('--drain-delay', values['drain-delay'], problems),
  };
  if (values['dry-run'] && values.file === undefined)
    problems.push({ field: '--file', message: 'is missing', mend: 'add -f webapp.yaml' });
  const run: Flags = {
    settings,
    namespaces: namespaces(values.namespaces, problems),
    leaseNamespace: values['leader-election-namespace'],
    identity: values.identity,
    admin: readAddress('--admin', values.admin, problems),
    live: live(values.live, problems),
    concurrency: concurrency(values.concurrency, problems),
    statusIntervalMs: readDuration('--status-interval', values['status-interval'], problems),
    resyncMs: resync(values['resync-interval'], problems),
    kubeconfig: values.kubeconfig,
    context: values.context,
  };
  if (problems.length > 0) throw new ProblemsError('The command line', problems);
  if (values['dry-run']) return { dryRun: { file: values.file ?? '-', settings } };
  return word === 'crd' ? 'crd' : { run };
}

function readValues(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    throw new ProblemsError('The command line', [
      usage('arguments', error instanceof Error ? error.message : String(error)),
    ]);
  }
}

function usage(field: string, message: string): Problem {
  return { field, message, mend: 'webapp-operator --help shows what there is' };
}

function namespaces(value: string, problems: Problem[]): string[] {
  const list = [...new Set(value.split(',').filter((name) => name !== ''))];
  for (const name of list) {
    if (!NAMESPACE.test(name))
      problems.push({
        field: '--namespaces',
        value: name,
        message: 'is not a namespace',
        mend: 'write names such as shop,blog',
      });
  }
  return list;
}

const VIEWERS = ['forwarded', 'anyone', 'off'] as const satisfies Flags['live'][];

function live(value: string, problems: Problem[]): Flags['live'] {
  const known = VIEWERS.find((viewer) => viewer === value);
  if (known === undefined)
    problems.push({ field: '--live', value, message: 'is not known', mend: `write one of ${VIEWERS.join(', ')}` });
  return known ?? 'off';
}

function concurrency(value: string, problems: Problem[]): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 100) return number;
  problems.push({
    field: '--concurrency',
    value,
    message: 'is not a number from 1 to 100',
    mend: 'write a number such as 10',
  });
  return 1;
}

function resync(value: string, problems: Problem[]): number {
  const ms = readDuration('--resync-interval', value, problems);
  if (ms === 0 && problems.length === 0)
    problems.push({ field: '--resync-interval', value, message: 'is zero', mend: 'write a duration such as 10h' });
  return ms;
}
