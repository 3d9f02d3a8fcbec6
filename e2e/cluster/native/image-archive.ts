// Images of a few static files, FROM scratch, as an OCI layout in a tar: what `ctr images import` takes. Pure.
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
import { createHash } from 'node:crypto';
import { type TarFile, tar } from './tar.ts';

export interface StaticImage {
  /** In full: `docker.io/library/busybox:1`. */
  readonly name: string;
  readonly entrypoint: readonly string[];
  readonly files: readonly TarFile[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const TYPE = 'application/vnd.oci.image';

/** @returns a tar with all of them */
export function imageArchive(images: readonly StaticImage[]): Buffer {
  const blobs = new Map<string, TarFile>();
  const keep = (mediaType: string, content: Buffer): Descriptor => {
    const hash = createHash('sha256').update(content).digest('hex');
    const path = `blobs/sha256/${hash}`;
    blobs.set(path, { path, content });
    return { mediaType, digest: `sha256:${hash}`, size: content.length };
  };
  const manifests = images.map((image) => ({
    ...manifestOf(image, keep),
    annotations: { 'io.containerd.image.name': image.name },
  }));
  const index = json({ schemaVersion: 2, mediaType: `${TYPE}.index.v1+json`, manifests });
  const layout = json({ imageLayoutVersion: '1.0.0' });
  return tar([{ path: 'oci-layout', content: layout }, { path: 'index.json', content: index }, ...blobs.values()]);
}

/** Layers stay as they are: packing costs more than it saves on one machine. */
function manifestOf(
  { entrypoint, files }: StaticImage,
  keep: (mediaType: string, content: Buffer) => Descriptor,
): Descriptor {
  const layer = keep(`${TYPE}.layer.v1.tar`, tar(files));
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const settings = { Entrypoint: entrypoint, WorkingDir: '/' };
  const config = keep(
    `${TYPE}.config.v1+json`,
    json({ architecture: architecture(), os: 'linux', config: settings, rootfs }),
  );
  const mediaType = `${TYPE}.manifest.v1+json`;
  return keep(mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** As Go and the OCI call it. */
const architecture = (): string => ({ x64: 'amd64' })[process.arch as string] ?? process.arch;
