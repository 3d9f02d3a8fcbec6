// What the images build on: Node's and Debian's own from their registry, or the same made here where no registry answers.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Builder } from './builder.ts';
import { localBase, makeLocalBase, whyNoLocalBase } from './local-base.ts';

export interface Base {
  /** `docker`: pulled by it, as it builds. `local`: made here. */
  readonly from: 'docker' | 'registry' | 'local';
  /** Node's and Debian's. */
  readonly images: readonly [node: string, debian: string];
  /** For a person: which it is, and why. */
  readonly said: string;
}

const REGISTRY = 'docker.io/library/';
const REGISTRY_ANSWERS_MS = 5000;

/** In this order: what was asked for; one made here earlier; one pulled earlier; the registry's; one to be made here. Changes nothing. */
export async function chooseBase(builder: Builder, { isLocal }: { readonly isLocal: boolean }): Promise<Base> {
  const { archive, debian, node } = localBase();
  const local = (why: string): Base => ({ from: 'local', images: [node, debian], said: `${node}, made here: ${why}` });
  if (isLocal) return local('as asked');
  const images = publicImages();
  if (builder.name === 'docker') return { from: 'docker', images, said: images[0] };
  if (existsSync(archive)) return local('there from an earlier build');
  if (await hasAll(builder, images)) return { from: 'registry', images, said: `${images[0]}, pulled earlier` };
  if (await registryAnswers()) return { from: 'registry', images, said: images[0] };
  return local('no registry answers');
}

/** @throws Error that says what is missing, or the last words of what failed */
export async function bringBase(base: Base, builder: Builder, mirror: string): Promise<void> {
  const missing = base.from === 'local' ? whyNoLocalBase() : undefined;
  if (missing !== undefined) throw new Error(`the images have no base: ${base.said}. ${missing}`);
  if (base.from === 'local') await makeLocalBase(mirror);
  if (base.from === 'docker') return;
  for (const image of base.images) if (!(await builder.has(image))) await bring(base, builder, image);
}

async function bring(base: Base, builder: Builder, image: string): Promise<void> {
  if (base.from === 'local') await builder.load(localBase().archive, image);
  else await builder.pull(image);
}

/** For the ARGs of the Dockerfiles. */
export function argsOf({ images: [NODE_BASE, DEBIAN_BASE] }: Base): Record<string, string> {
  return { NODE_BASE, DEBIAN_BASE };
}

async function hasAll(builder: Builder, images: readonly string[]): Promise<boolean> {
  for (const image of images) if (!(await builder.has(image))) return false;
  return true;
}

/** As the Dockerfile that names both has them; in full, since podman and buildah assume no registry. */
export function publicImages(): [node: string, debian: string] {
  const text = readFileSync(fileURLToPath(new URL('../../worker/Dockerfile', import.meta.url)), 'utf8');
  const [node, debian] = ['NODE', 'DEBIAN'].map((name) => new RegExp(`^ARG ${name}_BASE=(\\S+)$`, 'm').exec(text)?.[1]);
  if (node === undefined || debian === undefined)
    throw new Error('worker/Dockerfile has no lines ARG NODE_BASE=… and ARG DEBIAN_BASE=…');
  return [REGISTRY + node, REGISTRY + debian];
}

/** Any answer is one: it says 401 to those who have not told their name. */
function registryAnswers(): Promise<boolean> {
  return fetch('https://registry-1.docker.io/v2/', { signal: AbortSignal.timeout(REGISTRY_ANSWERS_MS) }).then(
    () => true,
    () => false,
  );
}
