// The command `webapp`: wiring only. The command line, the environment, the terminal and its signals come in here.
import { basename } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { check } from './check.ts';
import { parseCommand } from './command-line.ts';
import { Failure } from './failure.ts';
import { thisMachine } from './local/this-machine.ts';
import { logs } from './logs.ts';
import { look } from './look.ts';
import type { LookCommand, Whereabouts } from './look-command-line.ts';
import { assertNode } from './node-version.ts';
import { render } from './render.ts';
import { StopRequests } from './run/stop-requests.ts';
import type { Place } from './show/place.ts';
import { makePaint, wantsColour } from './terminal/paint.ts';
import { failureText } from './terminal/reporter.ts';
import { type Surroundings, up } from './up.ts';

const USAGE_EXIT = 2;
/** Found by that name in the PATH, kubectl takes it for `kubectl webapp`. */
const PLUGIN = /^kubectl-webapp(\.|$)/;
const args = process.argv.slice(2);

const outputs = [process.stdout, process.stderr];

// Whoever reads our output may go first (`| head`, a closed terminal): nobody is left to tell.
for (const stream of outputs) stream.on('error', () => {});

try {
  assertNode(process.versions.node, manifest.engines.node);
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  const coloured = wantsColour({ noColor: args.includes('--no-color') }, process.env, process.stderr.isTTY);
  process.stderr.write(`${failureText(error, makePaint(coloured))}\n`);
  process.exitCode = error.code === 'USAGE' ? USAGE_EXIT : 1;
}

async function main(): Promise<number> {
  const command = parseCommand(args, PLUGIN.test(basename(process.argv[1] ?? '')));
  switch (command.kind) {
    case 'help':
      process.stdout.write(command.text);
      return 0;
    case 'version':
      process.stdout.write(`webapp ${manifest.version}\n`);
      return 0;
    case 'check': {
      const { text, exitCode } = check(command.files, command.output, process.cwd());
      process.stdout.write(text);
      return exitCode;
    }
    case 'render':
      process.stdout.write(render(command.files, command.output, process.cwd()));
      return 0;
    case 'up':
      return up(command.options, surroundings());
    default:
      return atPlace(command);
  }
}

async function atPlace(command: Exclude<LookCommand, { kind: 'help' }>): Promise<number> {
  const place = await openPlace(command.where);
  try {
    switch (command.kind) {
      case 'status':
      case 'top':
        return await look(command, place, surroundings());
      case 'logs':
        return await logs(command, place, surroundings());
      case 'resize':
        process.stdout.write(`${await place.resize(command.name, command.size)}\n`);
        return 0;
      case 'restart':
        process.stdout.write(`${await place.restart(command.name)}\n`);
        return 0;
    }
  } finally {
    place.close();
  }
}

/** What speaks to clusters is large: it is loaded when one is meant. */
async function openPlace(where: Whereabouts): Promise<Place> {
  if (where.kind === 'here') return thisMachine();
  const { openCluster } = await import('./cluster/open-cluster.ts');
  return openCluster(where, process.env);
}

function surroundings(): Surroundings {
  const stops = new StopRequests(() => performance.now());
  for (const stream of outputs) stream.on('error', () => stops.takeFirst());
  process.on('SIGINT', () => stops.take());
  process.on('SIGTERM', () => stops.take());
  process.on('SIGHUP', () => stops.takeFirst());
  return {
    cwd: process.cwd(),
    environment: process.env,
    executable: process.execPath,
    output: process.stdout,
    stops,
    now: () => performance.now(),
  };
}
