// The program webapp-proxy: wiring only. Command line and signals come in here; program.ts does the rest. Exit codes: 0 asked to
// stop, 1 an address, 2 the command line or the configuration, 70 an error inside.
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { reserve } from '../http/bind.ts';
import { endWithParent } from '../http/parent-watch.ts';
import manifest from '../package.json' with { type: 'json' };
import type { PodApiServer } from './api-server.ts';
import { describeFailure, EXIT_INTERNAL } from './failure.ts';
import { argsOfChild, type Flags, parseFlags, USAGE } from './flags.ts';
import { Master } from './master.ts';
import type { Program } from './program.ts';

const log = makeLog((line) => process.stderr.write(`${line}\n`), systemClock.wall);
let program: Program | undefined;
let master: Master | undefined;

handleWarnings();
handleErrors();
// From the first moment on: without a listener, Node answers SIGUSR1 by opening its debugger.
process.on('SIGUSR1', () => (master ? master.pass('SIGUSR1') : program?.reopenAccessLog()));

try {
  const command = parseFlags(process.argv.slice(2));
  if (command === 'help') process.stdout.write(USAGE);
  else if (command === 'version') process.stdout.write(`webapp-proxy ${manifest.version}\n`);
  else if (command.master) await runMaster(command);
  else await run(command);
} catch (error) {
  const { exitCode, ...failure } = describeFailure(error);
  log.error('the proxy cannot start', failure);
  process.exitCode = exitCode;
}

async function run(flags: Flags): Promise<void> {
  // Loaded here, because a master has no use for it: 20 MiB less.
  const { startProgram } = await import('./program.ts');
  program = await startProgram({ flags, log, clock: systemClock, pid: process.pid, pod: readPod(process.env) });
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (flags.exitWithParent) endWithParent(process.stdin, stop, () => process.exit(1));
}

async function runMaster(flags: Flags): Promise<void> {
  if ('path' in flags.listen) return;
  const socket = await reserve(flags.listen);
  const { port } = socket.address();
  const command = [
    process.execPath,
    ...process.execArgv,
    process.argv[1] ?? '',
    ...argsOfChild(process.argv.slice(2), { ...flags.listen, port }),
  ];
  master = new Master({ socket, command, log, clock: systemClock });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => master?.stop(signal));
  if (flags.exitWithParent)
    endWithParent(
      process.stdin,
      () => master?.stop('SIGTERM'),
      () => process.exit(1),
    );
  master.start();
  process.exit(await master.ended);
}

/** Every container of a pod is told so; outside of one nobody is. */
function readPod(env: NodeJS.ProcessEnv): PodApiServer | null {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  return host && port ? { host, port } : null;
}

function stop(): void {
  void program?.stop().then(() => process.exit(0));
}

/** Node prints warnings as text of several lines; and http-proxy 1.18 uses two functions that Node deprecates. */
function handleWarnings(): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    if (name !== 'DeprecationWarning') log.warn(message, { warning: name });
  });
}

/** What nobody caught leaves an unknown state behind. The kernel closes the rest. */
function handleErrors(): void {
  process.on('uncaughtException', (error) => {
    log.error('uncaught error', { code: 'INTERNAL', reason: error });
    process.exit(EXIT_INTERNAL);
  });
}
