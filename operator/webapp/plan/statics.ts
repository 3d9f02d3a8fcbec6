// Whose static files the proxy serves: the version's own, then those of versions that pages may still be loaded from.
import type { StaticVersion } from '../render/input.ts';
import { staticVersionOf } from '../render/statics.ts';
import type { Revision } from '../revision.ts';

/**
 * @param image of the version whose files go first
 * @param revisions of the worker, the one deployed last first
 * @returns one for each image, at most `keep` besides `image`
 */
export function pickStatics(image: string, revisions: readonly Revision[], keep: number): StaticVersion[] {
  const images = new Set([image]);
  for (const revision of revisions) if (images.size <= keep) images.add(revision.image);
  return [...images].map(staticVersionOf);
}
