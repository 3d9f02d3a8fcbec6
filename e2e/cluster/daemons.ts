// The processes of one cluster and their folder: started as children, guarded (guard.sh), their logs bounded. Knows no Kubernetes.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOG_BYTES = 16 * 2 ** 20;
const LOG_TAIL_BYTES = 4096;

export interface Daemon {
  readonly name: string;
  readonly pid: number;
  /** Resolves with the exit code or signal when the process is gone. */
  readonly gone: Promise<string>;
  /** How it ended, undefined while it lives. */
  ended(): string | undefined;
  /** Last lines of what it printed. */
  logTail(): string;
  /** Resolves when it is gone. After `patienceMs` it is killed. */
  stop(signal: 'SIGTERM' | 'SIGKILL', patienceMs?: number): Promise<void>;
}

export interface Daemons {
  /** For data, certificates and logs; removed by close, or by the guard. Readable by its owner only. */
  readonly folder: string;
  start(path: string, args: readonly string[], env?: Readonly<Record<string, string>>): Daemon;
  /** Those that live. */
  running(): readonly Daemon[];
  /** Kills all and removes the folder. Twice is safe. */
  close(): Promise<void>;
}

export function startDaemons(): Daemons {
  const folder = mkdtempSync(join(tmpdir(), 'webapp-cluster-'));
  const guard = startGuard(folder);
  const guardGone = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
  const running = new Set<Daemon>();
  return {
    folder,
    start: (path, args, env = {}) => {
      const daemon = spawnDaemon(basename(path), path, args, folder, env);
      running.add(daemon);
      guard.stdin?.write(`+ ${daemon.pid}\n`);
      void daemon.gone.then(() => {
        running.delete(daemon);
        if (guard.stdin?.writable) guard.stdin.write(`- ${daemon.pid}\n`);
      });
      return daemon;
    },
    running: () => [...running],
    close: async () => {
      await Promise.all([...running].map((daemon) => daemon.stop('SIGKILL')));
      guard.ref();
      guard.stdin?.end();
      await guardGone;
    },
  };
}

/** In a session of its own, so that a Ctrl-C meant for the starter leaves it to do its work. */
function startGuard(folder: string): ChildProcess {
  const script = fileURLToPath(new URL('guard.sh', import.meta.url));
  const guard = spawn('sh', [script, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' });
  guard.stdin?.on('error', () => {}); // it is gone: close() sees that
  guard.unref();
  return guard;
}

/**
 * Unguarded: for a caller whose end is its children's end anyway. Its output goes straight into `folder/NAME.log`, which is kept from growing
 * without bound: a pipe would stop it whenever the starter is busy.
 */
export function spawnDaemon(
  name: string,
  path: string,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Daemon {
  const log = join(folder, `${name}.log`);
  const file = openSync(log, 'a', 0o600);
  try {
    const stdio = ['ignore', file, file] as const;
    const child = spawn(path, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: [...stdio],
      detached: true,
    });
    return makeDaemon(child, name, log);
  } finally {
    closeSync(file);
  }
}

function makeDaemon(child: ChildProcess, name: string, log: string): Daemon {
  let how: string | undefined;
  const gone = new Promise<string>((resolve) => {
    const end = (words: string): void => {
      how = words;
      resolve(words);
    };
    child.once('exit', (code, signal) => end(signal ?? `code ${code}`));
    child.once('error', (error) => end(error.message));
  });
  if (child.pid === undefined) throw new Error(`${name} could not be started`);
  const { pid } = child;
  const trimming = setInterval(() => trimLog(log), 5000);
  trimming.unref();
  void gone.then(() => clearInterval(trimming));
  return {
    name,
    pid,
    gone,
    ended: () => how,
    logTail: () => tail(log),
    stop: async (signal, patienceMs = 10_000) => {
      if (how !== undefined) return;
      child.kill(signal);
      const lateKill = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await gone;
      clearTimeout(lateKill);
    },
  };
}

function tail(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(-LOG_TAIL_BYTES);
  } catch {
    return '';
  }
}

/** The daemon appends: an emptied file is written on from its beginning. */
function trimLog(log: string): void {
  try {
    if (statSync(log).size > LOG_BYTES) truncateSync(log);
  } catch {
    // removed with the folder
  }
}
