// The packages of a Node application: installed once where they are missing or old. Used by `webapp up`.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { type Installer, lastLines } from './installer.ts';

const STAMP = 'node_modules/.installed-by-webapp';

export interface NodeFacts {
  readonly dependencies: readonly string[];
  /** Names of the lock files that are there. */
  readonly locks: readonly string[];
  /** Whether node_modules is there. */
  readonly installed: boolean;
  /** Of `dependencies`, those that cannot be found from the folder. */
  readonly missing: readonly string[];
  /** npm writes its own lock file into node_modules last: without it an installation by npm was interrupted. */
  readonly complete: boolean;
  /** Hash of package.json and its lock, and what it was when we installed. */
  readonly hash: string;
  readonly stamp?: string;
}

export interface NodePlan {
  readonly command: 'npm' | 'yarn' | 'pnpm';
  readonly args: readonly string[];
  readonly why: string;
}

/** Pure: how the packages are to be installed; undefined when they are there. */
export function planNode(facts: NodeFacts): NodePlan | undefined {
  const why = reasonToInstall(facts);
  if (why === undefined) return undefined;
  if (facts.locks.includes('pnpm-lock.yaml')) return { command: 'pnpm', args: ['install', '--frozen-lockfile'], why };
  if (facts.locks.includes('yarn.lock')) return { command: 'yarn', args: ['install', '--frozen-lockfile'], why };
  const quiet = ['--no-audit', '--no-fund', '--loglevel=http'];
  return { command: 'npm', args: [hasNpmLock(facts) ? 'ci' : 'install', ...quiet], why };
}

function reasonToInstall(facts: NodeFacts): string | undefined {
  const { dependencies, installed, missing, complete, stamp, hash } = facts;
  if (dependencies.length === 0) return undefined;
  if (missing.length > 0) return installed ? `${missing[0]} is not in node_modules` : 'from package.json';
  if (installed && hasNpmLock(facts) && !complete) return 'an earlier installation was interrupted';
  if (stamp !== undefined && stamp !== hash) return 'package.json has changed';
  return undefined;
}

const hasNpmLock = ({ locks }: NodeFacts): boolean =>
  locks.some((lock) => lock === 'package-lock.json' || lock === 'npm-shrinkwrap.json');

/**
 * @param folders where package.json is looked for, the nearest to the application first
 * @throws Failure NO_NODE_PACKAGES | INSTALL_FAILED | INTERRUPTED
 */
export async function provideNodePackages(folders: readonly string[], installer: Installer): Promise<void> {
  const folder = folders.find((each) => existsSync(join(each, 'package.json')));
  if (folder === undefined) return;
  const plan = planNode(lookAt(folder));
  if (!plan) return;
  await installer.during(`installing node_modules, once: ${plan.why}`, async (step) => {
    const { code, output } = await step(plan.command, plan.args, folder);
    if (code === 127) {
      const mend = `install ${plan.command}, or install the packages yourself`;
      throw new Failure('NO_NODE_PACKAGES', `${plan.command} is not on the PATH`, mend);
    }
    if (code !== 0) {
      const mend = 'mend package.json or its lock file, or install the packages yourself';
      throw new Failure('INSTALL_FAILED', `${plan.command} could not install the packages`, mend, lastLines(output));
    }
    if (existsSync(join(folder, 'node_modules'))) writeFileSync(join(folder, STAMP), lookAt(folder).hash);
  });
}

const LOCKS = ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml'];

function lookAt(folder: string): NodeFacts {
  const text = readText(join(folder, 'package.json')) ?? '{}';
  const dependencies = dependenciesOf(text, join(folder, 'package.json'));
  const locks = LOCKS.filter((lock) => existsSync(join(folder, lock)));
  const stamp = readText(join(folder, STAMP));
  const hash = createHash('sha256').update(text);
  for (const lock of locks) hash.update(readText(join(folder, lock)) ?? '');
  return {
    dependencies,
    locks,
    installed: existsSync(join(folder, 'node_modules')),
    missing: dependencies.filter((name) => !isInstalled(folder, name)),
    complete: existsSync(join(folder, 'node_modules/.package-lock.json')),
    hash: hash.digest('hex').slice(0, 16),
    ...(stamp !== undefined && { stamp }),
  };
}

/** A package may lie in a folder above: that is how workspaces are laid out, and how Node looks. */
function isInstalled(folder: string, name: string): boolean {
  for (let at = folder; ; ) {
    if (existsSync(join(at, 'node_modules', name))) return true;
    const above = join(at, '..');
    if (above === at) return false;
    at = above;
  }
}

function dependenciesOf(text: string, path: string): string[] {
  try {
    const { dependencies } = (JSON.parse(text) ?? {}) as { dependencies?: Record<string, string> };
    return Object.keys(dependencies ?? {});
  } catch (error) {
    const mend = `mend it: ${(error as Error).message}`;
    throw new Failure('NO_NODE_PACKAGES', `${path} is not valid JSON`, mend);
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
