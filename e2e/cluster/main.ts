// `npm run cluster …`: a control plane to try things on. Wiring only.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildProgram, clusterCache, PROGRAMS } from './build.ts';
import { startCluster, whyNoCluster } from './control-plane.ts';

const HELP = `npm run cluster <command>

  up [--kwok N]    start a control plane on loopback, in the foreground until Ctrl-C;
                   with N fake nodes whose pods become Ready without running anything
  kubectl ARGS…    kubectl against the one that runs
  build            build the programs, and nothing else
  path             print the folder the programs are kept in

npm keeps flags for itself unless they stand behind --: npm run cluster -- up --kwok 3
`;

/** Says which cluster runs: what \`kubectl\` looks for. */
const stateFile = join(clusterCache, 'running.json');

interface State {
  readonly pid: number;
  readonly kubeconfig: string;
}

async function up(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { kwok: { type: 'string' } } });
  const missing = whyNoCluster();
  if (missing !== undefined) return fail(missing);
  const nodes = values.kwok === undefined ? 0 : Number(values.kwok);
  if (!Number.isInteger(nodes) || nodes < 0 || nodes > 1000)
    return fail(`--kwok ${values.kwok}: write a number of nodes, at most 1000`);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const cluster = await startCluster({ controllers: true, ...(nodes > 0 && { kwok: { nodes } }) });
  mkdirSync(clusterCache, { recursive: true });
  writeFileSync(stateFile, JSON.stringify({ pid: process.pid, kubeconfig: cluster.kubeconfig } satisfies State));
  console.log(`${cluster.server.origin} is ready. In another terminal:

  npm run cluster kubectl get namespaces
  export KUBECONFIG=${cluster.kubeconfig}

Ctrl-C ends it and forgets everything.`);
  await stopped;
  if (runningState()?.pid === process.pid) rmSync(stateFile, { force: true });
  await cluster.close();
}

async function kubectl(args: string[]): Promise<void> {
  const state = runningState();
  if (state === undefined) return fail('no cluster runs: start one with npm run cluster up');
  const path = join(await buildProgram('kubernetes'), 'kubectl');
  const child = spawn(path, args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: state.kubeconfig } });
  // Ctrl-C reaches the child too; it decides what that means (kubectl get --watch ends).
  process.on('SIGINT', () => {});
  child.once('exit', (code) => (process.exitCode = code ?? 1));
}

async function build(): Promise<void> {
  for (const name of PROGRAMS) console.log(await buildProgram(name));
}

function runningState(): State | undefined {
  try {
    const state = JSON.parse(readFileSync(stateFile, 'utf8')) as State;
    process.kill(state.pid, 0);
    return state;
  } catch {
    return undefined;
  }
}

function fail(reason: string): void {
  console.error(reason);
  process.exitCode = 1;
}

const [command, ...rest] = process.argv.slice(2);
const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<void> | void>> = {
  up,
  kubectl,
  build,
  path: () => console.log(clusterCache),
  '--help': () => console.log(HELP),
};
const run = COMMANDS[command ?? '--help'];
if (run === undefined) {
  console.error(`unknown command ${command}\n\n${HELP}`);
  process.exitCode = 2;
} else {
  try {
    await run(rest);
  } catch (error) {
    fail((error as Error).message);
  }
}
