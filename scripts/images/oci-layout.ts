// The folder that a set of images is handed on as: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ImageRecipe } from './images.ts';
import { namesOf } from './order.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Index {
  readonly manifests: readonly Descriptor[];
}

const REF_NAME = 'org.opencontainers.image.ref.name';
/** What containerd calls an image that it imports. */
const CONTAINERD_NAME = 'io.containerd.image.name';
const REGISTRY = 'docker.io/library/';

/**
 * @param index with one entry for each recipe's name, as builders write it
 * @returns one entry for each name and alias, under which containerd will know them
 */
export function withAllNames(index: Index, recipes: readonly ImageRecipe[]): Index {
  const manifests = recipes.flatMap((recipe) => {
    const { annotations, ...descriptor } = entryOf(index, recipe.name);
    return namesOf(recipe).map((name) => ({
      ...descriptor,
      annotations: {
        ...annotations,
        [CONTAINERD_NAME]: REGISTRY + name,
        [REF_NAME]: name.slice(name.indexOf(':') + 1),
      },
    }));
  });
  return { ...index, manifests };
}

/** buildah is told what to write; docker writes the tag alone, and the whole name as containerd does. */
function entryOf({ manifests }: Index, name: string): Descriptor {
  const found = manifests.find(
    ({ annotations }) => annotations?.[CONTAINERD_NAME] === REGISTRY + name || annotations?.[REF_NAME] === name,
  );
  if (found === undefined) throw new Error(`the builder wrote no image ${name}`);
  return found;
}

/** Changes the index of the layout. */
export function nameImages(folder: string, recipes: readonly ImageRecipe[]): void {
  const path = join(folder, 'index.json');
  writeFileSync(path, JSON.stringify(withAllNames(readJson<Index>(path), recipes)));
}

/** @returns bytes of each image's layers when they are unpacked, by the recipe's name. Call it before the index is changed. */
export async function measureImages(folder: string, recipes: readonly ImageRecipe[]): Promise<Record<string, number>> {
  const index = readJson<Index>(join(folder, 'index.json'));
  const known = new Map<string, number>();
  const sizes: Record<string, number> = {};
  for (const { name } of recipes) {
    sizes[name] = 0;
    for (const layer of layersOf(folder, entryOf(index, name))) {
      const bytes = known.get(layer.digest) ?? (await unpackedBytes(folder, layer));
      known.set(layer.digest, bytes);
      sizes[name] += bytes;
    }
  }
  return sizes;
}

/** What is behind may be an index of platforms: docker's is. */
function layersOf(folder: string, { digest }: Descriptor): readonly Descriptor[] {
  const blob = readJson<{ layers?: Descriptor[]; manifests?: Descriptor[] }>(blobPath(folder, digest));
  const [platform] = blob.manifests ?? [];
  return platform === undefined ? (blob.layers ?? []) : layersOf(folder, platform);
}

async function unpackedBytes(folder: string, { digest, mediaType, size }: Descriptor): Promise<number> {
  const unpack = /[+.](zstd|gzip)$/.exec(mediaType)?.[1];
  if (unpack === undefined) return size;
  const packed = createReadStream(blobPath(folder, digest));
  let bytes = 0;
  for await (const chunk of packed.pipe(unpack === 'zstd' ? createZstdDecompress() : createGunzip()))
    bytes += chunk.length;
  return bytes;
}

function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', digest.replace(':', '/'));
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
