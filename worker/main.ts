// The program `webapp-worker`: wiring only. Command line and surroundings come in here, signals too; program.ts does the rest.
import { availableParallelism, tmpdir } from 'node:os';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { endWithParent } from '../http/parent-watch.ts';
import manifest from '../package.json' with { type: 'json' };
import { openCgroup } from './cgroup.ts';
import { copyStatic } from './copy-static/copy.ts';
import { describeFailure, EXIT_INTERNAL } from './failure.ts';
import { parseCommand, type Settings } from './flags.ts';
import { EXIT, Program } from './program.ts';
import { readResident } from './resident.ts';
import { makeNodeRuntime } from './runtimes/node.ts';
import { makeWsgiRuntime } from './runtimes/wsgi.ts';
import { autoProcesses } from './supervisor.ts';

const log = makeLog((line) => process.stderr.write(`${line}\n`), systemClock.wall);
const { env } = process;

try {
  const command = parseCommand(process.argv.slice(2), {
    cwd: process.cwd(),
    port: env['PORT'],
    webConcurrency: env['WEB_CONCURRENCY'],
  });
  if (command.kind === 'help') process.stdout.write(command.text);
  else if (command.kind === 'version') process.stdout.write(`webapp-worker ${manifest.version}\n`);
  else if (command.kind === 'copy-static') copyStatic(command.order, log);
  else await run(command.settings);
} catch (error) {
  const { exitCode, ...failure } = describeFailure(error);
  log.error(process.argv[2] === 'copy-static' ? 'nothing is copied' : 'the worker cannot start', failure);
  process.exit(exitCode);
}

async function run(settings: Settings): Promise<void> {
  const cgroup = openCgroup();
  const program = new Program({
    settings,
    log,
    clock: systemClock,
    pid: process.pid,
    cpus: autoProcesses(cgroup.cpuLimit(), availableParallelism()),
    cgroup,
    residentOf: readResident,
    // Not XDG_RUNTIME_DIR first: request bodies go there too, and it is a small part of memory.
    runParents: [tmpdir(), ...(env['XDG_RUNTIME_DIR'] ? [env['XDG_RUNTIME_DIR']] : [])],
    runtimes: { wsgi: makeWsgiRuntime, node: makeNodeRuntime },
  });
  handleSignals(program);
  handleErrors(program);
  if (settings.exitWithParent)
    endWithParent(
      process.stdin,
      () => program.interrupt(),
      () => process.exit(EXIT.forced),
    );
  await program.start();
  process.exit(await program.ended);
}

function handleSignals(program: Program): void {
  process.on('SIGTERM', () => void program.drain());
  process.on('SIGINT', () => program.interrupt());
  process.on('SIGQUIT', () => void program.quit(EXIT.done));
  process.on('SIGHUP', () => program.reload());
  process.on('SIGTTIN', () => program.adjust(1));
  process.on('SIGTTOU', () => program.adjust(-1));
  // gunicorn's "reopen the logs" and "start a second master": there is no log file, and no second master. Unhandled, the
  // first would open Node's debugger and the second end the program.
  process.on('SIGUSR1', () => log.info('SIGUSR1: there is no log file to reopen'));
  process.on('SIGUSR2', () => log.warn('SIGUSR2 is not supported: send SIGHUP to replace the processes'));
}

/** What nobody caught leaves an unknown state behind. The kernel closes the rest; the processes see their connection lost. */
function handleErrors(program: Program): void {
  process.on('uncaughtException', (error) => {
    log.error('uncaught error', { code: 'INTERNAL', reason: error });
    program.abandon();
    process.exit(EXIT_INTERNAL);
  });
}
