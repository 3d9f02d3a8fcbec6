// How this machine reaches the registries of packages (its certificates, its mirrors), for the steps of a build: mounted while they run as the home folders
// of the users that run them, and so never a part of an image.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DEBIAN_MIRROR, SUITE, sourcesOf } from './debian.ts';
import { run } from './run.ts';

const NPM_REGISTRY = 'https://registry.npmjs.org/';

/** Home folder inside → mode of what is mounted there. The second is that of the worker images' user. */
const HOMES = { '/root': 0o755, '/tmp': 0o1777 } as const;

export interface Registries {
  readonly npmRegistry: string;
  /** undefined: pip's own. */
  readonly pipIndex: string | undefined;
  readonly debianMirror: string;
  /** Paths of files: what is trusted here besides what every program brings with it. */
  readonly certificates: readonly string[];
}

/** As npm, pip and apt of this machine are set up, and the variables that they read. */
export async function lookUpRegistries(): Promise<Registries> {
  const npm: { registry?: string; cafile?: string | null } = JSON.parse(
    await ask('npm', ['config', 'list', '--json'], '{}'),
  );
  const pipIndex =
    process.env['PIP_INDEX_URL'] ?? (await ask('python3', ['-m', 'pip', 'config', 'get', 'global.index-url'], ''));
  const pipCertificate = await ask('python3', ['-m', 'pip', 'config', 'get', 'global.cert'], '');
  const { NODE_EXTRA_CA_CERTS, PIP_CERT, SSL_CERT_FILE } = process.env;
  const named = [npm.cafile, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, PIP_CERT, pipCertificate];
  return {
    npmRegistry: npm.registry ?? NPM_REGISTRY,
    pipIndex: pipIndex || undefined,
    debianMirror: await debianMirror(),
    certificates: [...new Set(named)].flatMap((path) => (path && existsSync(path) ? path : [])),
  };
}

/** That of a machine which is Debian of the same suite, else Debian's. */
async function debianMirror(): Promise<string> {
  const targets = ['Created-By: Packages', 'Origin: Debian', `Codename: ${SUITE}`, 'Component: main'];
  const uris = await ask('apt-get', ['indextargets', '--format', '$(REPO_URI)', ...targets], '');
  return uris.split('\n')[0]?.replace(/\/$/, '') || DEBIAN_MIRROR;
}

/** @returns what it says; `otherwise` when it is not here or knows no answer */
async function ask(program: string, args: readonly string[], otherwise: string): Promise<string> {
  return run(program, args).then(
    (said) => said.trim() || otherwise,
    () => otherwise,
  );
}

/**
 * Writes what a build mounts, which is nothing where all is as everywhere.
 * @param folder may hold what an earlier call wrote, and packages that were fetched since
 * @returns `--volume` values
 */
export function mountsFor(registries: Registries, folder: string): string[] {
  const { certificates, debianMirror, npmRegistry, pipIndex } = registries;
  const isUsual = npmRegistry === NPM_REGISTRY && pipIndex === undefined && certificates.length === 0;
  const homes = isUsual ? [] : Object.entries(HOMES).map(([home, mode]) => mountHome(registries, folder, home, mode));
  return debianMirror === DEBIAN_MIRROR ? homes : [...homes, mountSources(debianMirror, folder)];
}

function mountHome(
  { certificates, npmRegistry, pipIndex }: Registries,
  folder: string,
  home: string,
  mode: number,
): string {
  const hasOwn = certificates.length > 0;
  const authority = `${home}/ca.crt`;
  const at = join(folder, home);
  write(join(at, '.npmrc'), `registry=${npmRegistry}\n${hasOwn ? `cafile=${authority}\n` : ''}`);
  const pip = [
    ...(pipIndex === undefined ? [] : [`index-url = ${pipIndex}`]),
    ...(hasOwn ? [`cert = ${authority}`] : []),
  ];
  write(join(at, '.config/pip/pip.conf'), ['[global]', ...pip, ''].join('\n'));
  if (hasOwn) write(join(at, 'ca.crt'), certificates.map((path) => readFileSync(path, 'utf8')).join('\n'));
  chmodSync(at, mode);
  return `${at}:${home}`;
}

function mountSources(mirror: string, folder: string): string {
  const sources = join(folder, 'debian.sources');
  write(sources, sourcesOf(mirror));
  return `${sources}:/etc/apt/sources.list.d/debian.sources:ro`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
