// The program webapp-operator: wiring only. Command line, environment and signals come in here. Exit codes: 0 asked to stop, 1 an address, or the
// Lease was lost, 2 the command line, the manifest or the credentials, 70 an error inside.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { stringify } from 'yaml';
import { makeCrd } from '../core/app/crd.ts';
import { systemClock } from '../core/clock.ts';
import { ProblemsError } from '../core/errors.ts';
import { makeLog } from '../core/log.ts';
import { inClusterAccess } from '../kube/access/in-cluster.ts';
import { kubeconfigAccess } from '../kube/access/kubeconfig.ts';
import type { Access } from '../kube/transport.ts';
import manifest from '../package.json' with { type: 'json' };
import { dryRun } from './dry-run.ts';
import { describeFailure, EXIT_INTERNAL } from './failure.ts';
import { type Flags, parseFlags, USAGE } from './flags.ts';
import { Program } from './program.ts';

const log = makeLog((line) => process.stderr.write(`${line}\n`), systemClock.wall);

process.on('uncaughtException', (error) => {
  log.error('uncaught error', { code: 'INTERNAL', reason: error });
  process.exit(EXIT_INTERNAL);
});

try {
  const command = parseFlags(process.argv.slice(2), manifest.version);
  if (command === 'help') process.stdout.write(USAGE);
  else if (command === 'version') process.stdout.write(`webapp-operator ${manifest.version}\n`);
  else if (command === 'crd')
    process.stdout.write(stringify(makeCrd(), { lineWidth: 120, aliasDuplicateObjects: false }));
  else if ('dryRun' in command) printDryRun(command.dryRun);
  else await run(command.run);
} catch (error) {
  const { exitCode, ...failure } = describeFailure(error);
  log.error('the operator cannot start', failure);
  process.exitCode = exitCode;
}

/** For a person at a terminal, so problems are text and not a line of the log. */
function printDryRun({ file, settings }: { file: string; settings: Flags['settings'] }): void {
  try {
    process.stdout.write(dryRun(readFileSync(file === '-' ? 0 : file, 'utf8'), settings).yaml);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (!(error instanceof ProblemsError) && code === undefined) throw error;
    process.stderr.write(`${message}\n`);
    process.exitCode = 2;
  }
}

async function run(flags: Flags): Promise<void> {
  const program = new Program({
    flags,
    access: await openAccess(flags),
    identity: `${flags.identity ?? hostname()}_${randomBytes(4).toString('hex')}`,
    version: manifest.version,
    log,
    clock: systemClock,
    onFatal: (reason) => {
      log.error('the operator ends', { code: 'LEASE_LOST', reason });
      process.exit(1);
    },
  });
  const stop = (): void => void program.stop().then(() => process.exit(0));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await program.start();
}

function openAccess({ kubeconfig, context }: Flags): Access | Promise<Access> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const inCluster = kubeconfig === undefined && context === undefined && host !== undefined && port !== undefined;
  if (inCluster) return inClusterAccess({ host, port });
  return kubeconfigAccess({ path: kubeconfig, context });
}
