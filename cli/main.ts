// The command `webapp`: wiring only. The command line, the environment, the terminal and its signals come in here.
import manifest from '../package.json' with { type: 'json' };
import { check } from './check.ts';
import { parseCommand } from './command-line.ts';
import { Failure } from './failure.ts';
import { render } from './render.ts';
import { StopRequests } from './run/stop-requests.ts';
import { makePaint, wantsColour } from './terminal/paint.ts';
import { failureText } from './terminal/reporter.ts';
import { type Surroundings, up } from './up.ts';

const USAGE_EXIT = 2;
const args = process.argv.slice(2);

const stops = new StopRequests(() => performance.now());

// Whoever reads our output may go first (`| head`, a closed terminal): nobody is left to tell.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stops.takeFirst());

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  const coloured = wantsColour({ noColor: args.includes('--no-color') }, process.env, process.stderr.isTTY);
  process.stderr.write(`${failureText(error, makePaint(coloured))}\n`);
  process.exitCode = error.code === 'USAGE' ? USAGE_EXIT : 1;
}

async function main(): Promise<number> {
  const command = parseCommand(args);
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
  }
}

function surroundings(): Surroundings {
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
