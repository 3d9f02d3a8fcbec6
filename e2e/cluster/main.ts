// `npm run cluster …`: a Kubernetes to try things on. Wiring only.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundle } from '../../scripts/images/build-images.ts';
import { EXAMPLES, IMAGES } from '../../scripts/images/images.ts';
import { buildProgram, clusterCache, PROGRAMS } from './build.ts';
import { startCluster, whyNoCluster } from './control-plane.ts';
import { closeHeldClusters, sweep } from './native/leftovers.ts';
import { chooseProvider, openRealCluster, PROVIDER_NAMES } from './providers.ts';
import type { ProviderName, RealCluster } from './real-cluster.ts';
import { findRunning, forget, type Running, remember } from './running.ts';
import { installSystemPackages } from './system-packages.ts';

const HELP = `npm run cluster <command>

  up               start a Kubernetes that runs pods: by kind where Docker is, else natively (as root)
     --nodes N         1 to 3 nodes; default 1
     --provider NAME   kind or native; kind takes KUBERNETES_MINOR from the environment, such as 1.36
     --foreground      stay, and end it with Ctrl-C
     --kwok N          instead: a control plane only, with N fake nodes, in the foreground
  down [--all]     end it and remove all of it; --all: those that tests run or have left, too (native only)
  kubectl ARGS…    kubectl against the one that runs
  env              for your shell, so that it has kubectl and helm for it: eval "$(npm run -s cluster env)"
  load FILE        an archive of images (OCI layout) into its nodes
  load images      this repository's images and the examples', built when they are not
  install          what a native cluster and the tests need of the distribution, by apt-get
  build            build the programs, and nothing else
  path             print the folder the programs are kept in

npm keeps flags for itself unless they stand behind --: npm run cluster -- up --nodes 2
`;

const UP = {
  nodes: { type: 'string' },
  kwok: { type: 'string' },
  provider: { type: 'string' },
  foreground: { type: 'boolean' },
} as const;

async function up(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: UP });
  if (await findRunning()) throw new Error('a cluster runs already: end it with npm run cluster down');
  if (values.kwok !== undefined) return upWithoutPods(wholeNumber('--kwok', values.kwok, 0, 1000));
  const provider = chooseProvider(values.provider === undefined ? undefined : providerName(values.provider));
  const missing = provider.whyNot();
  if (missing !== undefined) throw new Error(`no cluster by the provider ${provider.name}: ${missing}`);
  const nodes = wholeNumber('--nodes', values.nodes ?? '1', 1, 3);
  const stopped = values.foreground ? untilStopped() : undefined;
  const state = await provider.start({ nodes });
  const cluster = await provider.open(state);
  remember({ state, kubeconfig: cluster.kubeconfig });
  const stateFile = join(state.folder, 'state.json');
  writeFileSync(stateFile, JSON.stringify(state));
  console.log(`Kubernetes runs, by ${provider.name}, with nodes ${cluster.nodes.join(', ')}. Next:

  npm run cluster kubectl get pods -- -A
  eval "$(npm run -s cluster env)"     kubectl and helm for it, in this shell
  npm run cluster load images          this repository's images, for its pods
  PROMISES_CLUSTER=${stateFile} npm run e2e     the promises, on it; some need --nodes 2
  npm run cluster down                 ends it and removes all of it`);
  if (stopped === undefined) return;
  await Promise.race([stopped, untilGone(stateFile)]);
  await down([]);
}

/** @param nodes kwok's */
async function upWithoutPods(nodes: number): Promise<void> {
  const missing = whyNoCluster();
  if (missing !== undefined) throw new Error(missing);
  const stopped = untilStopped();
  const cluster = await startCluster({ controllers: true, ...(nodes > 0 && { kwok: { nodes } }) });
  remember({ pid: process.pid, kubeconfig: cluster.kubeconfig });
  console.log(`${cluster.server.origin} is ready. In another terminal:

  npm run cluster kubectl get namespaces
  export KUBECONFIG=${cluster.kubeconfig}

Ctrl-C ends it and forgets everything.`);
  await stopped;
  forget();
  await cluster.close();
}

async function down(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { all: { type: 'boolean' } } });
  const running = await findRunning();
  if (running !== undefined && 'pid' in running) process.kill(running.pid, 'SIGTERM');
  else if (running !== undefined) await (await openRealCluster(running.state)).close();
  forget();
  if (!values.all) return;
  await closeHeldClusters();
  await sweep();
}

async function kubectl(args: string[]): Promise<void> {
  const { kubeconfig } = await theRunning();
  const path = join(await buildProgram('kubernetes'), 'kubectl');
  const child = spawn(path, args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: kubeconfig } });
  // Ctrl-C reaches the child too; it decides what that means (kubectl get --watch ends).
  process.on('SIGINT', () => {});
  child.once('exit', (code) => (process.exitCode = code ?? 1));
}

async function env(): Promise<void> {
  const { kubeconfig } = await theRunning();
  const folders = [await buildProgram('kubernetes'), await buildProgram('helm')];
  console.log(`export KUBECONFIG='${kubeconfig}'\nexport PATH="${folders.join(':')}:$PATH"`);
}

async function load([what]: string[]): Promise<void> {
  if (what === undefined) throw new Error('load what? The path of an archive, or: images');
  const cluster = await theCluster();
  const isOurs = what === 'images';
  const archive = isOurs ? (await buildBundle([...Object.values(IMAGES), ...Object.values(EXAMPLES)])).archive : what;
  await cluster.loadImages(archive);
}

async function build(): Promise<void> {
  for (const name of PROGRAMS) console.log(await buildProgram(name));
}

function install(): void {
  const installed = installSystemPackages();
  console.log(installed.length === 0 ? 'all is there' : `installed ${installed.join(', ')}`);
}

async function theRunning(): Promise<Running> {
  const running = await findRunning();
  if (running === undefined) throw new Error('no cluster runs: start one with npm run cluster up');
  return running;
}

async function theCluster(): Promise<RealCluster> {
  const running = await theRunning();
  if ('pid' in running) throw new Error('what runs has no nodes that hold images: start one with npm run cluster up');
  return openRealCluster(running.state);
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}

/** Another terminal may have ended it. */
function untilGone(path: string): Promise<void> {
  return new Promise((resolve) => {
    const looking = setInterval(() => {
      if (existsSync(path)) return;
      clearInterval(looking);
      resolve();
    }, 1000);
  });
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`${flag} ${text}: write a number from ${least} to ${most}`);
  return value;
}

function providerName(text: string): ProviderName {
  const found = PROVIDER_NAMES.find((name) => name === text);
  if (found === undefined) throw new Error(`--provider ${text}: write one of ${PROVIDER_NAMES.join(', ')}`);
  return found;
}

const [command, ...rest] = process.argv.slice(2);
const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<void> | void>> = {
  up,
  down,
  kubectl,
  env,
  load,
  install,
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
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
