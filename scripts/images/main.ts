// `npm run images`: wiring only. Images come into the builder's own store, where `docker images` shows them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chooseBase } from './base.ts';
import { buildImages, NO_BUILDER, writeArchive } from './build-images.ts';
import { type Builder, findBuilder, makeBuilder } from './builder.ts';
import { type Flags, parseFlags, pickRecipes, USAGE } from './flags.ts';
import { EXAMPLES, IMAGES, type ImageRecipe } from './images.ts';
import { namesOf } from './order.ts';

const { REVISION = '', SOURCE = '' } = process.env;

try {
  const flags = parseFlags(process.argv.slice(2));
  if (flags === undefined) process.stdout.write(USAGE);
  else await main(flags);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

async function main(flags: Flags): Promise<void> {
  const recipes = pickRecipes([...Object.values(IMAGES), ...Object.values(EXAMPLES)], flags.only);
  const name = flags.builder ?? findBuilder();
  if (name === undefined) throw new Error(NO_BUILDER);
  const builder = makeBuilder(name, { isLoud: flags.isLoud });
  const base = await chooseBase(builder, { isLocal: flags.isLocal });
  await buildImages(builder, base, recipes, { REVISION, SOURCE });
  printSizes(await archive(builder, recipes, flags.archive));
  if (flags.push !== undefined) await push(builder, recipes, flags.push);
}

/** Sizes are read from it, so one is written in any case. */
async function archive(builder: Builder, recipes: readonly ImageRecipe[], path: string | undefined) {
  if (path !== undefined) return writeArchive(builder, recipes, resolve(path));
  const folder = mkdtempSync(join(tmpdir(), 'webapp-images-'));
  return writeArchive(builder, recipes, join(folder, 'images.tar')).finally(() => rmSync(folder, { recursive: true }));
}

function printSizes(sizes: Readonly<Record<string, number>>): void {
  const width = Math.max(...Object.keys(sizes).map((name) => name.length));
  for (const [name, bytes] of Object.entries(sizes))
    console.log(`${name.padEnd(width)}  ${(bytes / 1e6).toFixed(1).padStart(6)} MB`);
}

/** Examples are nobody's to run from a registry. */
async function push(builder: Builder, recipes: readonly ImageRecipe[], registry: string): Promise<void> {
  const ours: readonly ImageRecipe[] = Object.values(IMAGES);
  for (const recipe of recipes.filter((one) => ours.includes(one)))
    for (const name of namesOf(recipe)) {
      await builder.tag(recipe.name, `${registry}/${name}`);
      await builder.push(`${registry}/${name}`);
      console.log(`pushed ${registry}/${name}`);
    }
}
