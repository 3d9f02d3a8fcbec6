// A kubectl that fits the cluster: the person's own where its version does, else the one that the node image holds.
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, makeCommand } from './command.ts';
import type { Minor } from './config.ts';

/** In the node images of kind. */
const IN_NODE = '/usr/bin/kubectl';

/**
 * @param node running; a program copied out of it runs on Linux only
 * @param folder where a copy is kept
 * @returns path, or the name on PATH
 */
export async function findKubectl(docker: Command, node: string, minor: Minor, folder: string): Promise<string> {
  const copy = join(folder, 'kubectl');
  if (existsSync(copy)) return copy;
  const own = await minorOfOwn();
  if (own !== undefined && isWithinSkew(own, minor)) return 'kubectl';
  if (process.platform !== 'linux') throw new Error(`kubectl ${own ?? ''} on PATH does not fit: install ${minor}`);
  await docker(['cp', `${node}:${IN_NODE}`, copy]);
  chmodSync(copy, 0o755);
  return copy;
}

/** One minor older or newer (https://kubernetes.io/releases/version-skew-policy/#kubectl). @param own such as `1.36` */
export function isWithinSkew(own: string, cluster: string): boolean {
  const [ownMajor = 0, ownMinor = 0] = own.split('.').map(Number);
  const [major = 0, minor = 0] = cluster.split('.').map(Number);
  return ownMajor === major && Math.abs(ownMinor - minor) <= 1;
}

/** @returns `1.36`; undefined when there is none, or none that says so */
async function minorOfOwn(): Promise<string | undefined> {
  const said = await makeCommand('kubectl')(['version', '--client', '--output', 'json']).catch(() => '');
  const [, major, minor] = /"gitVersion": *"v(\d+)\.(\d+)\./.exec(said) ?? [];
  return minor === undefined ? undefined : `${major}.${minor}`;
}
