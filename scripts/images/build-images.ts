// Builds images, and hands them to a cluster as one archive, kept in the cache by a hash over all that decides what comes out. Called by `npm run images`
// and by e2e/promises.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { oneAtATime } from '../build-lock.ts';
import { argsOf, type Base, bringBase, chooseBase } from './base.ts';
import { type Builder, findBuilder, makeBuilder } from './builder.ts';
import { imagesCache } from './cache.ts';
import { filesOfContext } from './context.ts';
import { BUILD_STAGE, type ImageRecipe } from './images.ts';
import { localBase, whyNoLocalBase } from './local-base.ts';
import { measureImages, nameImages } from './oci-layout.ts';
import { inOrder } from './order.ts';
import { lookUpRegistries, mountsFor } from './registries.ts';
import { run } from './run.ts';

export interface Bundle {
  /** Path of a tar: an OCI layout with each layer once, the large ones unpacked, under all names and aliases. */
  readonly archive: string;
  /** Bytes of an image's layers as they are unpacked, by the recipe's name; shared layers count in each. */
  readonly sizes: Readonly<Record<string, number>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The images' times, where SOURCE_DATE_EPOCH says no other: 2026-01-01. See https://reproducible-builds.org/specs/source-date-epoch/ */
const CREATED = 1_767_225_600;
const BUNDLES_KEPT = 3;
export const NO_BUILDER =
  'nothing here builds images: start Docker, or install podman or buildah (apt-get install buildah debootstrap)';

/** @returns why no images can be built here and how to mend it, undefined when they can */
export function whyNoImages(): string | undefined {
  const builder = findBuilder();
  if (builder === undefined) return NO_BUILDER;
  return builder === 'docker' ? undefined : whyNoLocalBase();
}

/**
 * Builds what is not built. podman and buildah do it in a store in the cache, apart from the user's images.
 * @param recipes with all that they build on
 * @throws Error that says what is missing, or the last words of what failed
 */
export async function buildBundle(recipes: readonly ImageRecipe[]): Promise<Bundle> {
  const name = findBuilder();
  if (name === undefined) throw new Error(NO_BUILDER);
  const store = join(imagesCache, 'store');
  mkdirSync(imagesCache, { recursive: true });
  const builder = makeBuilder(name, { store });
  const base = await chooseBase(builder, { isLocal: false });
  const folder = join(imagesCache, `bundle-${hashOf(inOrder(recipes), base)}`);
  if (!existsSync(folder))
    await oneAtATime(join(imagesCache, 'lock'), async () => {
      // Somebody else may have built it while this process waited.
      if (existsSync(folder)) return;
      await forgetOldStore(store);
      await buildImages(builder, base, recipes);
      await pack(builder, recipes, folder);
      await builder.prune();
      removeOldBundles();
    });
  utimesSync(folder, new Date(), new Date());
  return { archive: join(folder, 'images.tar'), sizes: JSON.parse(readFileSync(join(folder, 'sizes.json'), 'utf8')) };
}

/** @param labels ARGs of our Dockerfiles beside VERSION. @throws Error with the last words of what failed */
export async function buildImages(
  builder: Builder,
  base: Base,
  recipes: readonly ImageRecipe[],
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const registries = await lookUpRegistries();
  process.stderr.write(`building images by ${builder.name} on ${base.said}\n`);
  await bringBase(base, builder, registries.debianMirror);
  const volumes = mountsFor(registries, join(imagesCache, 'homes'));
  const args = { ...(base.from === 'docker' ? {} : argsOf(base)), VERSION: manifest.version, ...labels };
  for (const recipe of [BUILD_STAGE, ...inOrder(recipes)])
    await timed(recipe.name, () => builder.build(recipe, orderOf(recipe)));

  /** A person's image has the times of now: where they are set back, Python takes what pip compiled for stale. */
  function orderOf({ from }: ImageRecipe) {
    return { args: from === undefined ? args : {}, volumes, ...(from === undefined && { created: createdAt() }) };
  }
}

function createdAt(): number {
  const { SOURCE_DATE_EPOCH } = process.env;
  return SOURCE_DATE_EPOCH === undefined ? CREATED : Number(SOURCE_DATE_EPOCH);
}

async function timed(name: string, build: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await build();
  process.stderr.write(`built ${name} in ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
}

/** Made beside, then renamed: an interrupted run leaves nothing that looks whole. @param folder gets `images.tar` and `sizes.json` */
async function pack(builder: Builder, recipes: readonly ImageRecipe[], folder: string): Promise<void> {
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const sizes = await writeArchive(builder, recipes, join(partial, 'images.tar'));
    writeFileSync(join(partial, 'sizes.json'), JSON.stringify(sizes));
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** @param archive path that is written. @returns as Bundle.sizes */
export async function writeArchive(
  builder: Builder,
  recipes: readonly ImageRecipe[],
  archive: string,
): Promise<Record<string, number>> {
  const layout = `${archive}.layout`;
  mkdirSync(layout, { recursive: true });
  try {
    await builder.layOut(recipes, layout);
    const sizes = await measureImages(layout, recipes);
    nameImages(layout, recipes);
    await run('tar', ['-C', layout, '-cf', archive, '.']);
    return sizes;
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}

/** Over the recipes, what they read, what builds them, and what they build on. */
function hashOf(recipes: readonly ImageRecipe[], base: Base): string {
  const hash = createHash('sha256').update(JSON.stringify([recipes, base.images, createdAt(), process.arch]));
  const add = (path: string): void => {
    const content = readFileSync(path);
    hash.update(`${path.slice(root.length)}\0${statSync(path).mode}\0${content.length}\0`).update(content);
  };
  for (const file of readdirSync(join(root, 'scripts/images')).sort())
    if (!file.endsWith('.test.ts')) add(join(root, 'scripts/images', file));
  for (const { dockerfile } of recipes) add(join(root, dockerfile));
  for (const context of new Set(recipes.map((recipe) => recipe.context)))
    for (const file of filesOfContext(join(root, context))) add(join(root, context, file));
  return hash.digest('hex').slice(0, 16);
}

/** When the base is another, nothing in the store is of use any more. */
async function forgetOldStore(store: string): Promise<void> {
  const note = join(imagesCache, 'store-of');
  const { node } = localBase();
  if (existsSync(note) && readFileSync(note, 'utf8') === node) return;
  // buildah leaves its mount when it is killed.
  await run('umount', ['--recursive', join(store, 'images/overlay')]).catch(() => {});
  for (const path of [store, join(imagesCache, 'homes')]) rmSync(path, { recursive: true, force: true });
  writeFileSync(note, node);
}

/** Only by whoever holds the lock, so that what is half made is nobody's any more. */
function removeOldBundles(): void {
  const all = readdirSync(imagesCache).filter((name) => name.startsWith('bundle-'));
  const age = (name: string): number => -statSync(join(imagesCache, name)).mtimeMs;
  const whole = all.filter((name) => !name.includes('.partial-')).sort((a, b) => age(a) - age(b));
  for (const name of all.filter((one) => !whole.slice(0, BUNDLES_KEPT).includes(one)))
    rmSync(join(imagesCache, name), { recursive: true, force: true });
}
