import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ImageRecipe } from './images.ts';
import { measureImages, nameImages, withAllNames } from './oci-layout.ts';

const manifest = (digest: string, annotations: Record<string, string>) => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest,
  size: 7,
  annotations,
});
const worker: ImageRecipe = { name: 'worker:1-python', dockerfile: '', context: '', aliases: ['worker:python'] };
const shop: ImageRecipe = { name: 'shop:1', dockerfile: '', context: '' };
const REF = 'org.opencontainers.image.ref.name';
const NAME = 'io.containerd.image.name';

test('every name and alias has an entry by which containerd knows it', () => {
  const index = {
    schemaVersion: 2,
    manifests: [manifest('sha256:a', { [REF]: 'worker:1-python' }), manifest('sha256:b', { [REF]: 'shop:1' })],
  };
  expect(withAllNames(index, [worker, shop])).toEqual({
    schemaVersion: 2,
    manifests: [
      manifest('sha256:a', { [NAME]: 'docker.io/library/worker:1-python', [REF]: '1-python' }),
      manifest('sha256:a', { [NAME]: 'docker.io/library/worker:python', [REF]: 'python' }),
      manifest('sha256:b', { [NAME]: 'docker.io/library/shop:1', [REF]: '1' }),
    ],
  });
});

test('docker’s own entries are found, too', () => {
  const index = { manifests: [manifest('sha256:b', { [NAME]: 'docker.io/library/shop:1', [REF]: '1' })] };
  expect(withAllNames(index, [shop])).toEqual(index);
});

test('an image that the builder did not write is missed', () => {
  expect(() => withAllNames({ manifests: [] }, [shop])).toThrow('the builder wrote no image shop:1');
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'layout-'));
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (digest: string, content: string | Buffer): void =>
  writeFileSync(join(folder, 'blobs/sha256', digest), content);
const layer = (digest: string, kind: string) => ({
  mediaType: `application/vnd.oci.image.layer.v1.tar${kind}`,
  digest: `sha256:${digest}`,
  size: 1000,
});

test('sizes are those of unpacked layers, however they are packed; shared ones count in each', async () => {
  put('gz', gzipSync(Buffer.alloc(5000)));
  put('zst', zstdCompressSync(Buffer.alloc(70_000)));
  put('a', JSON.stringify({ layers: [layer('gz', '+gzip'), layer('plain', '')] }));
  put('platform', JSON.stringify({ layers: [layer('gz', '.gzip'), layer('zst', '+zstd')] }));
  put('b', JSON.stringify({ manifests: [{ digest: 'sha256:platform' }, { digest: 'sha256:attestation' }] }));
  const index = {
    manifests: [manifest('sha256:a', { [REF]: 'worker:1-python' }), manifest('sha256:b', { [REF]: 'shop:1' })],
  };
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
  expect(await measureImages(folder, [worker, shop])).toEqual({ 'worker:1-python': 6000, 'shop:1': 75_000 });
  nameImages(folder, [worker, shop]);
  expect(JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')).manifests).toHaveLength(3);
});
