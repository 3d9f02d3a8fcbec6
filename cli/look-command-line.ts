// The command lines of what looks at WebApps that run, and changes them: `top`, `status`, `logs`, `resize`, `restart`. Pure.
import { parseDuration } from '../core/quantity.ts';
import { nearest, parse, usage, wholeNumber } from './command-words.ts';
import { MAX_LINES } from './run/log-book.ts';
import type { Size, WantedLogs } from './show/place.ts';

export const LOOK_COMMANDS = ['status', 'top', 'logs', 'resize', 'restart'] as const;
type LookName = (typeof LOOK_COMMANDS)[number];

/** Where to look. */
export type Whereabouts =
  | { readonly kind: 'here' }
  | {
      readonly kind: 'cluster';
      /** Undefined: as kubectl has them. */
      readonly kubeconfig: string | undefined;
      readonly context: string | undefined;
      /** 'all': every namespace. */
      readonly namespace: string | 'all' | undefined;
    };

export type Output = 'table' | 'json' | 'yaml';

interface Common {
  readonly where: Whereabouts;
  readonly noColor: boolean;
}

export type LookCommand =
  | (Common & { readonly kind: 'status' | 'top'; readonly name: string | undefined; readonly output: Output })
  | (Common & { readonly kind: 'logs'; readonly name: string; readonly wanted: WantedLogs })
  | (Common & { readonly kind: 'resize'; readonly name: string; readonly size: Size })
  | (Common & { readonly kind: 'restart'; readonly name: string })
  | { readonly kind: 'help'; readonly text: string };

const WHERE_HELP = `Without more, what webapp up runs on this machine is meant. For a cluster:

      --context NAME          of the kubeconfig file
  -n, --namespace NAMESPACE   default: the one of the context
`;
const WHERE_REST = `      --kubeconfig FILE       default: as kubectl
      --no-color
  -h, --help
`;
const ALL_HELP = `  -A, --all-namespaces
`;
const OUTPUT_HELP = `  -o, --output table|json|yaml
`;

const HELP: Readonly<Record<LookName, string>> = {
  status: `webapp status [NAME]

How a WebApp is, what is wrong and how to mend it: conditions, pods, application processes and what they serve now, why
those before them died, requests that failed with their ids, events, and the hash of the configuration in force. Without
NAME all.

${OUTPUT_HELP}
${WHERE_HELP}${ALL_HELP}${WHERE_REST}`,
  top: `webapp top [NAME]

WebApps and their application processes as a table that moves; Ctrl-C ends it. Where nobody looks (a pipe, a file) it is
printed once.

${OUTPUT_HELP}
${WHERE_HELP}${ALL_HELP}${WHERE_REST}`,
  logs: `webapp logs NAME

What its application, its workers and its proxy wrote. Of a cluster: of all its pods, each line with its pod.

  -f, --follow                go on with what is written from now on; Ctrl-C ends it
      --tail N                the last N lines, in a cluster of each pod (100)
      --since DURATION        not older than such as 10m
  -c app|proxy                only the application with its workers, or only the proxy

${WHERE_HELP}${WHERE_REST}`,
  resize: `webapp resize NAME N

Another number of application processes in each worker: idle ones go, new ones come, no request is lost. On this machine
the number holds until the manifest is edited or webapp up ends. In a cluster spec.workers.processes is set; whoever
applies the manifest again sets what that says.

      --replicas M            worker pods, in a cluster; N may be left out then

${WHERE_HELP}${WHERE_REST}`,
  restart: `webapp restart NAME

Replaces every application process, the replacement first: no request is lost. In a cluster every pod is replaced, as
kubectl rollout restart does it.

${WHERE_HELP}${WHERE_REST}`,
};

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  context: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  'no-color': { type: 'boolean' },
} as const;
const LOOK_OPTIONS = {
  ...OPTIONS,
  'all-namespaces': { type: 'boolean', short: 'A' },
  output: { type: 'string', short: 'o' },
} as const;
const LOG_OPTIONS = {
  ...OPTIONS,
  follow: { type: 'boolean', short: 'f' },
  tail: { type: 'string' },
  since: { type: 'string' },
  component: { type: 'string', short: 'c' },
} as const;
const SIZE_OPTIONS = { ...OPTIONS, replicas: { type: 'string' } } as const;
const TAIL = 100;

export function isLookCommand(name: string): name is LookName {
  return LOOK_COMMANDS.some((known) => known === name);
}

/** @param isPlugin the cluster is meant where nothing else is said. @throws Failure USAGE */
export function parseLook(name: LookName, args: readonly string[], isPlugin: boolean): LookCommand {
  switch (name) {
    case 'status':
    case 'top':
      return parseStatus(name, args, isPlugin);
    case 'logs':
      return parseLogs(args, isPlugin);
    case 'resize':
      return parseResize(args, isPlugin);
    case 'restart': {
      const { values, positionals } = parse(args, OPTIONS);
      if (values.help) return { kind: 'help', text: HELP.restart };
      const [one] = namesOf('restart', positionals, 1);
      return { kind: 'restart', name: one, ...commonOf(values, isPlugin) };
    }
  }
}

function parseStatus(kind: 'status' | 'top', args: readonly string[], isPlugin: boolean): LookCommand {
  const { values, positionals } = parse(args, LOOK_OPTIONS);
  if (values.help) return { kind: 'help', text: HELP[kind] };
  const [name, tooMany] = positionals;
  if (tooMany !== undefined) throw usage(`${tooMany} is one name too many`, 'give one, or none for all');
  const all = values['all-namespaces'] ?? false;
  if (all && (name !== undefined || values.namespace !== undefined))
    throw usage('-A means every namespace', 'leave out -A, or the name and -n');
  const output = (['table', 'json', 'yaml'] as const).find((known) => known === (values.output ?? 'table'));
  if (output === undefined) throw usage(`-o ${values.output} is not known`, 'write -o table, -o json or -o yaml');
  return { kind, name, output, ...commonOf(values, isPlugin || all, all) };
}

function parseLogs(args: readonly string[], isPlugin: boolean): LookCommand {
  const { values, positionals } = parse(args, LOG_OPTIONS);
  if (values.help) return { kind: 'help', text: HELP.logs };
  const [name] = namesOf('logs', positionals, 1);
  const from = values.component;
  if (from !== undefined && from !== 'app' && from !== 'proxy')
    throw usage(`-c ${from} is not known`, nearest(from, ['app', 'proxy']));
  const wanted: WantedLogs = {
    tail: wholeNumber('--tail', values.tail ?? String(TAIL), 0, MAX_LINES, TAIL),
    sinceMs: values.since === undefined ? undefined : durationOf('--since', values.since),
    from,
    follow: values.follow ?? false,
  };
  return { kind: 'logs', name, wanted, ...commonOf(values, isPlugin) };
}

function parseResize(args: readonly string[], isPlugin: boolean): LookCommand {
  const { values, positionals } = parse(args, SIZE_OPTIONS);
  if (values.help) return { kind: 'help', text: HELP.resize };
  const [name, processes] = namesOf('resize', positionals, 2);
  if (processes === undefined && values.replicas === undefined)
    throw usage('how many is not said', `write such as webapp resize ${name} 8`);
  const size: Size = {
    processes: processes === undefined ? undefined : wholeNumber('processes', processes, 1, 256, 8),
    replicas: values.replicas === undefined ? undefined : wholeNumber('--replicas', values.replicas, 0, 1000, 3),
  };
  return { kind: 'resize', name, size, ...commonOf(values, isPlugin) };
}

function durationOf(option: string, text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw usage(`${option} ${text} is no duration`, `write such as ${option} 10m`);
  }
}

function namesOf(
  command: LookName,
  [name, more, tooMany]: readonly string[],
  most: 1 | 2,
): [string, string | undefined] {
  if (name === undefined)
    throw usage('which WebApp is not said', `write webapp ${command} NAME; webapp status shows those there are`);
  const extra = most === 1 ? more : tooMany;
  if (extra !== undefined) throw usage(`${extra} is one word too many`, `see webapp ${command} --help`);
  return [name, more];
}

interface CommonValues {
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly 'no-color'?: boolean | undefined;
}

function commonOf(values: CommonValues, isCluster: boolean, all = false): Common {
  const { context, namespace, kubeconfig } = values;
  const isAsked = isCluster || [context, namespace, kubeconfig].some((value) => value !== undefined);
  return {
    noColor: values['no-color'] ?? false,
    where: isAsked ? { kind: 'cluster', context, kubeconfig, namespace: all ? 'all' : namespace } : { kind: 'here' },
  };
}
