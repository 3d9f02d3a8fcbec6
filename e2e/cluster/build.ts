// The programs of a control plane, built once from their Go modules (programs/) and kept outside the repository by content hash.
// Called by startCluster and `npm run cluster`; starts none of them.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, oneAtATime } from '../../scripts/build-lock.ts';
import { cacheFolder } from '../../scripts/python-env.ts';

/** Where the built programs lie. */
export const clusterCache = join(cacheFolder, 'cluster');

const sources = fileURLToPath(new URL('programs/', import.meta.url));

/** Without it the API server calls itself v0.0.0-master and clients misjudge it. Goes with programs/kubernetes/go.mod. */
const VERSION = 'k8s.io/component-base/version';
const LINKER = `-s -w -X ${VERSION}.gitVersion=v1.36.3 -X ${VERSION}.gitMajor=1 -X ${VERSION}.gitMinor=36`;
const FLAGS = ['build', '-trimpath', '-buildvcs=false', '-ldflags', LINKER];

interface Recipe {
  /** What `go build` is given. */
  readonly package: string;
  /** Build constraints, with commas between them. */
  readonly tags?: string;
  /** Names under which the program is started, where it looks at its own. */
  readonly links: readonly string[];
  /** Path in the cache → path in the Go module `module`: files that belong to the program. */
  readonly files: Readonly<Record<string, string>>;
  readonly module?: string;
}

const RECIPES = {
  kubernetes: {
    package: '.',
    links: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet', 'kubectl'],
    files: {},
  },
  etcd: { package: '.', links: [], files: {} },
  coredns: { package: '.', links: [], files: {} },
  'metrics-server': { package: '.', links: [], files: {} },
  pause: { package: '.', links: [], files: {} },
  helm: { package: 'helm.sh/helm/v4/cmd/helm', links: [], files: {} },
  kind: { package: 'sigs.k8s.io/kind', links: [], files: {} },
  'kube-router': { package: 'github.com/cloudnativelabs/kube-router/cmd/kube-router', links: [], files: {} },
  prometheus: {
    package: 'github.com/prometheus/prometheus/cmd/prometheus',
    // Debian's finds no pods: it is built without Kubernetes. Of all that targets can be found by, this is the one that is needed.
    tags: 'remove_all_sd,enable_kubernetes_sd',
    links: [],
    files: {},
  },
  kwok: {
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    links: [],
    module: 'sigs.k8s.io/kwok',
    files: { 'stages/node': 'kustomize/stage/node', 'stages/pod': 'kustomize/stage/pod' },
  },
} satisfies Record<string, Recipe>;

export type ProgramName = keyof typeof RECIPES;
export const PROGRAMS = Object.keys(RECIPES) as readonly ProgramName[];
/** What a control plane needs whose nodes are kwok's. */
const CONTROL_PLANE: readonly ProgramName[] = ['etcd', 'kubernetes', 'kwok'];

/**
 * @returns absolute path of the folder that holds the program and its links, such as `…/kubernetes-0123abcd/kube-apiserver`
 * @throws Error that says what is missing or Go's own last words
 */
export async function buildProgram(name: ProgramName): Promise<string> {
  const cached = cachedProgram(name);
  if (cached !== undefined) return cached;
  const go = goVersion();
  if (go === undefined) throw new Error(noGo);
  const folder = join(clusterCache, `${name}-${sourceHash(name)}-${hashOf(go)}`);
  mkdirSync(clusterCache, { recursive: true });
  await oneAtATime(`${folder}.lock`, async () => {
    // Somebody else may have built it while this process waited.
    if (!existsSync(folder)) await buildInto(name, folder);
  });
  return folder;
}

/** @returns why programs cannot be had here, undefined when they can */
export function whyNoPrograms(names: readonly ProgramName[]): string | undefined {
  return goVersion() === undefined && names.some((name) => cachedProgram(name) === undefined) ? noGo : undefined;
}

/** @returns why no control plane can be had here, undefined when it can */
export function whyNoCluster(): string | undefined {
  const noPrograms = whyNoPrograms(CONTROL_PLANE);
  if (noPrograms !== undefined) return noPrograms;
  if (versionOf('openssl', ['version']) === undefined) return 'openssl is not installed: certificates are made by it';
  return undefined;
}

const noGo =
  'Go is not installed, and no control plane built earlier is in the cache: install Go 1.26 or newer (https://go.dev/dl)';

/** Without Go, what any version of Go built from these sources will do. */
function cachedProgram(name: ProgramName): string | undefined {
  const go = goVersion();
  const stem = `${name}-${sourceHash(name)}-`;
  if (go !== undefined) return [join(clusterCache, stem + hashOf(go))].find(existsSync);
  if (!existsSync(clusterCache)) return undefined;
  const found = readdirSync(clusterCache).find((entry) => entry.startsWith(stem) && !entry.includes('.'));
  return found && join(clusterCache, found);
}

/** Over all that decides what comes out, but Go's version. */
function sourceHash(name: ProgramName): string {
  const folder = join(sources, name);
  const files = readdirSync(folder).sort();
  const content = files.map((file) => `${file}\0${readFileSync(join(folder, file), 'utf8')}`);
  return hashOf(JSON.stringify([FLAGS, RECIPES[name], content]));
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

let askedGo: { readonly version: string | undefined } | undefined;
function goVersion(): string | undefined {
  askedGo ??= { version: versionOf('go', ['version']) };
  return askedGo.version;
}

function versionOf(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Built beside, then renamed: an interrupted build leaves nothing that looks whole. */
async function buildInto(name: ProgramName, folder: string): Promise<void> {
  const recipe: Recipe = RECIPES[name];
  removeLeftovers(folder);
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  process.stderr.write(`building ${name} (once; the first time it takes minutes) …\n`);
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  // Go says nothing while it compiles.
  const heartbeat = setInterval(() => process.stderr.write(`still building ${name}, ${seconds()} s …\n`), 60_000);
  const tags = recipe.tags === undefined ? [] : ['-tags', recipe.tags];
  await go(name, [...FLAGS, ...tags, '-o', join(partial, name), recipe.package]).finally(() =>
    clearInterval(heartbeat),
  );
  for (const link of recipe.links) symlinkSync(name, join(partial, link));
  for (const [target, source] of Object.entries(recipe.files)) {
    cpSync(join(moduleFolder(name, recipe.module ?? ''), source), join(partial, target), { recursive: true });
  }
  rename(partial, folder);
  process.stderr.write(`built ${name} in ${seconds()} s\n`);
}

/** What builds that were interrupted have left beside `folder`. */
function removeLeftovers(folder: string): void {
  const stem = `${basename(folder)}.partial-`;
  for (const entry of readdirSync(dirname(folder))) {
    if (entry.startsWith(stem) && !isAlive(Number(entry.slice(stem.length))))
      rmSync(join(dirname(folder), entry), { recursive: true, force: true });
  }
}

/** A lock taken over by two at once lets both build; the first is as good as the second. */
function rename(partial: string, folder: string): void {
  try {
    renameSync(partial, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(partial, { recursive: true, force: true });
  }
}

function go(name: ProgramName, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, { cwd: join(sources, name), env: goEnv(), stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      said = (said + text).slice(-4000);
      process.stderr.write(text);
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`go build of ${name} ended with ${code}:\n${said}`)),
    );
  });
}

/** Its files are read-only in the module cache; the copies keep that, which a removal of the folder does not mind. */
function moduleFolder(name: ProgramName, module: string): string {
  const args = ['list', '-m', '-f', '{{.Dir}}', module];
  return execFileSync('go', args, { cwd: join(sources, name), env: goEnv(), encoding: 'utf8' }).trim();
}

function goEnv(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
}
