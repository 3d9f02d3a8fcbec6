// Which image is built when.
import type { ImageRecipe } from './images.ts';

/**
 * @returns the recipes, each after those that it builds on; otherwise in the order given
 * @throws Error when one builds on an image that is not among them, or on itself by way of others
 */
export function inOrder(recipes: readonly ImageRecipe[]): ImageRecipe[] {
  const ordered: ImageRecipe[] = [];
  const begun = new Set<ImageRecipe>();
  const visit = (recipe: ImageRecipe): void => {
    if (ordered.includes(recipe)) return;
    if (begun.has(recipe)) throw new Error(`${recipe.name} builds on itself by way of others`);
    begun.add(recipe);
    for (const name of recipe.from ?? []) visit(find(recipes, name, recipe));
    ordered.push(recipe);
  };
  for (const recipe of recipes) visit(recipe);
  return ordered;
}

function find(recipes: readonly ImageRecipe[], name: string, wantedBy: ImageRecipe): ImageRecipe {
  const found = recipes.find((recipe) => namesOf(recipe).includes(name));
  if (found === undefined)
    throw new Error(`${wantedBy.name} builds on ${name}, which is not among the images to be built`);
  return found;
}

/** Its name and its aliases. */
export function namesOf({ aliases = [], name }: ImageRecipe): string[] {
  return [name, ...aliases];
}
