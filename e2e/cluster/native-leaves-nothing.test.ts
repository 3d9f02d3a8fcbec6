// However a native cluster ends, the machine is as before: no process, mount, cgroup, interface or folder of it.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildProgram, clusterCache } from './build.ts';
import { skipWhatFollows } from './fixture.ts';
import { cgroupMounts } from './native/cgroups.ts';
import { nativeProvider } from './native/provider.ts';
import { readDetails } from './native/state.ts';
import { systemImages } from './native/system-images.ts';
import { until } from './until.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const BUILD_MS = 40 * 60_000;

const missing = nativeProvider.whyNot();
if (missing !== undefined) skipWhatFollows(missing);
beforeAll(async () => {
  await buildProgram('etcd');
  await buildProgram('kubernetes');
  await buildProgram('helm');
  await systemImages();
}, BUILD_MS);

test('npm run cluster up, kubectl, env, down', async () => {
  const { home, env } = placeOfItsOwn();
  const before = machine();
  const up = await output(start(env, 'up', '--provider', 'native'));
  expect(up).toContain('Kubernetes runs, by native, with nodes node-0.');
  expect(await output(start(env, 'up'))).toContain('a cluster runs already: end it with npm run cluster down');
  expect(await output(start(env, 'kubectl', 'get', 'nodes'))).toMatch(/node-0\s+Ready/);
  const commands = `eval "$(node ${main} env)"; kubectl get namespaces; helm list --all-namespaces`;
  expect(await output(spawn('sh', ['-c', commands], { env }))).toMatch(
    /kube-system\s+Active.*NAME\s+NAMESPACE\s+REVISION/s,
  );

  const traces = tracesOf(folderIn(home));
  expect(traces.processes().length).toBeGreaterThan(10);
  expect(traces.cgroups()).not.toEqual([]);
  expect(await output(start(env, 'down'))).toBe('');
  expect(traces.left()).toEqual([]);
  expect(machine()).toEqual(before);
  expect(await output(start(env, 'down'))).toBe('');
  expect(await output(start(env, 'kubectl', 'get', 'nodes'))).toContain(
    'no cluster runs: start one with npm run cluster up',
  );
});

test('its holder was killed', async () => {
  const { home, env } = placeOfItsOwn();
  const before = machine();
  await output(start(env, 'up', '--provider', 'native'));
  const traces = tracesOf(folderIn(home));
  const holder = traces
    .processes()
    .find((pid) => commandOf(pid).includes('/holder.ts') && !commandOf(pid).includes('.sh'));
  if (holder === undefined) throw new Error('no holder');
  process.kill(holder, 'SIGKILL');
  await until('end of everything', () => traces.left().length === 0);
  expect(machine()).toEqual(before);
  expect(await output(start(env, 'kubectl', 'get', 'nodes'))).toContain('no cluster runs');
});

test('even its keeper was killed: what is left is found, and what runs is ended', async () => {
  const { home, env } = placeOfItsOwn();
  await output(start(env, 'up', '--provider', 'native'));
  const traces = tracesOf(folderIn(home));
  const keeper = traces.processes().find((pid) => /keeper\.sh\0/.test(commandOf(pid)));
  if (keeper === undefined) throw new Error('no keeper');
  process.kill(keeper, 'SIGKILL');
  await until('end of its processes', () => traces.processes().length === 0);
  expect(existsSync(traces.folder)).toBe(true);
  expect(await output(start(env, 'down', '--all'))).toBe('');
  expect(traces.left()).toEqual([]);
});

test('it could not start, and the log of what did not is told', async () => {
  const { home, env } = placeOfItsOwn({ broken: 'kubernetes' });
  const before = machine();
  const said = await output(start(env, 'up', '--provider', 'native'));
  expect(said).toMatch(/the cluster did not start: kube-apiserver ended \(code 3\) before it is ready:\s+no such flag/);
  expect(readdirSync(home)).toEqual(['cache']);
  expect(machine()).toEqual(before);
});

test('its starter went away meanwhile', async () => {
  const { home, env } = placeOfItsOwn();
  const up = start(env, 'up', '--provider', 'native');
  await until(
    'a cluster on its way',
    () => existsSync(join(home, 'cache')) && folderIn(home) !== '' && hasStarted(folderIn(home)),
  );
  const traces = tracesOf(folderIn(home));
  up.kill('SIGKILL');
  await until('end of everything', () => traces.left().length === 0);
  expect(readdirSync(home)).toEqual(['cache']);
});

/** A folder for temporary files, and a cache with the built programs, but no cluster that somebody runs here. */
function placeOfItsOwn({ broken }: { broken?: string } = {}): { home: string; env: NodeJS.ProcessEnv } {
  const home = mkdtempSync(join(tmpdir(), 'native-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const folder = join(home, 'cache', 'webapp-operator', 'cluster');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(clusterCache).filter((entry) => !/lock|partial|running/.test(entry))) {
    if (name.split('-')[0] === broken) makeBroken(join(folder, name));
    else symlinkSync(join(clusterCache, name), join(folder, name));
  }
  return { home, env: { ...process.env, TMPDIR: home, XDG_CACHE_HOME: join(home, 'cache') } };
}

function makeBroken(folder: string): void {
  mkdirSync(folder);
  const program = join(folder, 'kube-apiserver');
  writeFileSync(program, '#!/bin/sh\necho no such flag; exit 3\n');
  chmodSync(program, 0o755);
}

/** Of the cluster, '' while there is none. */
function folderIn(home: string): string {
  const name = readdirSync(home).find((entry) => entry.startsWith('webapp-cluster-'));
  return name === undefined ? '' : join(home, name);
}

const hasStarted = (folder: string): boolean => existsSync(join(folder, 'etcd.log')) && initOf(folder) !== undefined;

interface Traces {
  readonly folder: string;
  processes(): number[];
  cgroups(): string[];
  /** All that can be seen of it. */
  left(): (string | number)[];
}

/** Of a cluster that runs. Its processes are those of its process namespace, and what waits for them outside. */
function tracesOf(folder: string): Traces {
  const space = namespaceOf(initOf(folder) ?? 0);
  const { cgroup } = readDetails(folder);
  const processes = (): number[] =>
    pids().filter((pid) => namespaceOf(pid) === space || commandOf(pid).includes(folder));
  const cgroups = (): string[] =>
    cgroupMounts(readFileSync('/proc/self/mounts', 'utf8')).flatMap((mount) =>
      readdirSync(mount).filter((name) => name.startsWith(cgroup)),
    );
  return {
    folder,
    processes,
    cgroups,
    left: () => [...processes(), ...cgroups(), ...(existsSync(folder) ? [folder] : [])],
  };
}

/** Process 1 of the cluster. */
function initOf(folder: string): number | undefined {
  const own = namespaceOf(process.pid);
  return pids().find(
    (pid) => /cluster\.sh\0/.test(commandOf(pid)) && commandOf(pid).includes(folder) && namespaceOf(pid) !== own,
  );
}

const pids = (): number[] => readdirSync('/proc').map(Number).filter(Number.isInteger);

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

/**
 * What a cluster must not change. Its processes and cgroups are looked for by name, its mounts where it makes them for itself: others' come
 * and go.
 */
function machine(): object {
  const places = /^\S+ (\/(run|proc|sys)[/ ]|\/var\/(lib|log)(\/kubelet\S*)? )|webapp-cluster-/;
  const tunables = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'];
  return {
    mounts: readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((mount) => places.test(mount)),
    interfaces: readdirSync('/sys/class/net').sort(),
    routes: readFileSync('/proc/net/route', 'utf8'),
    tunables: tunables.map((name) => readFileSync(`/proc/sys/${name}`, 'utf8')),
    places: ['/var/lib/kubelet', '/var/log/pods', '/run/containerd', '/etc/cni/net.d'].filter(existsSync),
  };
}

function start(env: NodeJS.ProcessEnv, ...args: string[]): ChildProcess {
  return spawn('node', [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

function output(child: ChildProcess): Promise<string> {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}
