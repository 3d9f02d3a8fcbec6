// The operator as a process of its own, against a real API server: started, asked for its metrics, stopped or killed. For the tests here
// and for the benchmark.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface OperatorProcess {
  readonly pid: number;
  /** `host:port` of its admin port. */
  readonly admin: string;
  /** What it logged, the last 20,000 lines. */
  readonly log: readonly LogLine[];
  /** Sum of the samples of one metric. */
  metric(name: string): Promise<number>;
  /** SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<number | null>;
}

export interface OperatorOptions {
  /** A file; or what a pod has instead of one. */
  readonly kubeconfig: string | InCluster;
  readonly flags?: readonly string[];
  /** Laid over this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the source, run by this Node. */
  readonly program?: readonly string[];
  /** Resolve when it is up, though it may not lead. Default: when it reconciles. */
  readonly standby?: boolean;
}

/** Where a pod finds the API server, and the folder with its token and CA. */
export interface InCluster {
  readonly server: URL;
  readonly folder: string;
}

const SOURCE = [process.execPath, fileURLToPath(new URL('../../operator/main.ts', import.meta.url))];
const KEPT_LINES = 20_000;

/** @throws Error with its last lines when it ends before it is up */
export function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const child = spawnOperator(options);
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const log: LogLine[] = [];
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  return new Promise((resolve, reject) => {
    let admin = '';
    // Read to the end: a full pipe would stop it.
    createInterface({ input: child.stderr }).on('line', (text) => {
      const line = parseLine(text);
      log.push(line);
      if (log.length > KEPT_LINES) log.shift();
      if (line.msg === 'listening') admin = String(line['admin']);
      if (line.msg !== (options.standby ? 'caches are complete' : 'reconciling')) return;
      resolve({
        pid: child.pid ?? 0,
        admin,
        log,
        metric: (name) => readMetric(admin, name),
        stop: () => end('SIGTERM'),
        kill: async () => void (await end('SIGKILL')),
        ended,
      });
    });
    void ended.then((code) => reject(new Error(`the operator ended with ${code}: ${JSON.stringify(log.slice(-5))}`)));
  });
}

function spawnOperator({
  kubeconfig,
  flags = [],
  program = SOURCE,
  env: own = {},
}: OperatorOptions): ChildProcessByStdio<null, null, Readable> {
  const stdio: ['ignore', 'ignore', 'pipe'] = ['ignore', 'ignore', 'pipe'];
  const run = [...program, 'run', '--admin', '127.0.0.1:0', ...flags];
  if (typeof kubeconfig === 'string') {
    const [command = '', ...args] = run;
    return spawn(command, [...args, '--kubeconfig', kubeconfig], { stdio, env: { ...process.env, ...own } });
  }
  // A mount namespace of its own, with the folder where a pod has it.
  const account = '/run/secrets/kubernetes.io/serviceaccount';
  const mounts = `mount -t tmpfs none /run && mkdir -p ${account} && cp -a "$0"/. ${account} && exec "$@"`;
  const env = {
    ...process.env,
    ...own,
    KUBERNETES_SERVICE_HOST: kubeconfig.server.hostname,
    KUBERNETES_SERVICE_PORT: kubeconfig.server.port,
  };
  return spawn('unshare', ['-m', 'sh', '-c', mounts, kubeconfig.folder, ...run], { stdio, env });
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: 'error', msg: text };
  }
}

async function readMetric(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
