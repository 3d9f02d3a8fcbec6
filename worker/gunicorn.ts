// gunicorn's command line, as far as it means something here: its flags become a worker document. What has no meaning here is
// refused by name, with what to do instead; a flag that is silently ignored is a promise that is silently broken. Pure.
import { hashed, resolveRuntime, type WorkerConfig } from '../core/config/worker.ts';
import { parseQuantity } from '../core/quantity.ts';
import { UsageError } from './usage-error.ts';

const USED = {
  bind: { type: 'string', short: 'b' },
  workers: { type: 'string', short: 'w' },
  threads: { type: 'string' },
  timeout: { type: 'string', short: 't' },
  'graceful-timeout': { type: 'string' },
  'max-requests': { type: 'string' },
  'max-requests-jitter': { type: 'string' },
  preload: { type: 'boolean' },
  chdir: { type: 'string' },
  env: { type: 'string', short: 'e', multiple: true },
  backlog: { type: 'string' },
  name: { type: 'string', short: 'n' },
  'worker-class': { type: 'string', short: 'k' },
  'forwarded-allow-ips': { type: 'string' },
  'limit-request-body': { type: 'string' },
  runtime: { type: 'string' },
} as const;

const SERVES_ITSELF = 'Leave it out: the worker reads requests itself, and a slow client holds no process.';
const PROXY_LOGS = 'Leave it out: the proxy in front writes the access log; errors are JSON lines on stderr.';
const STDERR = 'Leave it out and redirect stderr instead.';
const PROXY_TLS = 'Leave it out: the proxy in front has the certificates.';
const AS_USER = 'Leave it out and start the worker as that user.';

/** Flags of gunicorn that mean nothing here: what to do instead. */
const REFUSED = {
  'worker-connections': { type: 'string', mend: SERVES_ITSELF },
  'keep-alive': { type: 'string', mend: SERVES_ITSELF },
  'limit-request-line': { type: 'string', mend: SERVES_ITSELF },
  'limit-request-fields': { type: 'string', mend: SERVES_ITSELF },
  'limit-request-field_size': { type: 'string', mend: SERVES_ITSELF },
  'worker-tmp-dir': {
    type: 'string',
    mend: 'Leave it out: there is no heartbeat file; each request has its own deadline.',
  },
  'reuse-port': { type: 'boolean', mend: 'Leave it out: one socket serves, and a free process gets the request.' },
  reload: { type: 'boolean', mend: 'Run webapp up --reload, or send SIGHUP when the code has changed.' },
  daemon: { type: 'boolean', mend: 'Leave it out and let systemd, Docker or Kubernetes run the worker.' },
  pid: { type: 'string', mend: 'Leave it out: whoever starts the worker knows its pid, and /status says it.' },
  user: { type: 'string', mend: AS_USER },
  group: { type: 'string', mend: AS_USER },
  umask: { type: 'string', mend: 'Leave it out and set the umask before the worker starts.' },
  'access-logfile': { type: 'string', mend: PROXY_LOGS },
  'access-logformat': { type: 'string', mend: PROXY_LOGS },
  'error-logfile': { type: 'string', mend: STDERR },
  'log-file': { type: 'string', mend: STDERR },
  'log-level': { type: 'string', mend: 'Leave it out: the log says what a person must know, once.' },
  'log-config': { type: 'string', mend: STDERR },
  'capture-output': { type: 'boolean', mend: 'Leave it out: what the application prints passes through as it is.' },
  'statsd-host': { type: 'string', mend: 'Use --admin ADDR: /metrics there is for Prometheus.' },
  paste: { type: 'string', mend: 'Give the application as module:callable.' },
  certfile: { type: 'string', mend: PROXY_TLS },
  keyfile: { type: 'string', mend: PROXY_TLS },
  'proxy-protocol': { type: 'boolean', mend: 'Leave it out: the proxy in front tells the client in X-Forwarded-For.' },
} as const;

const refusedOptions = Object.fromEntries(Object.entries(REFUSED).map(([name, { type }]) => [name, { type }])) as {
  [Name in keyof typeof REFUSED]: { type: (typeof REFUSED)[Name]['type'] };
};

export const GUNICORN_OPTIONS = { ...USED, ...refusedOptions } as const;

export const GUNICORN_HELP = `  -b, --bind ADDR          as --listen; also 0.0.0.0:$PORT when PORT is set
  -w, --workers N          application processes, or auto: one for each CPU ($WEB_CONCURRENCY or 1)
      --threads N          requests that one process serves at a time (1; Node: 100)
  -t, --timeout SECONDS    longest time of one request, then 504; 0: none (30)
      --graceful-timeout S longest time to finish when a process must leave (30)
      --max-requests N     replace a process after so many requests; 0: never (0)
      --max-requests-jitter N
      --preload            import once and fork (Python)
      --chdir DIR          as --directory
  -e, --env NAME=VALUE     a variable for the application, again for more
      --backlog N          requests that may wait for a free process (500)
      --limit-request-body SIZE  such as 10Mi (1Gi)
      --forwarded-allow-ips '*'  believe X-Forwarded-For and -Proto
  -k, --worker-class NAME  sync and gthread are taken and change nothing
  -n, --name NAME          for logs and metrics (the application's)
      --runtime NAME       wsgi or node (from the application's name)
`;

type Value<Option> = Option extends { multiple: true }
  ? string[]
  : Option extends { type: 'boolean' }
    ? boolean
    : string;
export type GunicornValues = { readonly [Name in keyof typeof USED]?: Value<(typeof USED)[Name]> };

export function isRefused(name: string): boolean {
  return name in REFUSED;
}

/** @throws UsageError naming the first flag that means nothing here */
export function refuseUnused(values: Readonly<Record<string, unknown>>): void {
  for (const [name, { mend }] of Object.entries(REFUSED)) {
    if (values[name] !== undefined) throw new UsageError(`--${name} of gunicorn has no meaning here.`, mend);
  }
}

/** Longer than any request, and what a timer can hold: gunicorn's `--timeout 0`. 24 days. */
const NO_TIMEOUT_MS = 24 * 86_400_000;

/**
 * @param webConcurrency $WEB_CONCURRENCY
 * @throws UsageError
 */
export function configOf(app: string, values: GunicornValues, webConcurrency: string | undefined): WorkerConfig {
  const runtime = runtimeOf(app, values.runtime ?? 'auto');
  requireKnownClass(values['worker-class']);
  const maxRequests = whole('--max-requests', values['max-requests'] ?? '0', 0, 1e9);
  const jitter = whole('--max-requests-jitter', values['max-requests-jitter'] ?? '0', 0, 1e9);
  return hashed({
    kind: 'WorkerConfig',
    version: 1,
    name: (values.name ?? app).slice(0, 253),
    app,
    runtime,
    env: variables(values.env ?? []),
    processes: processes(values.workers, webConcurrency),
    threads: whole('--threads', values.threads ?? (runtime === 'node' ? '100' : '1'), 1, 1024),
    preload: values.preload ?? false,
    timeouts: {
      requestMs: seconds('--timeout', values.timeout ?? '30') || NO_TIMEOUT_MS,
      gracefulMs: Math.max(1, seconds('--graceful-timeout', values['graceful-timeout'] ?? '30')),
      bootMs: 60_000,
    },
    ...(maxRequests > 0 && { maxRequests: { count: maxRequests, jitter } }),
    queue: { max: whole('--backlog', values.backlog ?? '500', 0, 100_000), timeoutMs: 30_000 },
    limits: {
      bodyBytes: size('--limit-request-body', values['limit-request-body'] ?? '1Gi'),
      bodyMemoryBytes: 256 * 1024,
      headBytes: 64 * 1024,
      responseBufferBytes: 1024 * 1024,
      connections: 10_000,
    },
    trustForwarded: trust(values['forwarded-allow-ips']),
  });
}

function runtimeOf(app: string, text: string): WorkerConfig['runtime'] {
  if (app.length > 256)
    throw new UsageError('The name of the application is too long.', 'Write at most 256 characters.');
  if (text === 'auto' || text === 'wsgi' || text === 'node') return resolveRuntime(app, text);
  throw new UsageError(`--runtime ${text} is not known.`, 'Write wsgi, node or auto.');
}

function requireKnownClass(name: string | undefined): void {
  if (name === undefined || name === 'sync' || name === 'gthread') return;
  throw new UsageError(
    `--worker-class ${name} has no meaning here.`,
    'Leave it out: --threads says how many requests a process serves at a time.',
  );
}

function processes(workers: string | undefined, webConcurrency: string | undefined): WorkerConfig['processes'] {
  if (workers === 'auto') return 'auto';
  if (workers !== undefined) return whole('--workers', workers, 1, 256);
  return whole('$WEB_CONCURRENCY', webConcurrency || '1', 1, 256);
}

function variables(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)];
      throw new UsageError(`--env ${pair} has no value.`, 'Write --env NAME=VALUE.');
    }),
  );
}

function trust(addresses: string | undefined): boolean {
  if (addresses === undefined) return false;
  if (addresses === '*') return true;
  throw new UsageError(
    `--forwarded-allow-ips ${addresses} is not supported.`,
    "Write '*' when only your own proxy can reach the worker, or leave it out.",
  );
}

function whole(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^[0-9]+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`${flag} ${text} is not a whole number from ${least} to ${most}.`, `Write such as ${flag} 4.`);
}

/** gunicorn counts in seconds. @returns milliseconds */
function seconds(flag: string, text: string): number {
  const number = Number(text);
  if (/^[0-9]+(\.[0-9]+)?$/.test(text) && number <= NO_TIMEOUT_MS / 1000) return Math.ceil(number * 1000);
  throw new UsageError(`${flag} ${text} is not a number of seconds.`, `Write such as ${flag} 30.`);
}

function size(flag: string, text: string): number {
  try {
    return parseQuantity(text);
  } catch {
    throw new UsageError(`${flag} ${text} is not a size.`, 'Write bytes, or such as 512Ki or 10Mi.');
  }
}
