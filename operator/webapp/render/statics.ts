// Static files of the application's image, copied to where the proxy serves them: one folder for each version of the image.
import type { LiveWebApp } from '../observed.ts';
import { digest } from './canonical.ts';
import type { StaticVersion } from './input.ts';

export const STATIC_ROOT = '/srv/static';

/** The same content under two tags is one version when the images name their digest. */
export function staticVersionOf(image: string): StaticVersion {
  const at = image.indexOf('@');
  return { image, key: digest(at < 0 ? image : image.slice(at + 1), 10) };
}

/** Folders inside the image, each once, without a slash at the end. */
export function staticFoldersOf({ spec }: LiveWebApp): string[] {
  return [...new Set((spec.proxy.static ?? []).map(({ from }) => from.replace(/\/+$/, '')))];
}
