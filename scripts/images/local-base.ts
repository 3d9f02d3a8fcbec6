// The two images that all others build on, made on this machine where no registry gives them: Debian by debootstrap, and the pinned Node with npm on
// top of it. One archive with both, kept in the cache by content hash, for any builder to load.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { imagesCache } from './cache.ts';
import { DEBIAN_MIRROR, SUITE, sourcesOf } from './debian.ts';
import { commandExists, run } from './run.ts';

/** Of Node 26. The newest of its line that a registry's client finds would be another every week. */
const NPM_VERSION = '11.21.2';
/** The rest of what node:…-slim and debian:…-slim have is in minbase. */
const PACKAGES = ['ca-certificates', 'libatomic1', 'libstdc++6'];

const nodeProgram = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
const ENV = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

export interface LocalBase {
  /** Path of a docker-archive (tar) with both images. */
  readonly archive: string;
  /** Names that no registry has. */
  readonly node: string;
  readonly debian: string;
}

/** @returns why it cannot be made here and how to mend it; undefined when it can, or is there */
export function whyNoLocalBase(): string | undefined {
  if (existsSync(localBase().archive)) return undefined;
  if (process.getuid?.() !== 0) return 'a base image is made by debootstrap, which takes root: run as root';
  if (!commandExists('debootstrap')) return 'debootstrap is not installed: apt-get install debootstrap';
  if (!existsSync(nodeProgram)) return `${nodeProgram} is not there: npm install`;
  return undefined;
}

/** Where it is, or will be. */
export function localBase(): LocalBase {
  const decides = [readFileSync(fileURLToPath(import.meta.url), 'utf8'), manifest.devDependencies.node, process.arch];
  const hash = createHash('sha256').update(JSON.stringify(decides)).digest('hex').slice(0, 12);
  return {
    archive: join(imagesCache, `base-${hash}.tar`),
    node: `localhost/webapp-base-node:${hash}`,
    debian: `localhost/webapp-base-debian:${hash}`,
  };
}

/** About a minute, once. @param mirror of Debian. @throws Error with the last words of the program that failed */
export async function makeLocalBase(mirror: string): Promise<LocalBase> {
  const base = localBase();
  if (existsSync(base.archive)) return base;
  process.stderr.write('making a base image: Debian by debootstrap, and Node (once, about a minute) …\n');
  const work = `${base.archive}.partial-${process.pid}`;
  mkdirSync(join(work, 'archive'), { recursive: true });
  try {
    const debian = await addLayer(work, await bootstrapDebian(work, mirror));
    const node = await addLayer(work, await layOutNode(work));
    describeImages(work, base, { debian, node });
    await run('tar', ['-C', join(work, 'archive'), '-cf', `${work}.tar`, '.']);
    removeEarlier();
    renameSync(`${work}.tar`, base.archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(`${work}.tar`, { force: true });
  }
  return base;
}

async function bootstrapDebian(work: string, mirror: string): Promise<string> {
  const folder = join(work, 'debian');
  await run('debootstrap', ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, folder, mirror]);
  removeLeftovers(folder);
  configureApt(folder);
  return folder;
}

/** As Debian's own slim images, and what differs from one run to the next. */
function removeLeftovers(folder: string): void {
  const emptied = [
    'var/cache/apt',
    'var/lib/apt/lists',
    'var/log',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
  ];
  for (const path of [...emptied, 'usr/share/info', 'dev', 'run', 'tmp'])
    for (const entry of entriesOf(join(folder, path))) rmSync(join(folder, path, entry), { recursive: true });
  const others = ['var/cache/ldconfig/aux-cache', 'var/cache/debconf/templates.dat-old', 'var/lib/dpkg/status-old'];
  for (const path of [...others, 'etc/machine-id', 'etc/apt/sources.list']) rmSync(join(folder, path), { force: true });
  for (const path of ['etc/hostname', 'etc/resolv.conf']) writeFileSync(join(folder, path), '');
  const shadow = join(folder, 'etc/shadow');
  writeFileSync(shadow, withOneDay(readFileSync(shadow, 'utf8')));
}

/** @param shadow text of /etc/shadow. @returns the same with one day for all days on which a password was set: 2026-01-01 */
export function withOneDay(shadow: string): string {
  return shadow.replace(/^([^:]*:[^:]*):\d+:/gm, '$1:20454:');
}

function entriesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function configureApt(folder: string): void {
  writeFileSync(join(folder, 'etc/apt/sources.list.d/debian.sources'), sourcesOf(DEBIAN_MIRROR));
  const no = ['doc', 'man', 'locale', 'info'].map((name) => `path-exclude /usr/share/${name}/*\n`);
  writeFileSync(join(folder, 'etc/dpkg/dpkg.cfg.d/slim'), no.join(''));
  writeFileSync(
    join(folder, 'etc/apt/apt.conf.d/slim'),
    'Acquire::Languages "none";\nAPT::Install-Recommends "false";\n',
  );
}

async function layOutNode(work: string): Promise<string> {
  const local = join(work, 'node/usr/local');
  for (const name of ['bin', 'lib/node_modules', 'etc']) mkdirSync(join(local, name), { recursive: true });
  cpSync(nodeProgram, join(local, 'bin/node'));
  chmodSync(join(local, 'bin/node'), 0o755);
  await run('npm', ['pack', `npm@${NPM_VERSION}`, '--silent', '--pack-destination', work]);
  await run('tar', ['-C', join(local, 'lib/node_modules'), '-xzf', join(work, `npm-${NPM_VERSION}.tgz`)]);
  renameSync(join(local, 'lib/node_modules/package'), join(local, 'lib/node_modules/npm'));
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  return join(work, 'node');
}

/** @returns the layer's digest, which is its name in the archive too */
async function addLayer(work: string, folder: string): Promise<string> {
  const path = `${folder}.tar`;
  const same = ['--sort=name', '--mtime=@0', '--numeric-owner', '--format=gnu'];
  const owner = folder.endsWith('node') ? ['--owner=0', '--group=0'] : [];
  await run('tar', ['-C', folder, ...same, ...owner, '-cf', path, '.']);
  const digest = await digestOf(path);
  renameSync(path, join(work, 'archive', `${digest}.tar`));
  rmSync(folder, { recursive: true });
  return digest;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function describeImages(work: string, base: LocalBase, layers: { debian: string; node: string }): void {
  const images = [
    describe(work, base.debian, [layers.debian]),
    describe(work, base.node, [layers.debian, layers.node]),
  ];
  writeFileSync(join(work, 'archive/manifest.json'), JSON.stringify(images));
}

/** Of the `docker save` format: https://github.com/moby/docker-image-spec */
function describe(work: string, name: string, layers: readonly string[]): object {
  const config = JSON.stringify({
    created: new Date(0).toISOString(),
    os: 'linux',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: { Env: ENV },
    rootfs: { type: 'layers', diff_ids: layers.map((digest) => `sha256:${digest}`) },
    history: layers.map(() => ({ created: new Date(0).toISOString(), created_by: name })),
  });
  const file = `${createHash('sha256').update(config).digest('hex')}.json`;
  writeFileSync(join(work, 'archive', file), config);
  return { Config: file, RepoTags: [name], Layers: layers.map((digest) => `${digest}.tar`) };
}

/** Those of other Nodes and of interrupted runs: one is enough. */
function removeEarlier(): void {
  const isOld = (path: string): boolean => Date.now() - statSync(path).mtimeMs > 60 * 60_000;
  for (const entry of readdirSync(imagesCache).filter((name) => name.startsWith('base-'))) {
    const path = join(imagesCache, entry);
    if (!entry.includes('.partial-') || isOld(path)) rmSync(path, { recursive: true, force: true });
  }
}
