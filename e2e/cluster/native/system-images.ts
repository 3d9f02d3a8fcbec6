// The images of pause, CoreDNS and metrics-server in one archive, kept beside the programs they are made of.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildProgram, clusterCache, type ProgramName } from '../build.ts';
import { COREDNS_IMAGE, METRICS_SERVER_IMAGE } from './add-ons.ts';
import { imageArchive } from './image-archive.ts';
import { PAUSE_IMAGE } from './node-config.ts';

const IMAGES = { pause: PAUSE_IMAGE, coredns: COREDNS_IMAGE, 'metrics-server': METRICS_SERVER_IMAGE } as const;
export const SYSTEM_PROGRAMS = Object.keys(IMAGES) as readonly (keyof typeof IMAGES)[];

/** Builds what is not built yet. @returns path of the archive */
export async function systemImages(): Promise<string> {
  const folders = new Map<keyof typeof IMAGES, string>();
  // One after the other: one of them fills two cores.
  for (const program of SYSTEM_PROGRAMS) folders.set(program, await buildProgram(program));
  const archive = join(clusterCache, `images-${[...folders.values()].map(hashOf).join('-')}.tar`);
  if (!existsSync(archive)) write(archive, [...folders]);
  return archive;
}

/** `…/pause-0123abcd-4567cdef` → `0123abcd4567cdef`. */
const hashOf = (folder: string): string => basename(folder).split('-').slice(-2).join('');

/** Written beside, then renamed: an interrupted write leaves nothing that looks whole. Those of earlier programs go. */
function write(archive: string, programs: readonly (readonly [keyof typeof IMAGES & ProgramName, string])[]): void {
  const images = programs.map(([name, folder]) => ({
    name: IMAGES[name],
    entrypoint: [`/${name}`],
    files: [{ path: name, content: readFileSync(join(folder, name)), mode: 0o755 }],
  }));
  const partial = `${archive}.partial-${process.pid}`;
  writeFileSync(partial, imageArchive(images));
  renameSync(partial, archive);
  for (const entry of readdirSync(clusterCache))
    if (/^images-.*\.tar$/.test(entry) && entry !== basename(archive)) rmSync(join(clusterCache, entry));
}
