// The command line of `npm run images`.
import { parseArgs } from 'node:util';
import type { BuilderName } from './builder.ts';
import type { ImageRecipe } from './images.ts';
import { inOrder, namesOf } from './order.ts';

export interface Flags {
  readonly builder: BuilderName | undefined;
  /** Names or the parts before the colon; empty: all. */
  readonly only: readonly string[];
  readonly isLocal: boolean;
  readonly isLoud: boolean;
  /** Path to be written. */
  readonly archive: string | undefined;
  /** Such as `ghcr.io/someone`. */
  readonly push: string | undefined;
}

const BUILDERS: readonly string[] = ['docker', 'podman', 'buildah'] satisfies BuilderName[];

export const USAGE = `Builds the images of this repository and of its examples. Usage: npm run images -- [flags]
  --builder docker|podman|buildah   the first of these that works, when not said
  --only NAME                       of an image, such as webapp-proxy; may be given again. What it builds on is built too
  --archive FILE                    all in one OCI layout (tar), as kind load image-archive and ctr images import read it
  --push REGISTRY                   tag them REGISTRY/NAME and push them; log in first
  --local-base                      make the base image here by debootstrap, though a registry may have it
  --verbose                         show what the builder says
REVISION and SOURCE in the environment become labels; SOURCE_DATE_EPOCH is the time of all that is in them.
`;

/** @returns undefined when help is asked for. @throws Error that names the flag */
export function parseFlags(args: readonly string[]): Flags | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      archive: { type: 'string' },
      builder: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      'local-base': { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      push: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    builder: builderNamed(values.builder),
    only: values.only,
    isLocal: values['local-base'],
    isLoud: values.verbose,
    archive: values.archive,
    push: values.push?.replace(/\/$/, ''),
  };
}

function builderNamed(name: string | undefined): BuilderName | undefined {
  if (name !== undefined && !BUILDERS.includes(name))
    throw new Error(`--builder ${name}: must be one of ${BUILDERS.join(', ')}`);
  return name as BuilderName | undefined;
}

/** @returns those named, and what they build on. @throws Error when one names none */
export function pickRecipes(recipes: readonly ImageRecipe[], only: readonly string[]): ImageRecipe[] {
  if (only.length === 0) return inOrder(recipes);
  const picked = new Set<ImageRecipe>();
  const pick = (name: string): void => {
    const found = recipes.filter((recipe) => namesOf(recipe).some((one) => one === name || one.startsWith(`${name}:`)));
    if (found.length === 0)
      throw new Error(`--only ${name}: there is no such image, but ${recipes.map((one) => one.name).join(', ')}`);
    for (const recipe of found) {
      picked.add(recipe);
      for (const below of recipe.from ?? []) pick(below);
    }
  };
  for (const name of only) pick(name);
  return inOrder([...picked]);
}
