// The program webapp-proxy: reads the command line, starts the proxy, passes signals on, and says by its exit code how it went:
// 0 asked to stop, 1 an address, 2 the command line or the configuration.
import { systemClock } from '../core/clock.ts';
import { CodedError, ProblemsError } from '../core/errors.ts';
import { type LogFields, makeLog } from '../core/log.ts';
import { AddressError } from '../http/address.ts';
import { endWithParent } from '../http/parent-watch.ts';
import { type Flags, parseFlags, USAGE } from './flags.ts';
import { type Program, startProgram } from './program.ts';

const log = makeLog((line) => process.stderr.write(`${line}\n`), systemClock.wall);

// Node prints warnings as text of several lines, and http-proxy 1.18 uses two functions that Node warns of.
process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  if (name !== 'DeprecationWarning') log.warn(message, { warning: name });
});

let program: Program | undefined;
// From the first moment on: without a listener, Node answers SIGUSR1 by opening its debugger.
process.on('SIGUSR1', () => program?.reopenAccessLog());

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const flags = readFlags(args);
  if (flags === 'help') process.stdout.write(USAGE);
  else if (flags !== null) await run(flags);
}

function readFlags(args: readonly string[]): Flags | 'help' | null {
  try {
    return parseFlags(args);
  } catch (error) {
    refuse(2, { code: 'USAGE', ...explain(error) });
    return null;
  }
}

async function run(flags: Flags): Promise<void> {
  try {
    program = await startProgram({ flags, log, clock: systemClock, pid: process.pid });
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    if (flags.exitWithParent) endWithParent(process.stdin, stop, () => process.exit(1));
  } catch (error) {
    if (error instanceof AddressError) refuse(1, { code: error.code, reason: error.reason, mend: error.mend });
    else if (error instanceof ProblemsError) refuse(2, { code: codeOf(error), ...explain(error) });
    else refuse(1, { code: error instanceof CodedError ? error.code : 'START_FAILED', ...explain(error) });
  }
}

function codeOf({ problems }: ProblemsError): string {
  return problems.some(({ field }) => field.startsWith('--')) ? 'USAGE' : 'CONFIG_INVALID';
}

function stop(): void {
  void program?.stop().then(() => process.exit(0));
}

function explain(error: unknown): LogFields {
  if (!(error instanceof ProblemsError))
    return { reason: error instanceof Error ? error.message : String(error), mend: '' };
  const mend = error.problems.map((problem) => problem.mend).join('; ');
  return { reason: error.message, mend, problems: error.problems };
}

function refuse(exitCode: number, fields: LogFields): void {
  log.error('cannot start', fields);
  process.exitCode = exitCode;
}
